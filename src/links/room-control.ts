/** The socket's side of a room: its state, and what its user hears. */
import { NotConnectedError } from '../errors.ts'
import type { MessageMeta } from '../protocols/protocol.ts'
import { Channel, type Gap } from '../shell/channel.ts'
import type { Outcome } from '../shell/waiters.ts'
import type { SendOptions } from './delivery.ts'

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
  error: Error
}

export interface JoinOptions {
  /** Given to a URL function, or sent with the join. */
  readonly params?: unknown
  /** Gives up, and leaves the room if it was not joined by then. */
  readonly signal?: AbortSignal
}

/** What a room needs of its socket. */
export interface RoomPort {
  join(control: RoomControl, options: JoinOptions): Promise<void>
  leave(control: RoomControl): void
  send(control: RoomControl, data: unknown, options: SendOptions | undefined): Promise<void>
}

export const NO_META: MessageMeta = /* @__PURE__ */ Object.freeze({})

export class RoomControl {
  readonly name: string
  readonly channel: Channel<Message<unknown>, RoomEvents<unknown>>
  /** Joins that were not settled yet. */
  waiting = 0
  #state: RoomState = 'idle'
  /** Why it is not joined, where there is more to say than that nobody asked. */
  #refusal: Error | undefined

  constructor(name: string, report: (error: unknown) => void) {
    this.name = name
    this.channel = new Channel(report)
  }

  get state(): RoomState {
    return this.#state
  }

  receive(data: unknown, meta: MessageMeta = NO_META): void {
    this.channel.push({ data, meta })
  }

  joining(): void {
    this.#state = 'joining'
    this.#refusal = undefined
    this.channel.hold()
  }

  joined(rejoined: boolean): void {
    this.#state = 'joined'
    this.channel.emit('joined', { rejoined })
    if (rejoined) this.channel.emit('gap', { reason: 'no-recovery' })
  }

  /** Wanted still, and on its way back. */
  interrupted(): void {
    if (this.#state === 'joined') this.#state = 'joining'
  }

  /** The room's socket gave up. A new sign-in may bring it back. */
  failed(error: Error): void {
    this.#state = 'idle'
    this.#refusal = error
    this.channel.endStreams(error)
  }

  left(reason: RoomEvents<unknown>['left']['reason']): void {
    const wasThere = this.#state !== 'idle'
    this.#state = 'idle'
    if (reason === 'signed-out') {
      this.#refusal = undefined
      this.channel.forget()
    }
    if (!wasThere) return
    this.channel.emit('left', { reason })
    this.channel.endStreams()
  }

  refused(error: Error): void {
    this.#state = 'refused'
    this.#refusal = error
    this.channel.emit('left', { reason: 'refused' })
    this.channel.endStreams(error)
  }

  /** What became of a join. */
  get outcome(): Outcome {
    if (this.#state === 'joined') return { done: true }
    if (this.#state === 'joining') return undefined
    return { error: this.#refusal ?? new NotConnectedError(`room ${this.name} was left`) }
  }

  /** Why nothing can be sent here, if nothing can. */
  get obstacle(): Error | undefined {
    if (this.#state === 'joined' || this.#state === 'joining') return undefined
    return (
      this.#refusal ??
      new NotConnectedError(`room ${this.name} is not joined: await room.join() first`)
    )
  }
}
