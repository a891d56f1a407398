/** The rooms of one `AuthedSocket`, whatever sockets carry them. */
import { Room } from '../room.ts'
import { throwIfAborted } from '../shell/abort.ts'
import { told } from '../shell/reports.ts'
import { failed } from '../shell/waiters.ts'
import type { LinesHost } from './lines.ts'
import type { HistoryOptions, MessageOptions, Receipt } from './order.ts'
import { type JoinOptions, RoomControl, type RoomHost, type RoomPort } from './room-control.ts'

/** What carries the rooms. */
export interface RoomCarrier {
  /** Before anything changes. @throws what `join()` is to be rejected with */
  check?(options: JoinOptions): void
  join(control: RoomControl, options: JoinOptions): void
  leave(control: RoomControl): void
  /** Resolves with the receipt, where there are any. */
  send(control: RoomControl, data: unknown, options: MessageOptions | undefined): Promise<unknown>
  history(control: RoomControl, options: HistoryOptions): Promise<unknown>
}

class HeldRoom extends RoomControl {
  readonly room: Room

  constructor(name: string, host: RoomHost, port: RoomPort) {
    super(name, host)
    this.room = new Room(this, port)
  }
}

export class Rooms implements RoomPort {
  readonly #rooms = new Map<string, HeldRoom>()
  readonly #host: LinesHost
  readonly #login: () => number
  readonly #carrier: RoomCarrier

  constructor(host: LinesHost, login: () => number, carrier: RoomCarrier) {
    this.#host = host
    this.#login = login
    this.#carrier = carrier
  }

  /** The same object for the same name. */
  room(name: string): Room {
    const known = this.#rooms.get(name)
    if (known) return known.room
    if (typeof name !== 'string' || name === '')
      throw new TypeError('room: the name must be a non-empty string')
    const control = new HeldRoom(name, { report: this.#host.report, login: this.#login }, this)
    this.#rooms.set(name, control)
    return control.room
  }

  get controls(): Iterable<RoomControl> {
    return this.#rooms.values()
  }

  /** Something happened to a room: its waiting joins look again. */
  tell(name: string, what: (control: RoomControl) => void): void {
    const known = this.#rooms.get(name)
    if (known) what(known)
    this.#host.waiters.lookAt(known)
  }

  /** The hot path. */
  get(name: string): RoomControl | undefined {
    return this.#rooms.get(name)
  }

  interrupted(): void {
    for (const control of this.#rooms.values()) control.interrupted()
  }

  /** The one socket gave up: so do all rooms that were on their way. */
  failed(error: Error): void {
    for (const control of this.#rooms.values())
      if (control.state === 'joining') control.failed(error)
    this.#host.waiters.look()
  }

  /** Of who was here before that login nothing is left. */
  forget(since: number): void {
    for (const control of [...this.#rooms.values()]) {
      if (control.isOld(since)) this.#carrier.leave(control)
      const again = control.forget(since)
      if (again) this.#ask(control, again)
      this.#host.waiters.lookAt(control)
    }
  }

  join(control: RoomControl, options: JoinOptions): Promise<void> {
    return this.#handled(control, 'join()', options, this.#join(control, options))
  }

  leave(control: RoomControl): void {
    this.#carrier.leave(control)
    control.left('left')
    this.#host.waiters.lookAt(control)
    this.#host.refresh()
  }

  send(control: RoomControl, data: unknown, options?: MessageOptions): Promise<Receipt> {
    return this.#handled(control, 'send()', options, this.#send(control, data, options))
  }

  history(control: RoomControl, options: HistoryOptions): Promise<unknown> {
    return this.#handled(control, 'history()', options, this.#history(control, options))
  }

  #handled<Value>(
    control: RoomControl,
    by: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
    promise: Promise<Value>,
  ): Promise<Value> {
    return told(promise, (error) => control.tell(error, by), signal)
  }

  async #join(control: RoomControl, options: JoinOptions): Promise<void> {
    const { signal, presence } = options
    throwIfAborted(signal)
    this.#host.throwIf('failed')
    this.#carrier.check?.(options)
    // First of all: it may show that somebody else is here.
    this.#host.want()
    if (control.state !== 'joined' || presence !== undefined) this.#ask(control, options)
    control.waiting++
    try {
      const outcome = () => control.outcome ?? failed(this.#host.outcome())
      await this.#host.waiters.wait(outcome, signal, control)
    } catch (error) {
      // Others may wait for the same room.
      const isLast = control.waiting === 1 && control.state === 'joining'
      if (signal?.aborted && isLast) this.leave(control)
      throw error
    } finally {
      control.waiting--
    }
    control.expire()
  }

  #ask(control: RoomControl, options: JoinOptions): void {
    control.joining(options)
    this.#carrier.join(control, options)
    this.#host.refresh()
  }

  async #send(control: RoomControl, data: unknown, options?: MessageOptions): Promise<Receipt> {
    this.#check(control)
    // The line answers with nothing else; `undefined` where the protocol has no acknowledgements.
    return ((await this.#carrier.send(control, data, options)) as Receipt | undefined) ?? {}
  }

  /** What the user has to do first comes first. */
  #check({ obstacle }: RoomControl): void {
    this.#host.throwIf('failed')
    if (obstacle) throw obstacle
    this.#host.throwIf('idle')
  }

  async #history(control: RoomControl, options: HistoryOptions): Promise<unknown> {
    this.#check(control)
    return this.#carrier.history(control, options)
  }
}
