/** Whether a token is too old, or too young, by whose clock. Pure. */
import type { Facts } from './facts.ts'
import { skewOf } from './queries.ts'

/** Dates of HTTP have whole seconds. */
const TOLERANCE_MS = 1_000
/** Clocks that differ by less agree. */
export const SKEW_MS = 30_000

/** The server's time, where it said it; else our own. */
export const serverTime = (facts: Facts): number => facts.at - (skewOf(facts) ?? 0)

/** By the server's clock. */
export const isExpired = (facts: Facts): boolean =>
  (facts.token.expiresAt ?? Number.POSITIVE_INFINITY) <= serverTime(facts) + TOLERANCE_MS

export const isExpiredHere = (facts: Facts): boolean =>
  (facts.token.expiresAt ?? Number.POSITIVE_INFINITY) <= facts.at + TOLERANCE_MS

/** `nbf` lies ahead of the server's clock. */
export const isTooYoung = ({ token, ...facts }: Facts): boolean =>
  (token.notBefore ?? 0) > serverTime({ token, ...facts }) + 2 * TOLERANCE_MS

/** `iat` lies ahead of the server's clock: some libraries refuse that, some do not. */
export const isFromFuture = (facts: Facts): boolean =>
  (facts.token.issuedAt ?? 0) > serverTime(facts) + 2 * TOLERANCE_MS

export const clocksDiffer = (facts: Facts): boolean => Math.abs(skewOf(facts) ?? 0) > SKEW_MS
