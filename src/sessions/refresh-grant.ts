import { check, either, func, type Rule, text, url } from '../core/check.ts'
import { TokenRefusedError } from '../errors.ts'
import { isBrowser } from '../shell/platform.ts'
import { endpoint } from './endpoint.ts'
import { fieldsBy } from './fields.ts'
import { OAUTH_FIELDS, postForTokens, type TokenFields } from './password.ts'
import { rotatingParts } from './refresh-rotation.ts'
import { createSession, type Session } from './session.ts'
import { reachOf, type TokenReachOptions, tokenReachRules } from './session-fetch.ts'
import type { SessionParts } from './session-parts.ts'
import { type Tabs, tabsRule } from './tabs-port.ts'
import { post, type RefusalOptions } from './token-endpoint.ts'
import { type TokenStore, tokenStore } from './token-store.ts'

export interface RefreshGrantOptions extends TokenReachOptions, RefusalOptions {
  /** The token endpoint: `'/oauth/token'`. */
  readonly url: string | URL
  /**
   * The refresh token, or the store that it rests in: another program has put it there, the next one is written
   * back. A text is kept in memory, so it is of use once where the server rotates. May be left out only where
   * tabs share a store, which holds it then.
   */
  readonly refreshToken?: string | TokenStore
  /** Shares the session among the tabs of an origin: `shareTabs({ key, share })`. Default: each tab has its own. */
  readonly tabs?: Tabs
  /** Default: none. */
  readonly clientId?: string
  /**
   * Sent in the header, as HTTP Basic (RFC 6749 §2.3.1). Only where nobody can read the program: in a browser
   * this throws `TypeError`. Needs `clientId`. Default: none, a public client.
   */
  readonly clientSecret?: string
  /** Scopes with a space between them, none more than were granted. Default: those that were. */
  readonly scope?: string
  /** Told on `logout()` (RFC 7009). Default: nobody is told. */
  readonly revokeUrl?: string | URL
  /** Default `access_token`, `refresh_token`, `expires_in`. */
  readonly fields?: Partial<Pick<TokenFields, 'access' | 'refresh' | 'expiresIn'>>
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  url,
  refreshToken: either(text, tokenStore),
  tabs: tabsRule,
  clientId: text,
  clientSecret: text,
  scope: text,
  revokeUrl: url,
  fields: fieldsBy([], ['access', 'refresh', 'expiresIn']),
  isRefused: func,
  ...tokenReachRules(),
})

const memory = (refreshToken: string): TokenStore => {
  let kept: string | null = refreshToken
  return {
    get: () => kept,
    set: (value) => {
      kept = value
    },
  }
}

/** @see RFC 6749 §2.3.1: id and secret are form-encoded, then joined */
const basic = (clientId: string, clientSecret: string): Headers => {
  const [id, secret] = [clientId, clientSecret].map((part) =>
    new URLSearchParams([['', part]]).toString().slice(1),
  )
  return new Headers({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
}

export const refreshGrantParts = (options: RefreshGrantOptions): SessionParts<never> => {
  const { clientId, clientSecret, isRefused, refreshToken, scope, tabs } = options ?? {}
  check('refreshGrant', options, rules(), tabs?.store ? ['url'] : ['url', 'refreshToken'])
  if (clientSecret !== undefined && isBrowser())
    throw new TypeError(
      'refreshGrant: clientSecret is no secret in a browser: leave it out, and register a public client',
    )
  if (clientSecret !== undefined && clientId === undefined)
    throw new TypeError('refreshGrant: clientSecret needs the option clientId')
  const at = endpoint('refreshGrant: url', options.url, options)
  const revoke =
    options.revokeUrl === undefined
      ? undefined
      : endpoint('refreshGrant: revokeUrl', options.revokeUrl, options)
  const fields = { ...OAUTH_FIELDS, ...options.fields }
  const reach = reachOf('refreshGrant', options, revoke ? [at, revoke] : [at])
  const isPublic = clientId !== undefined && clientSecret === undefined
  const request = (target: URL, form: Record<string, string>, signal?: AbortSignal) => ({
    fetch: reach.fetch,
    url: target,
    body: { form: { ...form, ...(isPublic && { client_id: clientId }) } },
    ...(clientId && clientSecret && { headers: basic(clientId, clientSecret) }),
    signal,
    isRefused,
    ...(clientSecret && { secrets: [clientSecret] }),
  })
  const { signIn: _, ...parts } = rotatingParts<never>(
    'refreshGrant',
    {
      obtain: () => Promise.reject(new TokenRefusedError()),
      refresh: async (token = '') => {
        const form = { grant_type: 'refresh_token', refresh_token: token, ...(scope && { scope }) }
        return postForTokens(request(at(), form), fields)
      },
      revoker:
        revoke &&
        (() => async (held, signal) => {
          if (held.refresh === undefined) return
          const form = { token: held.refresh, token_type_hint: 'refresh_token' }
          await post(request(revoke(), form, signal))
        }),
      cookie: false,
      store: typeof refreshToken === 'string' ? memory(refreshToken) : refreshToken,
      tabs,
      reobtain: false,
    },
    reach,
  )
  return parts
}

/**
 * A session that begins with a refresh token: that of an OAuth2 code flow or device flow which ran elsewhere, or
 * one that was issued to a bot. It may rotate: it is sent once, by one request at a time.
 *
 * @throws {TypeError} a wrong option, by its name; `clientSecret` in a browser
 * @throws {InsecureUrlError} INSECURE_URL: `http:` to a host that is not loopback
 * @see RFC 6749 §6, RFC 9700 §4.14.2
 */
export const refreshGrant = (options: RefreshGrantOptions): Session =>
  createSession(refreshGrantParts(options))
