import { check, isObject, type Rule, url, words } from '../core/check.ts'
import { CookieJar } from './cookie-jar.ts'
import { sendsCookies } from './cookie-source.ts'
import { type CsrfOptions, checkCsrf, csrfHeaders, csrfRule } from './csrf.ts'
import { endpoint } from './endpoint.ts'
import { nameIn } from './fields.ts'
import {
  checkPassword,
  type PasswordCredentials,
  type PasswordOptions,
  passwordBody,
  passwordRules,
  postForTokens,
  storageRule,
  storedCredentials,
  type TokenFields,
} from './password.ts'
import { rotatingParts } from './refresh-rotation.ts'
import { createSession, type Session } from './session.ts'
import { authorization, reachOf, type TokenReachOptions, tokenReachRules } from './session-fetch.ts'
import type { SessionParts } from './session-parts.ts'
import { type Tabs, tabsRule } from './tabs-port.ts'
import { type EndpointAnswer, post, type TokenPost } from './token-endpoint.ts'
import type { TokenStore } from './token-store.ts'

export interface SimpleJwtOptions extends PasswordOptions, TokenReachOptions {
  /** Takes username and password as JSON, gives the first tokens: `'/api/token/'`. */
  readonly obtain: string | URL
  /** Takes the refresh token as JSON, gives the next tokens: `'/api/token/refresh/'`. */
  readonly refresh: string | URL
  /** Told on `logout()`: `'/api/token/blacklist/'`. Default: nobody is told. */
  readonly revoke?: string | URL
  /**
   * Where the refresh token rests. `'memory'` (default): signed out after a reload. `'httpOnlyCookie'`:
   * the server keeps it out of the reach of scripts, the safest place in a browser. Or your own store.
   */
  readonly refreshToken?: 'memory' | 'httpOnlyCookie' | TokenStore
  /**
   * How `refresh` and `revoke` take the token. `'json'` (default): in the body. `'header'`: in `Authorization`, as
   * flask-jwt-extended reads it.
   */
  readonly refreshAs?: 'json' | 'header'
  /** Shares the session among the tabs of an origin: `shareTabs({ key, share })`. Default: each tab has its own. */
  readonly tabs?: Tabs
  /** For `'httpOnlyCookie'`. Default: Django's names; without such a cookie no header is sent. */
  readonly csrf?: CsrfOptions
  /**
   * Names in the JSON, or where in the answer: `'data.access_token'`, or a function of it. Default `username`,
   * `password`, `access`, `refresh`; no `expiresIn`.
   */
  readonly fields?: Partial<TokenFields>
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  obtain: url,
  refresh: url,
  revoke: url,
  refreshToken: storageRule('memory', 'httpOnlyCookie'),
  refreshAs: words('json', 'header'),
  csrf: csrfRule,
  tabs: tabsRule,
  ...passwordRules(),
  ...tokenReachRules(),
})

const FIELDS: TokenFields = {
  username: 'username',
  password: 'password',
  access: 'access',
  refresh: 'refresh',
  expiresIn: '',
}

/** How a request carries what it is about. */
interface Carried extends Pick<TokenPost, 'body'> {
  readonly headers?: Readonly<Record<string, string>>
}

const checked = (options: SimpleJwtOptions) => {
  check('simpleJwt', options, rules(), ['obtain', 'refresh'])
  checkCsrf('simpleJwt', options.csrf)
  const at = (name: 'obtain' | 'refresh' | 'revoke', value: string | URL) =>
    endpoint(`simpleJwt: ${name}`, value, options)
  return {
    obtain: at('obtain', options.obtain),
    refresh: at('refresh', options.refresh),
    revoke: options.revoke === undefined ? undefined : at('revoke', options.revoke),
    credentials: storedCredentials('simpleJwt', options),
  }
}

/** Who holds no CSRF cookie was not signed in here: the check fails, and there is nothing to go on with. */
const isFirstVisit = ({ status, body }: EndpointAnswer): boolean =>
  status === 403 && isObject(body) && typeof body['detail'] === 'string'

export const simpleJwtParts = (options: SimpleJwtOptions): SessionParts<PasswordCredentials> => {
  const { obtain, refresh, revoke, credentials } = checked(options)
  const { refreshToken = 'memory', reobtain = false } = options
  const fields = { ...FIELDS, ...options.fields }
  const cookie = refreshToken === 'httpOnlyCookie'
  const csrf = options.csrf ?? (cookie ? {} : undefined)
  // One jar a login, in Node: what arrives after a logout lands in a jar that nobody uses.
  let kept: CookieJar | undefined
  const jarOf = () => {
    if (!sendsCookies()) kept ??= new CookieJar()
    return kept
  }
  const reach = reachOf(
    'simpleJwt',
    options,
    revoke ? [obtain, refresh, revoke] : [obtain, refresh],
    cookie ? { cookies: jarOf } : {},
  )
  const asked = async (
    target: URL,
    carried: Carried,
    signal?: AbortSignal,
    jar = jarOf(),
  ): Promise<TokenPost> => {
    const proof = await csrfHeaders(csrf, jar, target, options)
    const headers = new Headers({ ...proof, ...carried.headers })
    return {
      fetch: reach.fetch,
      url: target,
      body: carried.body,
      headers,
      signal,
      isRefused:
        cookie && Object.keys(proof).length === 0
          ? (answer) => (isFirstVisit(answer) ? true : options.isRefused?.(answer))
          : options.isRefused,
      ...(cookie && { credentials: 'include' as const, heard: jar?.accompany(target, headers) }),
    }
  }
  const carrying = (token: string | undefined): Carried => {
    if (token === undefined) return { body: undefined }
    return options.refreshAs === 'header'
      ? { body: undefined, headers: { authorization: authorization(reach.scheme, token) } }
      : { body: { json: { [nameIn(fields.refresh, 'refresh')]: token } } }
  }
  return rotatingParts<PasswordCredentials>(
    'simpleJwt',
    {
      obtain: async (given, signal) => {
        checkPassword('simpleJwt', given)
        return postForTokens(
          await asked(obtain(), { body: { json: passwordBody(given, fields) } }, signal),
          fields,
        )
      },
      refresh: async (token) => postForTokens(await asked(refresh(), carrying(token)), fields),
      revoker:
        revoke &&
        (() => {
          const from = jarOf()
          return async (held, signal) => {
            if (!cookie && held.refresh === undefined) return
            await post(await asked(revoke(), carrying(held.refresh), signal, from))
          }
        }),
      clear: () => {
        kept = undefined
      },
      cookie,
      store: typeof refreshToken === 'object' ? refreshToken : undefined,
      tabs: options.tabs,
      credentials,
      reobtain,
    },
    reach,
  )
}

/**
 * A session with djangorestframework-simplejwt, or any server that takes and gives the same JSON. The
 * refresh token may rotate: it is sent once, by one request at a time.
 *
 * @throws {TypeError} a wrong option, by its name
 * @throws {InsecureUrlError} INSECURE_URL: `http:` to a host that is not loopback
 */
export const simpleJwt = (options: SimpleJwtOptions): Session<PasswordCredentials> =>
  createSession(simpleJwtParts(options))
