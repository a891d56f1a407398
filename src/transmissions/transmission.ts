/** What is sent to open a socket. */
export interface Handshake {
  readonly url: URL
  /** Offered in this order; the server echoes one. */
  readonly protocols: readonly string[]
  /** Sent where the runtime can (Node); empty otherwise. */
  readonly headers: Readonly<Record<string, string>>
}

/** One way for a token to travel in the handshake. */
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
  /** What to warn about once, before the first dial with it. Without the token. */
  readonly warning?: string
}
