import type { TokenReason } from '../core/credential.ts'
import type { Handshake } from '../transmissions/transmission.ts'

/** What a token is asked for with. */
export interface TokenRequest {
  readonly reason: TokenReason
  /** `true`: a cached token is not good enough. Maps onto `cacheMode`, `skipCache`, `forceRefresh`. */
  readonly fresh: boolean
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

export type TokenAnswer =
  | {
      readonly kind: 'token'
      readonly token: string
      /** Lifetime from now, in ms. Wins over what the token says of itself. */
      readonly expiresInMs?: number
      /** Expiry in epoch ms. */
      readonly expiresAt?: number
      /** When this value was first received (a restored token is older than its restore). */
      readonly receivedAt?: number
      /** It was asked for as a fresh one. */
      readonly fresh?: boolean
    }
  /** No token travels: a cookie carries the credential. */
  | {
      readonly kind: 'cookie'
      /** Where the runtime keeps none: their text, to tell them from those before. */
      readonly value?: string
      /** Those of now, which any answer may have renewed. */
      readonly cookies?: () => Cookies | undefined
    }
  | { readonly kind: 'signed-out' }

/** What a session sends, and learns, where the runtime keeps no cookies. */
export interface Cookies {
  /** Adds those for this URL to the headers of a request. @returns what is to hear the answer */
  accompany(url: URL, headers: Headers): (answer: { readonly headers: Headers }) => void
  carry(handshake: Handshake): Handshake
}

/**
 * Where a credential comes from. One for each kind of session.
 *
 * `request` rejects with `TokenRefusedError` when the answer is no for good; every other rejection means
 * that no answer could be had now.
 */
export interface TokenSource {
  /** Can a rejected value be replaced by a request? Read before each decision. */
  readonly canRenew: boolean
  /** After a refusal: is there anything left to ask (a function, a refresh token, a cookie)? */
  readonly canAsk: boolean
  /** The source caches by itself, so it is asked before every dial. */
  readonly everyDial: boolean
  /** A request spends a single-use refresh token: it is never aborted once it is on the wire. */
  readonly rotates: boolean
  /** Who signs in, and out, tells somebody else: the answers may be anybody's once no socket is wanted. */
  readonly signsInElsewhere?: boolean
  /** No token travels, so no transmission is wanted. */
  readonly sendsCookie?: boolean
  request(ask: TokenRequest): Promise<TokenAnswer>
  /** Forgets everything it holds. */
  clear(): void
}
