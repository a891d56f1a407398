/** One socket for all rooms. */
import { Memberships } from '../core/membership.ts'
import { NotConnectedError, RoomError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Incoming } from '../protocols/protocol.ts'
import type { Room } from '../room.ts'
import { callAt } from '../shell/timers.ts'
import type { LinesHost, LinesMaker } from './lines.ts'
import { OneLine } from './one-line.ts'
import { Rooms } from './rooms.ts'

const ROOMS_PER_JOIN = 100

class SharedLine extends OneLine {
  readonly #answerMs: number
  readonly #rooms: Rooms
  readonly #members = new Memberships()
  readonly #joinedBefore = new Set<string>()
  /** Joins that wait for their answer, each with what ends its wait. */
  readonly #asked = new Map<number, { rooms: Set<string>; stop: () => void }>()
  #roomsPerJoin = ROOMS_PER_JOIN

  constructor(options: Resolved, host: LinesHost) {
    super(options, host)
    this.#answerMs = options.requestTimeoutMs
    this.#rooms = new Rooms(host, {
      join: (room, params) => this.#join(room, params),
      leave: (room) => this.#leave(room),
      send: (room, data, sending) => this.line.send(room, data, sending),
    })
  }

  override room(name: string): Room {
    return this.#rooms.room(name)
  }

  override forgetRooms(): void {
    this.#rooms.forget()
  }

  protected override isReady(room: string | undefined): boolean {
    return room === undefined || this.#members.stateOf(room) === 'joined'
  }

  protected override connected(): void {
    this.#ask()
  }

  protected override interrupted(): void {
    for (const { stop } of this.#asked.values()) stop()
    this.#asked.clear()
    this.#members.interrupted()
    this.#rooms.interrupted()
  }

  protected override failed(error: Error): void {
    this.#rooms.failed(error)
  }

  protected override incoming(message: Incoming): void {
    switch (message.kind) {
      case 'message':
        // A frame of a room that was left meanwhile finds nobody.
        if (message.room === undefined) super.incoming(message)
        else this.#rooms.get(message.room)?.receive(message.data, message.meta)
        break
      case 'welcome':
        this.#roomsPerJoin = message.limits?.roomsPerJoin ?? ROOMS_PER_JOIN
        break
      case 'joined':
        this.#joined(message.room)
        break
      case 'error':
        if (message.room !== undefined && this.#members.stateOf(message.room) === 'asked')
          this.#refuse(message.room, message.code, message.message)
        else super.incoming(message)
        break
      default:
        super.incoming(message)
    }
  }

  #join(room: string, params: unknown): void {
    this.#members.want(params === undefined ? { room } : { room, params })
    this.tell('connect')
    if (this.line.isConnected) this.#ask()
  }

  #leave(room: string): void {
    const { codec, link } = this.line
    const asked = this.#members.stateOf(room)
    if (this.line.isConnected && (asked === 'asked' || asked === 'joined') && codec.leave)
      link.write(codec.leave(room, this.line.nextId()))
    this.#forget(room)
    this.line.end(new NotConnectedError('not sent: the room was left'), room)
  }

  /** Joins what is wanted, in as few frames as the server takes. */
  #ask(): void {
    const { codec, link } = this.line
    if (codec.join === undefined) return
    for (const members of this.#members.ask(this.#roomsPerJoin)) {
      const id = this.line.nextId()
      const rooms = new Set(members.map(({ room }) => room))
      const stop = callAt(Date.now() + this.#answerMs, () => this.#unanswered(id))
      this.#asked.set(id, { rooms, stop })
      link.write(codec.join(members, id))
    }
  }

  #unanswered(id: number): void {
    for (const room of this.#asked.get(id)?.rooms ?? [])
      this.#refuse(room, 'timeout', 'the server did not answer the join')
    this.#asked.delete(id)
  }

  #joined(room: string): void {
    if (!this.#members.joined(room)) return
    this.#answered(room)
    const rejoined = this.#joinedBefore.has(room)
    this.#rooms.tell(room, (control) => control.joined(rejoined))
    this.#joinedBefore.add(room)
    this.line.flush()
  }

  #refuse(room: string, code: string, text: string): void {
    const error = new RoomError(`room ${room} was refused: ${text}`, room, code)
    this.#forget(room)
    this.line.end(error, room)
    this.#rooms.tell(room, (control) => control.refused(error))
  }

  #forget(room: string): void {
    this.#members.forget(room)
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

/** One socket carries all rooms; the server joins and leaves them by frames. */
export const roomsOnOneSocket: LinesMaker = {
  kind: 'shared',
  make: (options, host) => new SharedLine(options, host),
}
