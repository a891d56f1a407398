import { check, either, func, isObject, type Rule, text, textsBy, url } from '../core/check.ts'
import { TokenUnavailableError } from '../errors.ts'
import { abortsIn } from '../shell/abort.ts'
import { handled } from '../shell/promises.ts'
import type { CookieJar } from './cookie-jar.ts'
import { CookieSource, sendsCookies } from './cookie-source.ts'
import { type CsrfOptions, checkCsrf, csrfHeaders, csrfRule } from './csrf.ts'
import { endpoint, redact } from './endpoint.ts'
import { checkPassword, type PasswordCredentials, passwordBody } from './password.ts'
import { createSession, type Session } from './session.ts'
import { type Reach, type ReachOptions, reachOf, reachRules } from './session-fetch.ts'
import type { Entry, SessionParts } from './session-parts.ts'
import { type Tabs, tabsRule } from './tabs-port.ts'
import { post, type RefusalOptions } from './token-endpoint.ts'

export interface CookieSessionOptions extends ReachOptions, RefusalOptions {
  /**
   * Node: the Cookie header, `'sessionid=…'`, or a function that gives it before each dial and each `fetch`. What
   * answers set replaces cookies of the same name. In a browser the cookie travels by itself, and this throws
   * `TypeError`.
   */
  readonly cookie?: string | (() => string | Promise<string>)
  /** Takes username and password as JSON and sets the cookie. Default: none, so there is no `login()`. */
  readonly login?: string | URL
  /** Told on `logout()`, with the cookie. Default: nobody is told. */
  readonly logout?: string | URL
  /** Default: Django's names; without such a cookie no header is sent. */
  readonly csrf?: CsrfOptions
  /** Names in the JSON of the login. Default `username`, `password`. */
  readonly fields?: { readonly username?: string; readonly password?: string }
  /**
   * `shareTabs({ key, share: 'broadcast' })`: a login or a logout in one tab is one in all; the cookie does not
   * travel, since they all have it. Without effect in Node. Default: a tab finds out when the server refuses it.
   */
  readonly tabs?: Tabs
}

/** A store would hold nothing: the cookie is the browser's. */
const TABS = "shareTabs({ key, share: 'broadcast' })"

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  cookie: either(text, func),
  login: url,
  logout: url,
  csrf: csrfRule,
  fields: textsBy('username', 'password'),
  isRefused: func,
  tabs: [(value) => tabsRule[0](value) && isObject(value) && value['store'] === undefined, TABS],
  ...reachRules,
})

const FIELDS = { username: 'username', password: 'password' }

/** How long `logout()` may wait for the server. */
const REVOKE_MS = 10_000

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

const reachWith = (
  options: CookieSessionOptions,
  source: CookieSource,
  endpoints: ReadonlyArray<() => URL>,
): Reach =>
  reachOf('cookieSession', options, endpoints, {
    credentials: 'include',
    authorize: async (headers, _token, url, method) => {
      const jar = await source.cookies()
      if (!SAFE_METHODS.includes(method.toUpperCase())) {
        const csrf = await csrfHeaders(options.csrf ?? {}, jar, url, options)
        for (const [name, value] of Object.entries(csrf)) headers.set(name, value)
      }
    },
    cookies: () => source.jar,
  })

export const cookieSessionParts = (
  options: CookieSessionOptions = {},
): SessionParts<PasswordCredentials> => {
  check('cookieSession', options, rules())
  checkCsrf('cookieSession', options.csrf)
  if (options.cookie !== undefined && sendsCookies()) {
    throw new TypeError(
      'cookieSession: cookie is for Node; in a browser the cookie travels by itself, leave it out',
    )
  }
  const at = (name: 'login' | 'logout') => {
    const value = options[name]
    return value === undefined ? undefined : endpoint(`cookieSession: ${name}`, value, options)
  }
  const login = at('login')
  const logout = at('logout')
  const source = new CookieSource(options)
  const reach = reachWith(
    options,
    source,
    [login, logout].filter((one) => one !== undefined),
  )
  const send: Send = async (target, jar, signal, json) => {
    const headers = new Headers(await csrfHeaders(options.csrf ?? {}, jar, target, options))
    return post({
      fetch: reach.fetch,
      isRefused: options.isRefused,
      url: target,
      body: json && { json },
      headers,
      credentials: 'include',
      heard: jar?.accompany(target, headers),
      signal,
    })
  }
  return {
    maker: 'cookieSession',
    source,
    follow: (session) => source.follow(session),
    reach,
    ...(login && { signIn: signInWith(source, options.fields, login, send) }),
    restore: async () => {
      source.returns()
      return source.canAsk ? { answer: await source.request(), commit() {} } : undefined
    },
    revoker: () => {
      if (!logout || !source.canAsk) return async () => {}
      // Read now: a moment later they are forgotten.
      const cookies = handled(source.cookies())
      return async () => send(logout(), await cookies, abortsIn(REVOKE_MS))
    },
  }
}

type Send = (
  url: URL,
  jar: CookieJar | undefined,
  signal: AbortSignal,
  json?: Record<string, string>,
) => ReturnType<typeof post>

const signInWith =
  (source: CookieSource, fields: CookieSessionOptions['fields'], login: () => URL, send: Send) =>
  async (given: PasswordCredentials | undefined, signal: AbortSignal): Promise<Entry> => {
    checkPassword('cookieSession', given)
    const jar = source.begin()
    const body = passwordBody(given, { ...FIELDS, ...fields })
    const { status, isPage } = await send(login(), jar, signal, body)
    if (isPage)
      throw new TokenUnavailableError(
        `POST ${redact(login())} answered ${status} with a page: is it the view of a form? login takes JSON, and wants JSON back`,
      )
    jar?.mustHoldSome(login())
    return {
      answer: source.answerWith(jar),
      commit: () => source.signedIn(jar),
    }
  }

/**
 * A session without a token: the cookie of a login by form or JSON, as in Django. In a browser it travels
 * by itself, and whether it is still valid shows only when a server refuses it, so `restore()` is
 * `true` there.
 *
 * @throws {TypeError} a wrong option, by its name; `cookie` in a browser
 * @throws {InsecureUrlError} INSECURE_URL: `http:` to a host that is not loopback
 */
export const cookieSession = (options?: CookieSessionOptions): Session<PasswordCredentials> =>
  createSession(cookieSessionParts(options))
