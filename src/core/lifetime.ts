/** What is known of a token's life when it arrives. Times are epoch ms; claims are seconds (RFC 7519). */
export interface LifetimeHints {
  readonly receivedAt: number
  readonly expiresInMs?: number
  readonly expiresAt?: number
  readonly exp?: number
  readonly iat?: number
  /** It was asked for as a fresh one, so it was made just now. */
  readonly fresh?: boolean
}

/**
 * How long a token lives from its receipt, in ms; `undefined` when no expiry is known. Zero or less: it
 * has expired already.
 *
 * A client's clock may be wrong by hours: only when it lies within the token's own life is it believed, or where
 * nothing but `exp` is known. Otherwise the token counts from its receipt. So does a fresh one that seems to be in
 * its last quarter: a clock that is ahead by nearly a life would renew each at once. An `iat` later than
 * `exp` is left out: it is in ms by mistake, or a local time.
 */
export const lifetimeMs = (hints: LifetimeHints): number | undefined => {
  if (hints.expiresInMs !== undefined) return hints.expiresInMs
  if (hints.expiresAt !== undefined) return hints.expiresAt - hints.receivedAt
  const { exp, iat = Infinity, fresh, receivedAt } = hints
  if (exp === undefined) return undefined
  const now = receivedAt / 1_000
  const isOfClock = iat > exp || (iat <= now && now <= exp - (fresh ? (exp - iat) / 4 : 0))
  return isOfClock ? exp * 1_000 - receivedAt : (exp - iat) * 1_000
}

/** What is known of a token's end. */
export interface Life {
  /** From the receipt. Absent when no expiry is known. */
  readonly lifetimeMs?: number
  /** What its `exp` says, in epoch ms, where no `iat` bears it out by our clock. */
  readonly claimedExpiry?: number | undefined
}

/**
 * One that is past its `exp` at the receipt has no end that is known: its server may take it all the same. Where
 * `iat` is `exp`, it says nothing.
 */
export const lifeOf = (hints: LifetimeHints): Life => {
  const { receivedAt, expiresInMs, expiresAt, exp, iat = Infinity } = hints
  const told = lifetimeMs(hints)
  if (told === undefined) return {}
  if (exp === undefined || (expiresInMs ?? expiresAt) !== undefined) return { lifetimeMs: told }
  const claimedExpiry = exp * 1_000
  const left = claimedExpiry - receivedAt
  const lifetime = told || left
  if (lifetime <= 0) return { claimedExpiry }
  const isBorneOut = iat < exp && lifetime === left
  return { lifetimeMs: lifetime, ...(!isBorneOut && { claimedExpiry }) }
}

/**
 * A rejection this close before the expiry is the expiry: the server's clock is not ours.
 *
 * @returns ms, at most a quarter of the life
 */
export const expiryToleranceMs = (lifetime: number): number => Math.min(5_000, lifetime / 4)

const LONGEST_LEAD_MS = 300_000

/**
 * How long before its end a token is renewed on a live socket: a tenth to a fifth of its life, so that not all
 * sockets of the world come at once.
 *
 * @returns ms, at most 5 minutes
 */
export const renewalLeadMs = (lifetime: number, roll: number): number =>
  Math.min(lifetime / 5, LONGEST_LEAD_MS) * (0.5 + roll / 2)
