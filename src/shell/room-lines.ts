/** A socket for each room, with the room in its URL: `roomPerSocket`. */
import type { Identity } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import { errorOf } from '../error-of.ts'
import { NotConnectedError, RoomError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Incoming } from '../protocols/protocol.ts'
import { isReconnect, Line, type SendOptions } from './line.ts'
import type { Lines, LinesListener } from './lines.ts'

type Verb = 'connect' | 'disconnect' | 'reconnect' | 'redial' | 'nudge'

export class RoomLines implements Lines {
  readonly #options: Resolved
  readonly #clientId: string
  readonly #listener: LinesListener
  readonly #lines = new Map<string, Line>()

  constructor(options: Resolved, clientId: string, listener: LinesListener) {
    this.#options = options
    this.#clientId = clientId
    this.#listener = listener
  }

  get states(): readonly LinkState[] {
    return [...this.#lines.values()].map(({ link }) => link.state)
  }

  get identity(): Identity {
    return { token: this.#options.holder.identity }
  }

  get where(): string | undefined {
    for (const { link } of this.#lines.values()) return link.where
    return undefined
  }

  connect(): void {
    this.#tell('connect')
  }

  disconnect(): void {
    this.#tell('disconnect')
  }

  reconnect(): void {
    this.#tell('reconnect')
  }

  redial(): void {
    this.#tell('redial')
  }

  nudge(): void {
    this.#tell('nudge')
  }

  join(room: string, params: unknown): void {
    let line = this.#lines.get(room)
    if (line === undefined) {
      line = this.#open(room, params)
      this.#lines.set(room, line)
    }
    line.link.tell('connect')
  }

  leave(room: string): void {
    const line = this.#lines.get(room)
    this.#lines.delete(room)
    line?.link.tell('disconnect')
  }

  send(room: string | undefined, data: unknown, options?: SendOptions): Promise<unknown> {
    const line = room === undefined ? undefined : this.#lines.get(room)
    return line?.send(undefined, data, options) ?? Promise.reject(noRoom())
  }

  call(): Promise<unknown> {
    return Promise.reject(noRoom())
  }

  #tell(verb: Verb): void {
    for (const { link } of [...this.#lines.values()]) link.tell(verb)
  }

  #open(room: string, params: unknown): Line {
    const line: Line = new Line(
      this.#options,
      { room, clientId: this.#clientId, ...(params !== undefined && { params }) },
      {
        changed: (next, previous) => this.#changed(room, line, next, previous),
        incoming: (message) => this.#incoming(room, message),
        failed: (error) => this.#listener.error(error),
        isReady: () => true,
      },
    )
    return line
  }

  #changed(room: string, line: Line, next: LinkState, previous: LinkState): void {
    const isUp = next.kind === 'connected'
    const wasUp = previous.kind === 'connected'
    if (wasUp && !isUp && next.kind !== 'idle') this.#listener.interrupted(room)
    if (isUp && !wasUp) this.#listener.joined(room, isReconnect(next, previous))
    if (next.kind === 'refused') {
      const cause = errorOf(next.problem, line.link.where)
      const error = new RoomError(`room ${room} is closed to this user`, room, 'refused', { cause })
      this.#listener.refused(room, error)
    }
    if (next.kind === 'failed') this.#listener.failed(room, errorOf(next.problem, line.link.where))
    this.#listener.changed(next, previous)
  }

  #incoming(room: string, message: Incoming): void {
    if (message.kind === 'message') this.#listener.message(room, message.data, message.meta)
    else if (message.kind === 'unreadable')
      this.#listener.error(new TypeError(`the server sent what is no frame: ${message.detail}`))
  }
}

const noRoom = (): NotConnectedError =>
  new NotConnectedError('every room has a socket of its own: join a room, and send in it')
