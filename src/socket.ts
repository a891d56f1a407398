/** `AuthedSocket`: the public verbs and events, and their types. */

import { Connection } from './connection.ts'
import { checkStaticUrl } from './links/handshake.ts'
import type { CallOptions, MessageOptions } from './links/order.ts'
import type { JoinOptions, Message } from './links/room-control.ts'
import { type AuthedSocketOptions, resolveOptions } from './options.ts'
import type { Room } from './room.ts'
import type { Channel } from './shell/channel.ts'
import type { ListenOptions } from './shell/emitter.ts'
import { handled } from './shell/promises.ts'
import type { SocketEvents, Status } from './status.ts'
import type {
  RequestName,
  RequestOf,
  ResponseOf,
  RoomMessage,
  RoomName,
  RoomSend,
  Shape,
  SocketMessage,
  SocketSend,
  Untyped,
} from './types.ts'

/**
 * An authenticated connection that comes back by itself: gets tokens, sends them as your server reads
 * them, renews them, and tells a refusal from an outage.
 *
 * @typeParam Schema one interface: `{ rooms: { [name]: { send, message } }, message, send, requests }`
 */
export class AuthedSocket<Schema extends Shape<Schema> = Untyped> {
  readonly #connection: Connection
  readonly #channel: Channel<Message<SocketMessage<Schema>>, SocketEvents<SocketMessage<Schema>>>

  /**
   * Checks the options and does nothing else: no I/O, so it may run where there is no `WebSocket`.
   *
   * @throws {TypeError} a wrong option, named
   * @throws {RangeError} a number out of range
   * @throws {InsecureUrlError} INSECURE_URL: `ws:` to a host that is not loopback
   */
  constructor(options: AuthedSocketOptions) {
    const resolved = resolveOptions(options)
    checkStaticUrl(resolved)
    this.#connection = new Connection(resolved)
    // The type of the data is the user's word about the server; nothing here could check it.
    this.#channel = this.#connection.channel as never
  }

  get status(): Status {
    return this.#connection.status
  }

  get state(): Status['state'] {
    return this.status.state
  }

  /**
   * The last decisions, in words and without secrets: one line each, with its time, the oldest first. They are
   * written down where the option `diary` is given.
   */
  explain(): readonly string[] {
    return this.#connection.explain()
  }

  /** Whose connection it is, where the token or the server's welcome says so. */
  get identity(): string | undefined {
    return this.#connection.identity
  }

  /** For React's `useSyncExternalStore` and its like. */
  readonly getSnapshot = (): Status => this.status
  readonly subscribe = (listener: () => void): (() => void) => this.on('statechange', listener)

  /**
   * Connects, and stays connected until `disconnect()`. Resolves when connected, at once if it is;
   * with a socket for each room and no room joined, when a credential is held. Waits through outages.
   *
   * @throws {AuthedSocketError} why it failed: `status.action` says who can mend it
   * @throws {NotConnectedError} NOT_CONNECTED: disconnected meanwhile
   */
  connect(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#connection.connect(options.signal)
  }

  /** Closes and stays closed. Listeners and rooms stay; queued sends are rejected. Never waits for a dead peer. */
  disconnect(): Promise<void> {
    return this.#connection.disconnect()
  }

  /** Dials now: skips the backoff, never a server's advice. */
  reconnect(): Promise<void> {
    return this.#connection.reconnect()
  }

  /**
   * Forces a fresh token, and takes the open sockets over to it.
   *
   * @throws {TokenRefusedError} TOKEN_REFUSED
   * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: no other token came; what was open stays
   */
  reauthenticate(): Promise<void> {
    return this.#connection.reauthenticate()
  }

  /** Your auth library has another token: it is used from the next dial on. Nothing happens when it is the same. */
  tokenChanged(): Promise<void> {
    return this.#connection.tokenChanged()
  }

  /** The room of this name, always the same object. Does not join it. */
  room<Name extends RoomName<Schema>>(
    name: Name,
  ): Room<RoomSend<Schema, Name>, RoomMessage<Schema, Name>> {
    // The user's schema types the data; nothing here could check it.
    return this.#connection.room(name) as unknown as Room<
      RoomSend<Schema, Name>,
      RoomMessage<Schema, Name>
    >
  }

  /** `room(name)` and `join()` in one. */
  join<Name extends RoomName<Schema>>(
    name: Name,
    options?: JoinOptions,
  ): Promise<Room<RoomSend<Schema, Name>, RoomMessage<Schema, Name>>> {
    const room = this.room(name)
    // `room.join()` has reported its error already.
    return handled(room.join(options).then(() => room))
  }

  /**
   * Sends on a protocol without rooms. Resolves when the frame was handed to the network; frames that
   * wait for a connection are bounded by the option `outbox`.
   *
   * @throws {OutboxFullError} OUTBOX_FULL
   * @throws {NotConnectedError} NOT_CONNECTED: lost before it was sent
   * @throws {TypeError} something in it has no JSON, and is no binary frame either; its place is named
   */
  send(data: SocketSend<Schema>, options?: MessageOptions): Promise<void> {
    return this.#connection.send(data, options)
  }

  /**
   * Calls the server and waits for its answer.
   *
   * @param options.idempotent sent again when the connection is lost before the answer. Default `false`
   * @throws {TypeError} something in the payload has no JSON; its place is named
   * @throws {RequestFailedError} REQUEST_FAILED: the server answered with an error
   * @throws {SendUnknownError} SEND_UNKNOWN: sent, and no answer came
   */
  request<Name extends RequestName<Schema>>(
    type: Name,
    payload: RequestOf<Schema, Name>,
    options?: CallOptions,
  ): Promise<ResponseOf<Schema, Name>> {
    const answer = this.#connection.request(type, payload, options)
    // The user's schema types the answer; nothing here could check it.
    return answer as Promise<ResponseOf<Schema, Name>>
  }

  /** @returns unsubscribe */
  on<Name extends keyof SocketEvents<never>>(
    name: Name,
    listener: (payload: SocketEvents<SocketMessage<Schema>>[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    return this.#channel.on(name, listener, options)
  }

  once<Name extends keyof SocketEvents<never>>(
    name: Name,
    listener: (payload: SocketEvents<SocketMessage<Schema>>[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    return this.#channel.once(name, listener, options)
  }

  off<Name extends keyof SocketEvents<never>>(
    name: Name,
    listener: (payload: SocketEvents<SocketMessage<Schema>>[Name]) => unknown,
  ): void {
    this.#channel.off(name, listener)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect()
  }
}
