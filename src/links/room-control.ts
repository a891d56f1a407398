/** The socket's side of a room: its state, and what its user hears. */
import type { Membership } from '../core/membership.ts'
import { type Member, Presence, type PresenceChange, type PresenceEntry } from '../core/presence.ts'
import { endedByUser, NotConnectedError } from '../errors.ts'
import type { MessageMeta } from '../protocols/protocol.ts'
import { Channel, type Gap } from '../shell/channel.ts'
import type { Outcome } from '../shell/waiters.ts'
import type { HistoryOptions, MessageOptions, Receipt } from './order.ts'

/** `joining` also while the connection is lost: the room is wanted, and comes back by itself. */
export type RoomState = 'idle' | 'joining' | 'joined' | 'refused'

export interface Message<Data> {
  readonly data: Data
  /** What the server says about it; an empty object where it says nothing. */
  readonly meta: MessageMeta
}

export interface RoomEvents<Data> {
  message: Message<Data>
  /** `rejoined`: the room was joined before, and the connection was lost meanwhile. */
  joined: { readonly rejoined: boolean }
  left: { readonly reason: 'left' | 'refused' | 'signed-out' }
  /** Messages may be missing. */
  gap: Gap
  /** Members came, went, or show something else. For rooms that were joined with `presence`. */
  presence: PresenceChange
  error: Error
}

export interface JoinOptions {
  /** Given to a URL function, or sent with the join. */
  readonly params?: unknown
  /**
   * Shows this client to the room's members with this object, and brings `room.members`. On a joined room it
   * changes what they see. For `multiplexed()` and servers that offer it.
   */
  readonly presence?: object
  /** Gives up, and leaves the room if it was not joined by then. */
  readonly signal?: AbortSignal
}

/** What a room needs of its socket. */
export interface RoomPort {
  join(control: RoomControl, options: JoinOptions): Promise<void>
  leave(control: RoomControl): void
  send(control: RoomControl, data: unknown, options: MessageOptions | undefined): Promise<Receipt>
  history(control: RoomControl, options: HistoryOptions): Promise<unknown>
}

/** What all rooms of a socket have in common. */
export interface RoomHost {
  /** Of this number is what is asked for now. */
  login(): number
  /** @param by whose doing it was @param isHeard somebody of the room has heard it */
  report(error: unknown, by?: string, isHeard?: boolean): void
}

const EVENTS = ['message', 'joined', 'left', 'gap', 'presence', 'error']

export const NO_META: MessageMeta = /* @__PURE__ */ Object.freeze({})

/** Ten thousand of these may be idle: what only some rooms need is made when it is needed. */
export class RoomControl {
  readonly name: string
  /** Joins that were not settled yet. */
  waiting = 0
  /** On a socket that carries many rooms. */
  membership: Membership | undefined
  #presence: Presence | undefined
  #channel: Channel<Message<unknown>, RoomEvents<unknown>> | undefined
  /** Messages wait for their first listener; a timer: for not much longer. */
  #hold: 'held' | ReturnType<typeof setTimeout> | undefined
  #state: RoomState = 'idle'
  /** Why it is not joined, where there is more to say than that nobody asked. */
  #refusal: Error | undefined
  /** The login under which it was first asked for, and how it was last asked for. */
  #wanted: { readonly since: number; readonly last: number; readonly by: JoinOptions } | undefined
  readonly #host: RoomHost

  constructor(name: string, host: RoomHost) {
    this.name = name
    this.#host = host
  }

  get state(): RoomState {
    return this.#state
  }

  get channel(): Channel<Message<unknown>, RoomEvents<unknown>> {
    if (this.#channel === undefined) {
      this.#channel = new Channel(EVENTS, this.#host.report)
      if (this.#hold !== undefined) this.#channel.hold()
      if (this.#hold !== undefined && this.#hold !== 'held') this.#channel.expire()
    }
    return this.#channel
  }

  stream(): AsyncIterableIterator<Message<unknown>> {
    return this.channel.stream(this.#host.login())
  }

  get members(): readonly Member[] {
    return this.#presence?.members ?? []
  }

  /** The hot path. Where nobody listens, or is about to, there is nothing to do. */
  receive(data: unknown, meta: MessageMeta = NO_META): void {
    if (this.#channel !== undefined) this.#channel.push({ data, meta })
    else if (this.#hold !== undefined) this.channel.push({ data, meta })
  }

  /** Was it wanted by who was here before that login, or by nobody since? */
  isOld(since: number): boolean {
    return this.#wanted === undefined || this.#wanted.since < since
  }

  /**
   * Somebody else is here since that login.
   *
   * @returns how to join it again, where it was asked for since then
   */
  forget(since: number): JoinOptions | undefined {
    this.#channel?.forget(since)
    if (!this.isOld(since)) return undefined
    const { last = -1, by } = this.#wanted ?? {}
    this.left('signed-out')
    return last < since ? undefined : by
  }

  joining(by: JoinOptions): void {
    const login = this.#host.login()
    this.#wanted = { since: this.#wanted?.since ?? login, last: login, by }
    if (this.#state === 'joined') return
    this.#state = 'joining'
    this.#refusal = undefined
    this.#release()
    this.#hold = 'held'
    this.#channel?.hold()
  }

  /** The promise that the user awaited is about to resolve. */
  expire(): void {
    if (this.#hold === undefined) return
    this.#release()
    this.#hold = setTimeout(() => this.#release(), 0)
    this.#channel?.expire()
  }

  joined(rejoined: boolean): void {
    this.#state = 'joined'
    this.#refusal = undefined
    this.#channel?.emit('joined', { rejoined })
  }

  missed(gap: Gap): void {
    this.#channel?.emit('gap', gap)
  }

  /** Are these members as they were before what is known already? */
  isPast(version: number): boolean {
    return version < (this.#presence?.version ?? version)
  }

  /** All members as they are now. */
  met(version: number, entries: readonly PresenceEntry[]): void {
    this.#presence ??= new Presence()
    this.#changed(this.#presence.reset(version, entries))
  }

  /** @returns `false` when changes are missing */
  sawChange(...change: Parameters<Presence['apply']>): boolean {
    const seen = this.#presence?.apply(...change)
    if (typeof seen === 'object') this.#changed(seen)
    return seen !== 'hole'
  }

  /** Wanted still, and on its way back. */
  interrupted(): void {
    if (this.#state === 'joined') this.#state = 'joining'
  }

  /** The room's socket gave up. A new sign-in may bring it back. */
  failed(error: Error): void {
    this.#state = 'idle'
    this.#refusal = error
    this.#channel?.endStreams(error)
  }

  left(reason: RoomEvents<unknown>['left']['reason']): void {
    this.#presence = undefined
    this.membership = undefined
    const isSignedOut = reason === 'signed-out'
    // After a failure it is idle, and would have come back.
    const wasThere = this.#state !== 'idle' || (isSignedOut && this.#wanted !== undefined)
    this.#state = 'idle'
    this.#wanted = undefined
    if (isSignedOut) this.#refusal = undefined
    if (!wasThere) return
    this.#channel?.emit('left', { reason })
    if (!isSignedOut) this.#channel?.endStreams()
  }

  refused(error: Error): void {
    this.#presence = undefined
    this.#refusal = error
    if (this.#state === 'refused') return
    this.#state = 'refused'
    this.#channel?.emit('left', { reason: 'refused' })
    this.#channel?.endStreams(error)
    // Whoever asked for it hears it by the promise.
    if (this.waiting === 0) this.tell(error)
  }

  tell(error: Error, by?: string): void {
    const channel = this.#channel
    channel?.emit('error', error)
    this.#host.report(error, by, (channel?.listenerCount('error') ?? 0) > 0)
  }

  /** What became of a join. */
  get outcome(): Outcome {
    if (this.#state === 'joined') return { done: true }
    if (this.#state === 'joining') return undefined
    return { error: this.#refusal ?? endedByUser(`room ${this.name} was left`) }
  }

  /** Why nothing can be sent here, if nothing can. */
  get obstacle(): Error | undefined {
    if (this.#state === 'joined' || this.#state === 'joining') return undefined
    return (
      this.#refusal ??
      new NotConnectedError(`room ${this.name}: join the room first: await room.join()`)
    )
  }

  #changed(change: PresenceChange): void {
    const { joined, left, updated } = change
    if (joined.length + left.length + updated.length > 0) this.#channel?.emit('presence', change)
  }

  #release(): void {
    if (this.#hold !== 'held') clearTimeout(this.#hold)
    this.#hold = undefined
  }
}
