/** The rooms of one `AuthedSocket`, whatever sockets carry them. */
import { Room } from '../room.ts'
import { failed, throwFailure } from '../shell/waiters.ts'
import type { SendOptions } from './delivery.ts'
import type { LinesHost } from './lines.ts'
import { type JoinOptions, RoomControl, type RoomPort } from './room-control.ts'

/** What carries the rooms. */
export interface RoomCarrier {
  join(room: string, params: unknown): void
  leave(room: string): void
  send(room: string, data: unknown, options: SendOptions | undefined): Promise<unknown>
}

export class Rooms implements RoomPort {
  readonly #rooms = new Map<string, { readonly control: RoomControl; readonly room: Room }>()
  readonly #host: LinesHost
  readonly #carrier: RoomCarrier

  constructor(host: LinesHost, carrier: RoomCarrier) {
    this.#host = host
    this.#carrier = carrier
  }

  /** The same object for the same name. */
  room(name: string): Room {
    const known = this.#rooms.get(name)
    if (known) return known.room
    if (typeof name !== 'string' || name === '')
      throw new TypeError('room: the name must be a non-empty string')
    const control = new RoomControl(name, (error) => this.#host.report(error))
    const room = new Room(control, this)
    this.#rooms.set(name, { control, room })
    return room
  }

  /** Something happened to a room: its waiting joins look again. */
  tell(name: string, what: (control: RoomControl) => void): void {
    const known = this.#rooms.get(name)
    if (known) what(known.control)
    this.#host.waiters.look()
  }

  /** The hot path. */
  get(name: string): RoomControl | undefined {
    return this.#rooms.get(name)?.control
  }

  interrupted(): void {
    for (const { control } of this.#rooms.values()) control.interrupted()
  }

  /** The one socket gave up: so do all rooms that were on their way. */
  failed(error: Error): void {
    for (const { control } of this.#rooms.values())
      if (control.state === 'joining') control.failed(error)
    this.#host.waiters.look()
  }

  forget(): void {
    for (const [name, { control }] of this.#rooms) {
      this.#carrier.leave(name)
      control.left('signed-out')
    }
  }

  join(control: RoomControl, options: JoinOptions): Promise<void> {
    return this.#handled(control, this.#join(control, options))
  }

  leave(control: RoomControl): void {
    this.#carrier.leave(control.name)
    control.left('left')
    this.#host.waiters.look()
    this.#host.refresh()
  }

  send(control: RoomControl, data: unknown, options?: SendOptions): Promise<void> {
    return this.#handled(control, this.#send(control, data, options))
  }

  #handled<Value>(control: RoomControl, promise: Promise<Value>): Promise<Value> {
    promise.catch((error: Error) => control.channel.emit('error', error))
    return this.#host.handled(promise)
  }

  async #join(control: RoomControl, { params, signal }: JoinOptions): Promise<void> {
    signal?.throwIfAborted()
    this.#host.throwIfFailed()
    if (control.state !== 'joined') {
      control.joining()
      this.#host.want()
      this.#carrier.join(control.name, params)
      this.#host.refresh()
    }
    control.waiting++
    try {
      await this.#host.waiters.wait(() => control.outcome ?? failed(this.#host.outcome()), signal)
    } catch (error) {
      // Others may wait for the same room.
      const isLast = control.waiting === 1 && control.state === 'joining'
      if (signal?.aborted && isLast) this.leave(control)
      throw error
    } finally {
      control.waiting--
    }
    control.channel.expire()
  }

  async #send(control: RoomControl, data: unknown, options?: SendOptions): Promise<void> {
    throwFailure(this.#host.outcome())
    if (control.obstacle) throw control.obstacle
    await this.#carrier.send(control.name, data, options)
  }
}
