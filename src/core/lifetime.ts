/** What is known of a token's life when it arrives. Times are epoch ms; claims are seconds (RFC 7519). */
export interface LifetimeHints {
  readonly receivedAt: number
  readonly expiresInMs?: number
  readonly expiresAt?: number
  readonly exp?: number
  readonly iat?: number
}

/**
 * How long a token lives from its receipt, in ms; `undefined` when no expiry is known. Zero or less: it
 * has expired already.
 *
 * A client's clock may be wrong by hours, so `exp` alone is never compared with it: only when the clock
 * lies within the token's own life is it believed. Otherwise the token counts from its receipt.
 */
export const lifetimeMs = (hints: LifetimeHints): number | undefined => {
  if (hints.expiresInMs !== undefined) return hints.expiresInMs
  if (hints.expiresAt !== undefined) return hints.expiresAt - hints.receivedAt
  if (hints.exp === undefined || hints.iat === undefined) return undefined
  const now = hints.receivedAt / 1_000
  const clockAgrees = hints.iat <= now && now <= hints.exp
  return (hints.exp - (clockAgrees ? now : hints.iat)) * 1_000
}

/**
 * A rejection this close before the expiry is the expiry: the server's clock is not ours.
 *
 * @returns ms, at most a quarter of the life
 */
export const expiryToleranceMs = (lifetime: number): number => Math.min(5_000, lifetime / 4)
