import { check, type Rule } from '../core/check.ts'
import { base64Url } from './base64url.ts'
import { AS_SUBPROTOCOL, checkToken, checkUnique, ENCODED, word } from './token-rules.ts'
import type { Transmission } from './transmission.ts'

/** Your own shape: the subprotocols to offer for a token. Must not be async. */
export type SubprotocolFunction = (token: string) => readonly string[]

export type SubprotocolOptions =
  /** Offers `token`, then the token as it is. For tokens of letters, digits and `-._~`, such as JWTs. */
  | { readonly preset: 'pair' }
  /** Offers `app`, then the token in base64url, as Kubernetes does. For every token. */
  | {
      readonly preset: 'bearer'
      /**
       * The subprotocol for the server to echo: it must not echo the token. Default `'authed-socket'`;
       * left out when the protocol offers one of its own.
       */
      readonly app?: string
    }

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication: the prefix and encoding */
const BEARER_PREFIX = 'base64url.bearer.authorization.k8s.io.'

/**
 * The token travels among the offered subprotocols, after those of the protocol: the one header that
 * browsers let a script fill. The server must echo one of the others.
 *
 * @param options `'pair'` (default), `'bearer'`, `{ preset: 'bearer', app: 'chat' }`, or a function
 * @throws {TypeError} when an option is unknown or wrong
 * @see RFC 6455 §4.1, RFC 9110 §5.6.2
 */
export function viaSubprotocol(
  options: SubprotocolOptions | SubprotocolOptions['preset'] | SubprotocolFunction = 'pair',
): Transmission {
  const words = typeof options === 'function' ? custom(options) : preset(options)
  return {
    name: 'subprotocol',
    runtimes: 'any',
    carry(handshake, token) {
      const protocols = [...handshake.protocols, ...words(token, handshake.protocols)]
      checkUnique(protocols)
      return { ...handshake, protocols }
    },
  }
}

type Words = (token: string, offered: readonly string[]) => readonly string[]

const presetName: Rule = [
  (value) => value === 'pair' || value === 'bearer',
  "'pair' or 'bearer', or a function instead",
]
const nothing: Rule = [() => false, "left out without preset: 'bearer'"]

function preset(options: SubprotocolOptions | SubprotocolOptions['preset']): Words {
  const given: { readonly preset: string; readonly app?: string } =
    typeof options === 'string' ? { preset: options } : options
  const isPair = given?.preset === 'pair'
  const rules = { preset: presetName, app: isPair ? nothing : word }
  check('viaSubprotocol', given, rules, ['preset'])
  return isPair ? pair : bearer(given.app)
}

function pair(token: string): readonly string[] {
  checkToken(token, AS_SUBPROTOCOL)
  return ['token', token]
}

function bearer(app = 'authed-socket'): Words {
  return (token, offered) => {
    checkToken(token, ENCODED)
    const carrier = BEARER_PREFIX + base64Url(token)
    return offered.length === 0 ? [app, carrier] : [carrier]
  }
}

const isOffer = (words: unknown): words is readonly string[] =>
  Array.isArray(words) && words.length > 0 && words.every((each) => typeof each === 'string')

function custom(make: SubprotocolFunction): Words {
  return (token) => {
    checkToken(token, ENCODED)
    let words: unknown
    try {
      words = make(token)
    } catch {
      // It may quote the token, so it goes nowhere, not even into `cause`.
    }
    if (!isOffer(words)) {
      throw new TypeError('viaSubprotocol: your function threw, or returned no array of strings')
    }
    for (const each of words) checkToken(each, AS_SUBPROTOCOL)
    return words
  }
}
