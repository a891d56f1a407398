/** One socket for everything: without rooms (`plain`), or with all of them (`multiplexed`). */
import { Memberships } from '../core/membership.ts'
import type { Identity } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import { NotConnectedError, RoomError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Incoming } from '../protocols/protocol.ts'
import { isReconnect, Line, type SendOptions } from './line.ts'
import type { Lines, LinesListener } from './lines.ts'
import { callAt } from './timers.ts'

const ROOMS_PER_JOIN = 100

export class SharedLine implements Lines {
  readonly #options: Resolved
  readonly #listener: LinesListener
  readonly #line: Line
  readonly #rooms = new Memberships()
  readonly #joinedBefore = new Set<string>()
  /** Joins that wait for their answer, each with what ends its wait. */
  readonly #asked = new Map<number, { rooms: Set<string>; stop: () => void }>()
  #roomsPerJoin = ROOMS_PER_JOIN

  constructor(options: Resolved, clientId: string, listener: LinesListener) {
    this.#options = options
    this.#listener = listener
    this.#line = new Line(
      options,
      { clientId },
      {
        changed: (next, previous) => this.#changed(next, previous),
        incoming: (message) => this.#incoming(message),
        failed: (error) => listener.error(error),
        isReady: (room) => room === undefined || this.#rooms.stateOf(room) === 'joined',
      },
    )
  }

  get states(): readonly LinkState[] {
    return [this.#line.link.state]
  }

  get identity(): Identity {
    return this.#line.identity
  }

  get where(): string | undefined {
    return this.#line.link.where
  }

  connect(): void {
    this.#line.link.tell('connect')
  }

  disconnect(): void {
    this.#line.link.tell('disconnect')
  }

  reconnect(): void {
    this.#line.link.tell('reconnect')
  }

  redial(): void {
    this.#line.link.tell('redial')
  }

  nudge(): void {
    this.#line.link.tell('nudge')
  }

  join(room: string, params: unknown): void {
    this.#rooms.want(params === undefined ? { room } : { room, params })
    this.connect()
    if (this.#line.isConnected) this.#ask()
  }

  leave(room: string): void {
    const { codec, link } = this.#line
    if (this.#line.isConnected && this.#rooms.stateOf(room) !== 'wanted' && codec.leave)
      link.write(codec.leave(room, this.#line.nextId()))
    this.#forget(room)
    this.#line.end(new NotConnectedError('not sent: the room was left'), room)
  }

  send(room: string | undefined, data: unknown, options?: SendOptions): Promise<unknown> {
    return this.#line.send(room, data, options)
  }

  call(type: string, payload: unknown, options?: SendOptions): Promise<unknown> {
    return this.#line.call(type, payload, options)
  }

  #changed(next: LinkState, previous: LinkState): void {
    if (previous.kind === 'connected' && next.kind !== 'connected') this.#interrupted()
    if (next.kind === 'connected' && previous.kind !== 'connected') this.#ask()
    this.#listener.changed(next, previous)
    if (isReconnect(next, previous)) this.#listener.reconnected()
  }

  #interrupted(): void {
    for (const { stop } of this.#asked.values()) stop()
    this.#asked.clear()
    this.#rooms.interrupted()
    for (const room of this.#rooms.rooms()) this.#listener.interrupted(room)
  }

  /** Joins what is wanted, in as few frames as the server takes. */
  #ask(): void {
    const { codec, link } = this.#line
    if (codec.join === undefined) return
    for (const members of this.#rooms.ask(this.#roomsPerJoin)) {
      const id = this.#line.nextId()
      const rooms = new Set(members.map(({ room }) => room))
      const stop = callAt(Date.now() + this.#options.requestTimeoutMs, () => this.#unanswered(id))
      this.#asked.set(id, { rooms, stop })
      link.write(codec.join(members, id))
    }
  }

  #unanswered(id: number): void {
    for (const room of this.#asked.get(id)?.rooms ?? [])
      this.#refuse(room, 'timeout', 'the server did not answer the join')
    this.#asked.delete(id)
  }

  #incoming(message: Incoming): void {
    switch (message.kind) {
      case 'message':
        return this.#listener.message(message.room, message.data, message.meta)
      case 'welcome':
        this.#roomsPerJoin = message.limits?.roomsPerJoin ?? ROOMS_PER_JOIN
        return
      case 'joined':
        return this.#joined(message.room)
      case 'error':
        if (message.room !== undefined && this.#rooms.stateOf(message.room) === 'asked')
          return this.#refuse(message.room, message.code, message.message)
        return this.#listener.error(
          new RoomError(message.message, message.room ?? '', message.code),
        )
      case 'unreadable':
        return this.#listener.error(
          new TypeError(`the server sent what is no frame: ${message.detail}`),
        )
    }
  }

  #joined(room: string): void {
    if (!this.#rooms.joined(room)) return
    this.#answered(room)
    this.#listener.joined(room, this.#joinedBefore.has(room))
    this.#joinedBefore.add(room)
    this.#line.flush()
  }

  #refuse(room: string, code: string, text: string): void {
    const error = new RoomError(`room ${room} was refused: ${text}`, room, code)
    this.#forget(room)
    this.#line.end(error, room)
    this.#listener.refused(room, error)
  }

  #forget(room: string): void {
    this.#rooms.forget(room)
    this.#joinedBefore.delete(room)
    this.#answered(room)
  }

  #answered(room: string): void {
    for (const [id, { rooms, stop }] of this.#asked) {
      rooms.delete(room)
      if (rooms.size > 0) continue
      stop()
      this.#asked.delete(id)
    }
  }
}
