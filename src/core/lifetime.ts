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
 * A client's clock may be wrong by hours, so `exp` alone is never compared with it: only when the clock
 * lies within the token's own life is it believed. Otherwise the token counts from its receipt. So does a fresh
 * one that seems to be in its last quarter: a clock that is ahead by nearly a life would renew each at once.
 */
export const lifetimeMs = (hints: LifetimeHints): number | undefined => {
  if (hints.expiresInMs !== undefined) return hints.expiresInMs
  if (hints.expiresAt !== undefined) return hints.expiresAt - hints.receivedAt
  const { exp, iat, fresh } = hints
  if (exp === undefined || iat === undefined) return undefined
  const now = hints.receivedAt / 1_000
  const clockAgrees = iat <= now && now <= exp - (fresh ? (exp - iat) / 4 : 0)
  return (exp - (clockAgrees ? now : iat)) * 1_000
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
