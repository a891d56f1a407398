/**
 * A `Retry-After` header in ms, or `undefined` where there is none or it cannot be read.
 *
 * @see RFC 9110 §10.2.3
 */
export const retryAfterMs = (header: string | null | undefined): number | undefined => {
  if (!header) return undefined
  const seconds = Number(header)
  const wait = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000
  return wait >= 0 && wait < Infinity ? wait : undefined
}
