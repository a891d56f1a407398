/** A room, as the user holds it. One object for each name, for as long as the socket lives. */

import type { SendOptions } from './links/delivery.ts'
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

/**
 * `join()` it, listen, `send()`. What was asked for survives reconnects: the room is joined again by
 * itself, and says `gap` when messages may be missing.
 */
export class Room<Send = unknown, Data = unknown> implements AsyncIterable<Message<Data>> {
  readonly #control: RoomControl
  readonly #channel: Channel<Message<Data>, RoomEvents<Data>>
  readonly #port: RoomPort

  /** @internal Rooms are made by `socket.room(name)`. */
  constructor(control: RoomControl, port: RoomPort) {
    this.#control = control
    // The type of the data is the user's word about the server; nothing here could check it.
    this.#channel = control.channel as unknown as Channel<Message<Data>, RoomEvents<Data>>
    this.#port = port
  }

  get name(): string {
    return this.#control.name
  }

  get state(): RoomState {
    return this.#control.state
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
   * the frame was handed to the network, which is no promise that it arrived.
   *
   * @throws {NotConnectedError} NOT_CONNECTED: not joined, or lost before it was sent
   * @throws {SendUnknownError} SEND_UNKNOWN: sent, and no answer came
   * @throws {OutboxFullError} OUTBOX_FULL
   * @throws {RequestFailedError} REQUEST_FAILED: the server refused it
   */
  send(data: Send, options?: SendOptions): Promise<void> {
    return this.#port.send(this.#control, data, options)
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
    return this.#channel.stream()
  }
}
