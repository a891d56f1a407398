import { check, type Rule, text, url, words } from '../core/check.ts'
import { endpoint } from './endpoint.ts'
import {
  checkPassword,
  OAUTH_FIELDS,
  type PasswordCredentials,
  type PasswordOptions,
  passwordBody,
  passwordRules,
  storageRule,
  storedCredentials,
  type TokenFields,
  tokensOf,
} from './password.ts'
import { rotatingParts } from './refresh-rotation.ts'
import { createSession, type Session, type SessionParts } from './session.ts'
import { type ReachOptions, reachOf, reachRules } from './session-fetch.ts'
import { type Tabs, tabsRule } from './tabs-port.ts'
import { post, postToken, type TokenBody } from './token-endpoint.ts'
import type { TokenStore } from './token-store.ts'

export interface PasswordGrantOptions extends PasswordOptions, ReachOptions {
  /** The token endpoint: `'/token'`. */
  readonly url: string | URL
  /** Gives the next tokens. Default: none, so the session ends with its token. */
  readonly refreshUrl?: string | URL
  /** Told on `logout()`. Default: nobody is told. */
  readonly revokeUrl?: string | URL
  /**
   * How `refreshUrl` and `revokeUrl` take the token. `'json'` (default): `{ refresh_token }`, as
   * hand-written FastAPI routes do. `'form'`: as RFC 6749 §6 and RFC 7009 §2.1 say.
   */
  readonly refreshAs?: 'json' | 'form'
  /** Default: none. */
  readonly clientId?: string
  /** Scopes with a space between them. Default: none. */
  readonly scope?: string
  /** Where the refresh token rests. Default `'memory'`: signed out after a reload. */
  readonly refreshToken?: 'memory' | TokenStore
  /** Shares the session among the tabs of an origin: `shareTabs({ key, share })`. Default: each tab has its own. */
  readonly tabs?: Tabs
  /** Default `username`, `password`, `access_token`, `refresh_token`, `expires_in`. */
  readonly fields?: Partial<TokenFields>
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  url,
  refreshUrl: url,
  revokeUrl: url,
  refreshAs: words('json', 'form'),
  clientId: text,
  scope: text,
  refreshToken: storageRule('memory'),
  tabs: tabsRule,
  ...passwordRules(),
  ...reachRules,
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
  const tokens = async (target: URL, body: TokenBody, signal?: AbortSignal) =>
    tokensOf(target, await postToken({ fetch: reach.fetch, url: target, body, signal }), fields)
  const bodyOf = (token: string, form: Record<string, string>): TokenBody =>
    options.refreshAs === 'form'
      ? { form: { ...form, ...client } }
      : { json: { [fields.refresh]: token } }
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
        return tokens(obtain(), { form }, signal)
      },
      refresh:
        refresh &&
        (async (token = '') =>
          tokens(refresh(), bodyOf(token, { grant_type: 'refresh_token', refresh_token: token }))),
      revoker:
        revoke &&
        (() => async (held, signal) => {
          const token = held.refresh
          if (token === undefined) return
          const body = bodyOf(token, { token, token_type_hint: 'refresh_token' })
          await post({ fetch: reach.fetch, url: revoke(), body, signal })
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
