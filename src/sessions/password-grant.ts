import { check, type Rule, text, url, words } from '../core/check.ts'
import { endpoint } from './endpoint.ts'
import { nameIn } from './fields.ts'
import {
  checkPassword,
  OAUTH_FIELDS,
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
import { post, type TokenBody, type TokenPost } from './token-endpoint.ts'
import type { TokenStore } from './token-store.ts'

export interface PasswordGrantOptions extends PasswordOptions, TokenReachOptions {
  /** The token endpoint: `'/token'`. */
  readonly url: string | URL
  /** Gives the next tokens. Default: none, so the session ends with its token. */
  readonly refreshUrl?: string | URL
  /** Told on `logout()`. Default: nobody is told. */
  readonly revokeUrl?: string | URL
  /**
   * How `refreshUrl` and `revokeUrl` take the token. `'json'` (default): `{ refresh_token }`, as
   * hand-written FastAPI routes do. `'form'`: as RFC 6749 §6 and RFC 7009 §2.1 say. `'header'`: in `Authorization`,
   * as flask-jwt-extended reads it.
   */
  readonly refreshAs?: 'json' | 'form' | 'header'
  /** Default: none. */
  readonly clientId?: string
  /** Scopes with a space between them. Default: none. */
  readonly scope?: string
  /** Where the refresh token rests. Default `'memory'`: signed out after a reload. */
  readonly refreshToken?: 'memory' | TokenStore
  /** Shares the session among the tabs of an origin: `shareTabs({ key, share })`. Default: each tab has its own. */
  readonly tabs?: Tabs
  /**
   * Names in request and answer, or where in the answer: `'data.access_token'`, or a function of it. Default
   * `username`, `password`, `access_token`, `refresh_token`, `expires_in`.
   */
  readonly fields?: Partial<TokenFields>
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  url,
  refreshUrl: url,
  revokeUrl: url,
  refreshAs: words('json', 'form', 'header'),
  clientId: text,
  scope: text,
  refreshToken: storageRule('memory'),
  tabs: tabsRule,
  ...passwordRules(),
  ...tokenReachRules(),
})

const checked = (options: PasswordGrantOptions) => {
  check('passwordGrant', options, rules(), ['url'])
  const at = (name: string, value: string | URL | undefined) =>
    value === undefined ? undefined : endpoint(`passwordGrant: ${name}`, value, options)
  return {
    obtain: endpoint('passwordGrant: url', options.url, options),
    refresh: at('refreshUrl', options.refreshUrl),
    revoke: at('revokeUrl', options.revokeUrl),
    credentials: storedCredentials('passwordGrant', options),
  }
}

export const passwordGrantParts = (
  options: PasswordGrantOptions,
): SessionParts<PasswordCredentials> => {
  const { obtain, refresh, revoke, credentials } = checked(options)
  const { clientId, scope, refreshToken, reobtain = false } = options
  const fields = { ...OAUTH_FIELDS, ...options.fields }
  const client = clientId === undefined ? {} : { client_id: clientId }
  const reach = reachOf(
    'passwordGrant',
    options,
    [obtain, refresh, revoke].filter((at) => at !== undefined),
  )
  const request = (target: URL, body: TokenBody, signal?: AbortSignal): TokenPost => ({
    fetch: reach.fetch,
    url: target,
    body,
    signal,
    isRefused: options.isRefused,
  })
  const carrying = (
    target: URL,
    token: string,
    form: Record<string, string>,
    signal?: AbortSignal,
  ): TokenPost => {
    if (options.refreshAs === 'header')
      return {
        ...request(target, undefined, signal),
        headers: new Headers({ authorization: authorization(reach.scheme, token) }),
      }
    return options.refreshAs === 'form'
      ? request(target, { form: { ...form, ...client } }, signal)
      : request(target, { json: { [nameIn(fields.refresh, 'refresh_token')]: token } }, signal)
  }
  return rotatingParts<PasswordCredentials>(
    'passwordGrant',
    {
      obtain: async (given, signal) => {
        checkPassword('passwordGrant', given)
        const form = {
          grant_type: 'password',
          ...passwordBody(given, fields),
          ...client,
          ...(scope && { scope }),
        }
        return postForTokens(request(obtain(), { form }, signal), fields)
      },
      refresh:
        refresh &&
        (async (token = '') =>
          postForTokens(
            carrying(refresh(), token, { grant_type: 'refresh_token', refresh_token: token }),
            fields,
          )),
      revoker:
        revoke &&
        (() => async (held, signal) => {
          const token = held.refresh
          if (token === undefined) return
          const form = { token, token_type_hint: 'refresh_token' }
          await post(carrying(revoke(), token, form, signal))
        }),
      cookie: false,
      store: typeof refreshToken === 'object' ? refreshToken : undefined,
      tabs: options.tabs,
      credentials,
      reobtain,
    },
    reach,
  )
}

/**
 * A session by the OAuth2 password form, as in the FastAPI documentation, with or without a refresh
 * token.
 *
 * @throws {TypeError} a wrong option, by its name
 * @throws {InsecureUrlError} INSECURE_URL: `http:` to a host that is not loopback
 * @see RFC 6749 §4.3 (RFC 9700 §2.4 advises against it for clients of other parties)
 */
export const passwordGrant = (options: PasswordGrantOptions): Session<PasswordCredentials> =>
  createSession(passwordGrantParts(options))
