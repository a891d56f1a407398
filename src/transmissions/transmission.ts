export type FirstFrame = string | ArrayBuffer

/** What is sent to open a socket. */
export interface Handshake {
  readonly url: URL
  /** Offered in this order; the server echoes one. */
  readonly protocols: readonly string[]
  /** Sent where the runtime can (Node); empty otherwise. */
  readonly headers: Readonly<Record<string, string>>
  /** The first frame, where the token travels in it; or what makes it of what the server says first. */
  readonly firstFrame?: FirstFrame | ((challenge: unknown) => Promise<FirstFrame>)
  /** Called with the socket as soon as there is one. */
  readonly dialed?: (socket: object) => void
}

/** What a socket tells. */
export interface SocketListener {
  opened(): void
  frame(data: string | ArrayBuffer): void
}

/** What becomes of the first frame: nothing else is sent before it is answered. */
export interface FirstMessage {
  /** The answer must have come so long after the open, in ms. */
  readonly timeoutMs: number
  /** Stands between one socket and `next`, which hears the open, and every frame from the one that accepts on. */
  begin(next: SocketListener, port: FirstMessagePort): SocketListener
}

export interface FirstMessagePort {
  /** Sends the first frame. One that is made of the challenge follows when it is made. */
  say(challenge?: unknown): void
  accepted(frame: string | ArrayBuffer): void
  refused(): void
}

/** One way for a token to travel in the handshake, or in the first frame after it. */
export interface Transmission {
  readonly name: string
  /** `node`: the way needs request headers, which no browser lets a script set. */
  readonly runtimes: 'any' | 'node'
  /**
   * Puts the token into the handshake. Pure.
   *
   * @throws {TokenInvalidError} TOKEN_INVALID when the token cannot travel this way; the message never holds it
   */
  carry(handshake: Handshake, token: string): Handshake
  /** Where `carry` gives a `firstFrame`. */
  readonly firstMessage?: FirstMessage
  /** What to warn about once, before the first dial with it. Without the token. */
  readonly warning?: string
}
