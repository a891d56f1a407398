import { check, flag, type Rule } from '../core/check.ts'
import { checkToken, ENCODED, firstRefused } from './token-rules.ts'
import type { Transmission } from './transmission.ts'

export interface QueryOptions {
  /** Name of the query parameter. Default `'token'`, as in the article's servers. */
  readonly param?: string
  /** `true`: URLs with tokens in logs are accepted, so do not warn. Default `false`. */
  readonly acceptLogging?: boolean
}

const WARNING =
  'viaQuery() puts the token into the URL, which servers and proxies log; RFC 9700 §4.3.2 forbids that ' +
  'for access tokens. Use viaSubprotocol() or ticket(), or accept it: viaQuery({ acceptLogging: true })'

const paramName: Rule = [
  (value) => typeof value === 'string' && firstRefused(value, ENCODED) === undefined,
  "a parameter's name, such as 'token'",
]

/**
 * The token travels in the URL: `?token=…`. For servers that read nothing else. An existing parameter of
 * that name is replaced.
 *
 * @throws {TypeError} when an option is unknown or wrong
 * @see RFC 9700 §4.3.2, RFC 6750 §2.3
 */
export function viaQuery(options: QueryOptions = {}): Transmission {
  const rules = { param: paramName, acceptLogging: flag }
  const { param = 'token', acceptLogging } = check('viaQuery', options, rules)
  return {
    name: 'query',
    runtimes: 'any',
    ...(acceptLogging ? {} : { warning: WARNING }),
    carry(handshake, token) {
      checkToken(token, ENCODED)
      const url = new URL(handshake.url)
      const parts = url.search
        .slice(1)
        .split('&')
        .filter((part) => part !== '' && nameOf(part) !== param)
      const own = `${encodeURIComponent(param)}=${encodeURIComponent(token)}`
      // With its `?`: the setter drops one, which could belong to a name.
      url.search = `?${[...parts.map(oneEquals), own].join('&')}`
      return { ...handshake, url }
    },
  }
}

/** Behind `&`, because URLSearchParams drops a leading `?`, which is part of this name. */
const nameOf = (part: string): string | undefined => [...new URLSearchParams(`&${part}`).keys()][0]

/**
 * Servers that split each part at every `=` (`dict(part.split('=') …)` in the article's middleware) lose
 * the token over a second `=` anywhere in the query. Escaped, it means the same to all others.
 */
function oneEquals(part: string): string {
  const [name = '', ...values] = part.split('=')
  return values.length < 2 ? part : `${name}=${values.join('%3D')}`
}
