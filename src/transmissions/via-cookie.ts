import { check, word } from '../core/check.ts'
import { mergeCookies } from '../core/cookie-header.ts'
import { setHeader } from '../core/headers.ts'
import { checkToken, IN_COOKIE } from './token-rules.ts'
import type { Transmission } from './transmission.ts'

export interface CookieOptions {
  /** Name of the cookie. Default `'access_token'`. */
  readonly name?: string
}

/**
 * The token travels in a cookie: `Cookie: access_token=…`, beside the cookies that are there already. Node
 * only: in a browser cookies are the browser's, see `cookieSession()`.
 *
 * @throws {TypeError} when an option is unknown or wrong
 * @see RFC 6265 §4.1.1, §5.4
 */
export function viaCookie(options: CookieOptions = {}): Transmission {
  const { name = 'access_token' } = check('viaCookie', options, { name: word })
  return {
    name: 'cookie',
    runtimes: 'node',
    carry(handshake, token) {
      checkToken(token, IN_COOKIE)
      const merge = (before = '') => mergeCookies(`${name}=${token}`, before)
      return { ...handshake, headers: setHeader(handshake.headers, 'Cookie', merge) }
    },
  }
}
