import { LONGEST_TIMER_MS } from '../core/delays.ts'

/**
 * A `Retry-After` header in ms, at most as long as a timer reaches; `undefined` where there is none or it
 * cannot be read. A date that has passed is 0.
 *
 * @see RFC 9110 §10.2.3
 */
export const retryAfterMs = (header: string | null | undefined): number | undefined => {
  if (!header?.trim()) return undefined
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000
  // Date.parse reads '-5' as a date, so a number is not tried as one.
  return Number.isNaN(ms) || seconds < 0 || seconds === Infinity
    ? undefined
    : Math.min(Math.max(ms, 0), LONGEST_TIMER_MS)
}
