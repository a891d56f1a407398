import { check, either, type Rule, word } from '../core/check.ts'
import { setHeader } from '../core/headers.ts'
import { checkToken, IN_HEADER } from './token-rules.ts'
import type { Transmission } from './transmission.ts'

export interface HeaderOptions {
  /** Default `'Authorization'`. */
  readonly name?: string
  /** The word before the token. Default `'Bearer'`; `''`: the header is the token alone. */
  readonly scheme?: string
}

/** What the handshake is made of: a token there would break it, or travel in a second way. */
const OCCUPIED = ['host', 'connection', 'upgrade', 'origin', 'cookie']

const headerName: Rule = [
  (value) => word[0](value) && !isOccupied(`${value}`.toLowerCase()),
  'one word, and not a header of the handshake itself',
]
const isOccupied = (name: string): boolean =>
  OCCUPIED.includes(name) || name.startsWith('sec-websocket-')
const empty: Rule = [(value) => value === '', 'empty']

/**
 * The token travels in a request header: `Authorization: Bearer …`. Node only: browsers let no script set
 * headers of a WebSocket.
 *
 * @throws {TypeError} when an option is unknown or wrong, or the handshake itself needs the header
 * @see RFC 6750 §2.1
 */
export function viaHeader(options: HeaderOptions = {}): Transmission {
  const rules = { name: headerName, scheme: either(word, empty) }
  const { name = 'Authorization', scheme = 'Bearer' } = check('viaHeader', options, rules)
  return {
    name: 'header',
    runtimes: 'node',
    carry(handshake, token) {
      checkToken(token, IN_HEADER)
      const value = scheme === '' ? token : `${scheme} ${token}`
      return { ...handshake, headers: setHeader(handshake.headers, name, () => value) }
    },
  }
}
