import { check, type Rule, word, words } from '../core/check.ts'
import { base64, base64Url } from './base64url.ts'
import { AS_SUBPROTOCOL, checkToken, checkUnique, ENCODED } from './token-rules.ts'
import type { Transmission } from './transmission.ts'

/** Your own shape: the subprotocols to offer for a token. Must not be async. */
export type SubprotocolFunction = (token: string) => readonly string[]

export type SubprotocolOptions =
  /**
   * Offers `word`, then the token as it is: `token, <jwt>`, `bearer, <jwt>`. For tokens of letters, digits and
   * `-._~`, such as JWTs.
   *
   * @see https://developers.deepgram.com/docs/using-the-sec-websocket-protocol: both words in use
   */
  | {
      readonly preset: 'pair'
      /** The server must echo it, never the token. Default `'token'`. */
      readonly word?: string
    }
  /** Offers `app`, then the token in base64url, in the form of Kubernetes. For every token. */
  | {
      readonly preset: 'bearer'
      /**
       * The subprotocol for the server to echo: it must not echo the token. Default `'authed-socket'`;
       * left out when the protocol offers one of its own.
       */
      readonly app?: string
    }
  /**
   * A Kubernetes API server: `bearer`, beside a subprotocol that the called resource speaks. It refuses a token
   * without one.
   *
   * @see https://github.com/kubernetes/kubernetes/pull/47740
   */
  | {
      readonly preset: 'kubernetes'
      /** `'v5.channel.k8s.io'` for exec and attach, `'base64.binary.k8s.io'` for logs. */
      readonly app: string
    }
  /**
   * Phoenix from 1.8 on, with `auth_token: true`: `phoenix`, then the token in base64. (Its prefix says base64url, its
   * server decodes plain base64. A token with `?` at the wrong place cannot travel so; `Phoenix.Token` has none.)
   *
   * @see https://hexdocs.pm/phoenix/js/, `authToken`; lib/phoenix/transports/websocket.ex
   */
  | { readonly preset: 'phoenix' }
  /**
   * Jupyter servers that take part in JEP 121, a proposal: `v1.token.websocket.jupyter.org`, then the same with the
   * token, percent-encoded. Jupyter Server 2 itself reads `?token=` instead: `viaQuery()`.
   *
   * @see https://github.com/jupyter/enhancement-proposals/pull/121
   * @see https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html
   */
  | {
      readonly preset: 'jupyter'
      /** How kernels speak. Default `'v1.kernel.websocket.jupyter.org'`; left out when the protocol offers one. */
      readonly app?: string
    }

/** Those that need nothing besides. */
export type SubprotocolPreset = Exclude<SubprotocolOptions['preset'], 'kubernetes'>

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication: the prefix and encoding */
const BEARER_PREFIX = 'base64url.bearer.authorization.k8s.io.'
const PHOENIX_PREFIX = 'base64url.bearer.phx.'
const JUPYTER = 'v1.token.websocket.jupyter.org'

/**
 * The token travels among the offered subprotocols, after those of the protocol: the one header that
 * browsers let a script fill. The server must echo one of the others.
 *
 * @param options `'pair'` (default), another preset, `{ preset: 'bearer', app: 'chat' }`, or a function
 * @throws {TypeError} when an option is unknown or wrong
 * @see RFC 6455 §4.1, RFC 9110 §5.6.2
 */
export function viaSubprotocol(
  options: SubprotocolOptions | SubprotocolPreset | SubprotocolFunction = 'pair',
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

const presetName = (): Rule => {
  const [isPreset, names] = words('pair', 'bearer', 'kubernetes', 'phoenix', 'jupyter')
  return [isPreset, `${names}, or a function instead`]
}
const outOf = (...names: string[]): Rule => [
  () => false,
  `left out without preset: ${names.map((name) => `'${name}'`).join(' or ')}`,
]

function preset(options: SubprotocolOptions | SubprotocolPreset): Words {
  const shape: SubprotocolOptions = typeof options === 'string' ? { preset: options } : options
  const hasApp = ['bearer', 'kubernetes', 'jupyter'].includes(shape?.preset)
  const rules = {
    preset: presetName(),
    app: hasApp ? word : outOf('bearer', 'kubernetes', 'jupyter'),
    word: shape?.preset === 'pair' ? word : outOf('pair'),
  }
  const given = check(
    'viaSubprotocol',
    shape,
    rules,
    shape?.preset === 'kubernetes' ? ['preset', 'app'] : ['preset'],
  )
  switch (given.preset) {
    case 'pair':
      return pair(given.word)
    case 'phoenix':
      return phoenix
    case 'jupyter':
      return jupyter(given.app)
    default:
      return bearer(given.app)
  }
}

const pair =
  (word = 'token'): Words =>
  (token) => {
    checkToken(token, AS_SUBPROTOCOL)
    return [word, token]
  }

const bearer =
  (app = 'authed-socket'): Words =>
  (token, offered) => {
    checkToken(token, ENCODED)
    return behind(app, offered, BEARER_PREFIX + base64Url(token))
  }

const phoenix: Words = (token, offered) => {
  checkToken(token, ENCODED)
  const carrier = PHOENIX_PREFIX + base64(token)
  checkToken(carrier, AS_SUBPROTOCOL)
  return offered.includes('phoenix') ? [carrier] : ['phoenix', carrier]
}

const jupyter =
  (app = 'v1.kernel.websocket.jupyter.org'): Words =>
  (token, offered) => {
    checkToken(token, ENCODED)
    // encodeURIComponent leaves the two that no subprotocol may hold.
    const encoded = encodeURIComponent(token).replaceAll('(', '%28').replaceAll(')', '%29')
    return behind(app, offered, JUPYTER, `${JUPYTER}.${encoded}`)
  }

/** There must be another word for the server to echo. */
const behind = (app: string, offered: readonly string[], ...carriers: string[]): string[] =>
  offered.length === 0 ? [app, ...carriers] : carriers

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
