/** A socket for each room, with the room in its URL. */
import type { Identity } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import { errorOf } from '../error-of.ts'
import { NotConnectedError, RoomError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Codec, Incoming } from '../protocols/protocol.ts'
import type { Room } from '../room.ts'
import { noHistory } from './history.ts'
import { isReconnect, Line } from './line.ts'
import type { Lines, LinesHost, LinesMaker } from './lines.ts'
import type { LinkVerb } from './link-port.ts'
import { Rooms } from './rooms.ts'

/** Nothing but the URL says which room it is, and the server counts no messages. */
const ROOM_IN_URL = {
  isReady: () => true,
  epochOf: () => undefined,
  addressed: (url: URL, codec: Codec) => {
    codec.address?.(url, [])
  },
}

class RoomLines implements Lines {
  readonly #options: Resolved
  readonly #host: LinesHost
  readonly #lines = new Map<string, Line>()
  readonly #rooms: Rooms

  constructor(options: Resolved, host: LinesHost) {
    this.#options = options
    this.#host = host
    this.#rooms = new Rooms(host, () => options.holder.identity.login, {
      join: ({ name }, { params }) => this.#lineOf(name, params).link.tell('connect'),
      leave: ({ name }) => this.#leave(name),
      send: ({ name }, data, sending) =>
        this.#lines.get(name)?.send(undefined, data, sending) ?? this.send(),
      history: noHistory,
    })
  }

  get states(): readonly LinkState[] {
    return [...this.#lines.values()].map(({ link }) => link.state)
  }

  get identity(): Identity {
    return this.#options.holder.identity
  }

  get where(): string | undefined {
    for (const { link } of this.#lines.values()) return link.where
    return undefined
  }

  tell(verb: LinkVerb): void {
    for (const { link } of [...this.#lines.values()]) link.tell(verb)
  }

  send(): Promise<unknown> {
    return Promise.reject(
      new NotConnectedError(
        'every room has a socket of its own: join the room first, and send in it',
      ),
    )
  }

  call(): Promise<unknown> {
    return this.send()
  }

  room(name: string): Room {
    return this.#rooms.room(name)
  }

  forget(since: number): void {
    this.#rooms.forget(since)
  }

  #lineOf(room: string, params: unknown): Line {
    const known = this.#lines.get(room)
    if (known) return known
    const context = { room, ...(params !== undefined && { params }) }
    const line: Line = new Line(this.#options, context, this.#host, {
      changed: (next, previous) => this.#changed(room, line, next, previous),
      incoming: (message) => this.#incoming(room, message),
      failed: (error) => this.#host.report(error),
      ...ROOM_IN_URL,
    })
    this.#lines.set(room, line)
    return line
  }

  #leave(room: string): void {
    const line = this.#lines.get(room)
    this.#lines.delete(room)
    line?.link.tell('disconnect')
  }

  #changed(room: string, line: Line, next: LinkState, previous: LinkState): void {
    const isUp = next.kind === 'connected'
    if (previous.kind === 'connected' && !isUp)
      this.#rooms.tell(room, (control) => control.interrupted())
    this.#host.refresh()
    if (isUp && previous.kind !== 'connected')
      this.#rooms.tell(room, (control) => {
        const rejoined = isReconnect(next, previous)
        control.joined(rejoined)
        if (rejoined) control.missed({ reason: 'no-recovery' })
      })
    if (next.kind === 'refused') {
      const cause = errorOf(next.problem, line.link.where)
      const error = new RoomError(`room ${room} is closed to this user`, room, 'refused', { cause })
      this.#rooms.tell(room, (control) => control.refused(error))
    }
    if (next.kind === 'failed')
      this.#rooms.tell(room, (control) => control.failed(errorOf(next.problem, line.link.where)))
  }

  #incoming(room: string, message: Incoming): void {
    if (message.kind === 'message') this.#rooms.get(room)?.receive(message.data, message.meta)
    else this.#host.misread(message)
  }
}

/** Every room has a socket of its own, with its name in the URL. */
export const linePerRoom: LinesMaker = {
  kind: 'per-socket',
  make: (options, host) => new RoomLines(options, host),
}
