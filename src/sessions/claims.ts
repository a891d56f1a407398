/** What a token says of itself. The only importer of jwt-decode. */
import { jwtDecode } from 'jwt-decode'
import { isObject } from '../core/check.ts'

export interface Claims {
  /** Seconds (RFC 7519 §4.1.4). */
  readonly exp?: number
  /** Seconds (RFC 7519 §4.1.6). */
  readonly iat?: number
  readonly sub?: string | number
  /** Where djangorestframework-simplejwt puts the user. */
  readonly user_id?: string | number
  /**
   * Every claim, as it came: unverified text from outside. Numbers that are no safe integers are text here, and in
   * `sub` and `user_id`: ids of 64 bits would be rounded otherwise.
   */
  readonly raw: Readonly<Record<string, unknown>>
}

const isId = (value: unknown): value is string | number =>
  (typeof value === 'string' && value !== '') || Number.isSafeInteger(value)

/** @returns `undefined` where nothing is said, and an empty text for what is no id */
export const idOf = (value: unknown): string | undefined => {
  if (isId(value)) return String(value)
  return (value ?? '') === '' ? undefined : ''
}

/** Strings come first, so that no number in one is found; one without an end is no JSON, and no reason to look twice. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"?|-?\d[^,\]}\s]*/g

/** Numbers that JavaScript would round become text. In 16 characters there is no integer that is rounded to a safe one. */
const exact = (part: string): string =>
  part[0] === '"' || (part.length < 17 && Number.isSafeInteger(Number(part))) ? part : `"${part}"`

/** The payload with each number as it was written. Its bytes are left alone: digits are ASCII. */
const exactly = (token: string): string => {
  const [, payload = ''] = token.split('.')
  const bytes = atob(payload.replace(/-/g, '+').replace(/_/g, '/'))
  return `.${btoa(bytes.replace(STRING_OR_NUMBER, exact))}`
}

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
    raw = jwtDecode(exactly(token))
  } catch {
    return undefined
  }
  if (!isObject(raw)) return undefined
  const { sub, user_id } = raw
  const [exp, iat] = [numericDate(raw['exp']), numericDate(raw['iat'])]
  return {
    ...(exp !== undefined && { exp }),
    ...(iat !== undefined && { iat }),
    ...(isId(sub) && { sub }),
    ...(isId(user_id) && { user_id }),
    raw,
  }
}
