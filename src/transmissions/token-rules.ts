/**
 * What a token may hold to travel one way or another. Checked by character codes: a RegExp would keep
 * the token in `RegExp.$_`, where every script of the page can read it.
 */
import { isTokenChar } from '../core/check.ts'
import { TokenInvalidError } from '../errors.ts'

export interface TokenRule {
  allows(code: number, char: string): boolean
  /** Where the token travels, what it may not hold there, and the line to change. */
  readonly refusal: string
}

const isControl = (code: number): boolean => code < 0x20 || code === 0x7f
const isVisible = (code: number): boolean => code > 0x20 && code < 0x7f

/**
 * Elements of Sec-WebSocket-Protocol are HTTP tokens: visible ASCII without delimiters.
 *
 * @see RFC 6455 §4.1, RFC 9110 §5.6.2
 */
export const AS_SUBPROTOCOL: TokenRule = {
  allows: (_code, char) => isTokenChar(char),
  refusal:
    'be a subprotocol, which holds no "=", "/", "," or space: use the bearer preset, which base64url-encodes',
}

/** @see RFC 9110 §5.5 */
export const IN_HEADER: TokenRule = {
  allows: (code) => isVisible(code) || (code > 0xa0 && code <= 0xff),
  refusal:
    'travel in a header, which holds Latin-1 and here no space: give it bare, or base64url-encode it',
}

/** @see RFC 6265 §4.1.1: cookie-octet */
export const IN_COOKIE: TokenRule = {
  allows: (code, char) => isVisible(code) && !'",;\\'.includes(char),
  refusal:
    'travel in a cookie, which holds ASCII without space, quote, comma, semicolon and backslash: base64url-encode it',
}

/**
 * Where the token is encoded, nearly everything travels. Not controls: servers decode it into a header.
 * Nor half a surrogate pair, which UTF-8 cannot hold: another token would arrive.
 */
export const ENCODED: TokenRule = {
  allows: (code) => !isControl(code) && !(code >= 0xd800 && code <= 0xdfff),
  refusal: 'be encoded: it ends within a character (half a surrogate pair)',
}

/** @throws {TokenInvalidError} TOKEN_INVALID, without any part of the token */
export function checkToken(token: string, rule: TokenRule): void {
  const code = firstRefused(token, rule)
  if (code === undefined) return
  const why = isControl(code)
    ? 'be empty or hold a line break or control character: trim it'
    : rule.refusal
  throw new TokenInvalidError(`the token cannot ${why}`)
}

/** @returns the code of the first character that may not be there, 0 for an empty text */
export function firstRefused(text: string, rule: TokenRule): number | undefined {
  if (text === '') return 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    if (!rule.allows(code, char)) return code
  }
  return undefined
}

/**
 * Case is ignored, as undici does.
 *
 * @throws {TokenInvalidError} TOKEN_INVALID
 * @see RFC 6455 §4.1, point 10: unique elements
 */
export function checkUnique(protocols: readonly string[]): void {
  if (new Set(protocols.map((word) => word.toLowerCase())).size < protocols.length) {
    throw new TokenInvalidError('a subprotocol would be offered twice: rename yours')
  }
}
