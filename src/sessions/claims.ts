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

/** The last second that a `Date` can hold. */
const LAST_S = 8.64e12

/** Some servers write their times as text. What no `Date` can hold is no time. */
export const numericDate = (claim: unknown): number | undefined => {
  const seconds = typeof claim === 'string' && claim.trim() ? Number(claim) : claim
  return typeof seconds === 'number' && Math.abs(seconds) <= LAST_S ? seconds : undefined
}

/** 64 KiB: no handshake carries so much, and to parse more blocks the page. */
const LONGEST = 65_536

/**
 * Reads a JWT without verifying it: only the server can. Never throws.
 *
 * @returns `undefined` for an opaque token, and for one of more than 64 KiB. jwt-decode also returns null, arrays
 *   and numbers: no claims either.
 */
export const readClaims = (token: string): Claims | undefined => {
  if (token.length > LONGEST) return undefined
  let raw: unknown
  try {
    raw = jwtDecode(token)
  } catch {
    return undefined
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  // An object that JSON.parse made: string keys, unknown values.
  const claims = raw as Record<string, unknown>
  const { sub, user_id } = claims
  const [exp, iat] = [numericDate(claims['exp']), numericDate(claims['iat'])]
  return {
    ...(exp !== undefined && { exp }),
    ...(iat !== undefined && { iat }),
    ...(isId(sub) && { sub }),
    ...(isId(user_id) && { user_id }),
    raw: claims,
  }
}
