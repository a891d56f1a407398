/** What a token says of itself. The only importer of jwt-decode. */
import { jwtDecode } from 'jwt-decode'

export interface Claims {
  /** Seconds (RFC 7519 §4.1.4). */
  readonly exp?: number
  /** Seconds (RFC 7519 §4.1.6). */
  readonly iat?: number
  readonly sub?: string | number
  /** Where djangorestframework-simplejwt puts the user. */
  readonly user_id?: string | number
  /** Every claim, as it came: unverified text from outside. */
  readonly raw: Readonly<Record<string, unknown>>
}

const isId = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || Number.isFinite(value)

const isNumber = (value: unknown): value is number => Number.isFinite(value)

/**
 * Reads a JWT without verifying it: only the server can. Never throws.
 *
 * @returns `undefined` for an opaque token. jwt-decode also returns null, arrays and numbers: no claims either.
 */
export const readClaims = (token: string): Claims | undefined => {
  let raw: unknown
  try {
    raw = jwtDecode(token)
  } catch {
    return undefined
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  // An object that JSON.parse made: string keys, unknown values.
  const claims = raw as Record<string, unknown>
  const { exp, iat, sub, user_id } = claims
  return {
    ...(isNumber(exp) && { exp }),
    ...(isNumber(iat) && { iat }),
    ...(isId(sub) && { sub }),
    ...(isId(user_id) && { user_id }),
    raw: claims,
  }
}
