/** A room, as the user holds it. One object for each name, for as long as the socket lives. */

import type { Member } from './core/presence.ts'
import type { HistoryOptions, MessageOptions, Receipt } from './links/order.ts'
import type {
  JoinOptions,
  Message,
  RoomControl,
  RoomEvents,
  RoomPort,
  RoomState,
} from './links/room-control.ts'
import type { Channel } from './shell/channel.ts'
import type { ListenOptions } from './shell/emitter.ts'

/** Messages of a room from before now, oldest first. */
export interface History<Data> {
  readonly messages: ReadonlyArray<Message<Data>>
  /** The server has older ones: ask with `before: messages[0].meta.seq`. */
  readonly more: boolean
}

/**
 * `join()` it, listen, `send()`. What was asked for survives reconnects: the room is joined again by
 * itself, and says `gap` when messages may be missing.
 */
export class Room<Send = unknown, Data = unknown> implements AsyncIterable<Message<Data>> {
  readonly #control: RoomControl
  readonly #port: RoomPort

  /** @internal Rooms are made by `socket.room(name)`. */
  constructor(control: RoomControl, port: RoomPort) {
    this.#control = control
    this.#port = port
  }

  get name(): string {
    return this.#control.name
  }

  get state(): RoomState {
    return this.#control.state
  }

  /** Who is here, this client included. Empty unless joined with `presence`. */
  get members(): readonly Member[] {
    return this.#control.members
  }

  /**
   * Joins, and connects when needed. Resolves when joined, at once if it is already.
   *
   * What arrives from now on is held for the first listener or iterator, at most until one macrotask after
   * the promise resolved.
   *
   * @throws {RoomError} ROOM: the room is closed to this user
   * @throws {NotConnectedError} NOT_CONNECTED: left or disconnected meanwhile
   * @throws the socket's own error when it has failed
   */
  join(options: JoinOptions = {}): Promise<void> {
    return this.#port.join(this.#control, options)
  }

  /** Leaves for good, whoever joined. Queued sends are rejected; iterators end. */
  leave(): void {
    this.#port.leave(this.#control)
  }

  /**
   * Sends. Resolves when the server acknowledged, where the protocol has acknowledgements; otherwise when
   * the frame was handed to the network, which is no promise that it arrived. With `multiplexed()` a send
   * whose connection is lost is sent again under the same id, and arrives once.
   *
   * @throws {TypeError} something in it has no JSON, and is no binary frame either; its place is named
   * @throws {NotConnectedError} NOT_CONNECTED: not joined, or lost before it was sent
   * @throws {SendUnknownError} SEND_UNKNOWN: sent, and no answer came
   * @throws {OutboxFullError} OUTBOX_FULL
   * @throws {RequestFailedError} REQUEST_FAILED: the server refused it, or takes no frame of that size
   */
  send(data: Send, options?: MessageOptions): Promise<Receipt> {
    return this.#port.send(this.#control, data, options)
  }

  /**
   * Messages from before. For `multiplexed()` and servers that keep them.
   *
   * @throws {RequestFailedError} REQUEST_FAILED: the server keeps none, or refused
   */
  history(options: HistoryOptions = {}): Promise<History<Data>> {
    // The codec checked its shape; the type of the data is the user's word about the server.
    return this.#port.history(this.#control, options) as Promise<History<Data>>
  }

  /** @returns unsubscribe */
  on<Name extends keyof RoomEvents<Data>>(
    name: Name,
    listener: (payload: RoomEvents<Data>[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    return this.#channel.on(name, listener, options)
  }

  once<Name extends keyof RoomEvents<Data>>(
    name: Name,
    listener: (payload: RoomEvents<Data>[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    return this.#channel.once(name, listener, options)
  }

  off<Name extends keyof RoomEvents<Data>>(
    name: Name,
    listener: (payload: RoomEvents<Data>[Name]) => unknown,
  ): void {
    this.#channel.off(name, listener)
  }

  /**
   * Messages from now on, through a queue of this iterator's own (1,000; past it `gap`). Survives
   * reconnects; ends on leave and logout, throws when the room is refused. `break` does not leave the room.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message<Data>> {
    // As with the channel.
    return this.#control.stream() as AsyncIterableIterator<Message<Data>>
  }

  get #channel(): Channel<Message<Data>, RoomEvents<Data>> {
    // The type of the data is the user's word about the server; nothing here could check it.
    return this.#control.channel as unknown as Channel<Message<Data>, RoomEvents<Data>>
  }
}
