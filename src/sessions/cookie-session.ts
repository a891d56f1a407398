import { check, either, func, kindOf, type Rule, text, textsBy, url } from '../core/check.ts'
import { TokenInvalidError, TokenUnavailableError } from '../errors.ts'
import { isBrowser } from '../shell/platform.ts'
import { handled } from '../shell/promises.ts'
import { CookieJar, type CsrfOptions, checkCsrf, csrfHeaders, csrfRule } from './cookies.ts'
import { endpoint, redact } from './endpoint.ts'
import { checkPassword, type PasswordCredentials, passwordBody } from './password.ts'
import { callUser } from './safe-error.ts'
import { createSession, type Entry, type Session, type SessionParts } from './session.ts'
import {
  isHeaderSafe,
  type Reach,
  type ReachOptions,
  reachOf,
  reachRules,
} from './session-fetch.ts'
import type { TokenAnswer, TokenSource } from './source.ts'
import { post } from './token-endpoint.ts'

export interface CookieSessionOptions extends ReachOptions {
  /**
   * Node: the Cookie header, `'sessionid=…'`, or a function that gives it before each dial. In a browser
   * the cookie travels by itself, and this throws `TypeError`.
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
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  cookie: either(text, func),
  login: url,
  logout: url,
  csrf: csrfRule,
  fields: textsBy('username', 'password'),
  ...reachRules,
})

const FIELDS = { username: 'username', password: 'password' }

/** How long `logout()` may wait for the server. */
const REVOKE_MS = 10_000

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE']

/** Who sends cookies by itself. A worker of a page has no document. */
const sendsCookies = (): boolean => typeof document !== 'undefined' || isBrowser()

/** The cookies of one session: the browser's, the given ones, or those that a login brought. */
class CookieSource implements TokenSource {
  readonly rotates = false
  readonly sendsCookie = true
  readonly everyDial: boolean
  readonly #cookie: CookieSessionOptions['cookie']
  #jar: CookieJar | undefined = new CookieJar()

  constructor(cookie: CookieSessionOptions['cookie']) {
    this.#cookie = cookie
    this.everyDial = typeof cookie === 'function'
  }

  /** `undefined` after a logout. */
  get jar(): CookieJar | undefined {
    return this.#jar
  }

  set jar(jar: CookieJar | undefined) {
    this.#jar = jar
  }

  get canRenew(): boolean {
    return this.everyDial && this.#jar !== undefined
  }

  get canAsk(): boolean {
    return (
      this.#jar !== undefined &&
      (sendsCookies() || this.#cookie !== undefined || this.#jar.header() !== '')
    )
  }

  async request(): Promise<TokenAnswer> {
    if (!this.canAsk) return { kind: 'signed-out' }
    if (sendsCookies()) return { kind: 'cookie' }
    return { kind: 'cookie', header: await this.header() }
  }

  clear(): void {
    this.#jar = undefined
  }

  /** The Cookie header: what the login brought wins over what was given. */
  async header(): Promise<string> {
    const cookie = this.#cookie
    const own = this.#jar?.header()
    const header = own || (typeof cookie === 'function' ? await callUser('cookie', cookie) : cookie)
    if (typeof header === 'string' && isHeaderSafe(header)) return header
    throw new TokenInvalidError(
      `cookie gave ${kindOf(header)}: give a Cookie header, 'name=value; …', in ASCII`,
    )
  }
}

const reachWith = (
  options: CookieSessionOptions,
  source: CookieSource,
  endpoints: ReadonlyArray<() => URL>,
): Reach =>
  reachOf('cookieSession', options, endpoints, {
    credentials: 'include',
    authorize: async (headers, _token, url, method) => {
      const jar = sendsCookies() ? new CookieJar() : CookieJar.of(url, await source.header())
      if (!SAFE_METHODS.includes(method.toUpperCase())) {
        const csrf = await csrfHeaders(options.csrf ?? {}, jar, url, options)
        for (const [name, value] of Object.entries(csrf)) headers.set(name, value)
      }
      if (!sendsCookies()) headers.set('cookie', jar.header(url))
    },
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
  const source = new CookieSource(options.cookie)
  const reach = reachWith(
    options,
    source,
    [login, logout].filter((one) => one !== undefined),
  )
  const send = async (
    target: URL,
    jar: CookieJar,
    json?: Record<string, string>,
    signal?: AbortSignal,
    cookie?: string,
  ) =>
    post({
      fetch: reach.fetch,
      url: target,
      body: json && { json },
      headers: {
        ...(cookie !== undefined && { cookie }),
        ...(await csrfHeaders(options.csrf ?? {}, jar, target, options)),
      },
      credentials: 'include',
      jar,
      signal,
    })
  return {
    maker: 'cookieSession',
    source,
    reach,
    ...(login && { signIn: signInWith(source, options.fields, login, send) }),
    restore: async () => {
      source.jar ??= new CookieJar()
      return source.canAsk ? { answer: await source.request(), commit() {} } : undefined
    },
    revoker: () => {
      if (!logout || !source.jar) return async () => {}
      // Read now: a moment later they are forgotten.
      const { jar } = source
      const cookie = sendsCookies() ? undefined : handled(source.header())
      return async () =>
        send(logout(), jar, undefined, AbortSignal.timeout(REVOKE_MS), await cookie)
    },
  }
}

const signInWith =
  (
    source: CookieSource,
    fields: CookieSessionOptions['fields'],
    login: () => URL,
    send: (
      url: URL,
      jar: CookieJar,
      json: Record<string, string>,
      signal: AbortSignal,
    ) => Promise<unknown>,
  ) =>
  async (given: PasswordCredentials | undefined, signal: AbortSignal): Promise<Entry> => {
    checkPassword('cookieSession', given)
    const jar = new CookieJar()
    await send(login(), jar, passwordBody(given, { ...FIELDS, ...fields }), signal)
    if (!sendsCookies() && jar.header() === '') {
      throw new TokenUnavailableError(`POST ${redact(login())} set no cookie: is it the login?`)
    }
    const answer: TokenAnswer = sendsCookies()
      ? { kind: 'cookie' }
      : { kind: 'cookie', header: jar.header() }
    return {
      answer,
      commit: () => {
        source.jar = jar
      },
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
