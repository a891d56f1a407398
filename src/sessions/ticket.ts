import { check, duration, func, isObject, type Rule, url, word, words } from '../core/check.ts'
import type { Verdict } from '../core/verdict.ts'
import { TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { inTime } from '../shell/in-time.ts'
import { cookieSession } from './cookie-session.ts'
import { type CsrfOptions, checkCsrf, csrfRule } from './csrf.ts'
import { endpoint, parseUrl, redact } from './endpoint.ts'
import { type Field, fieldsBy, lacks, readField } from './fields.ts'
import { type AuthFunction, functionSource } from './function-source.ts'
import { type Exchange, exchangeOf, holderOf, lend, reachOfSession } from './registry.ts'
import { createSession, isSession, type Session } from './session.ts'
import { type Reach, reachOf, reachRules, type TokenReachOptions } from './session-fetch.ts'
import { postToken, type Reading, type RefusalOptions } from './token-endpoint.ts'

export interface TicketOptions<Credentials = never>
  extends Omit<TokenReachOptions, 'origins'>,
    RefusalOptions {
  /** Gives a ticket for a request without a body: `'/api/ticket/'`. */
  readonly url: string | URL
  /** Default `'POST'`. */
  readonly method?: 'GET' | 'POST'
  /**
   * Sent along. An `Authorization` among them stays: no token of the session is sent beside it, and a 401 does not
   * speak of that token. Default: none.
   */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Whose credential the request carries: a session's, whose `origins` must hold that of `url`, or what a function
   * gives, as for `auth`. Default: the cookies of the page. In Node give a `cookieSession({ cookie })` for those.
   */
  readonly session?: Session<Credentials> | AuthFunction
  /** Without `session`: the header that goes with the cookies. Default: Django's names. */
  readonly csrf?: CsrfOptions
  /** Name in the JSON of the answer, where in it (`'data.ticket'`), or a function of it. Default `'ticket'`. */
  readonly fields?: { readonly ticket?: Field }
  /** A ticket must come by then, in ms. Default 5,000. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 5_000

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({
  url,
  session: [
    (value) => func[0](value) || (isSession(value) && exchangeOf(value) === undefined),
    'a session that is no ticket itself, or a function',
  ],
  csrf: csrfRule,
  fields: fieldsBy([], ['ticket']),
  timeoutMs: duration,
  method: words('GET', 'POST'),
  headers: [areHeaders, 'an object of header names and values'],
  isRefused: func,
  fetch: reachRules.fetch,
  allowInsecure: reachRules.allowInsecure,
  origin: reachRules.origin,
  scheme: word,
})

const areHeaders = (value: unknown): boolean => {
  try {
    // Throws for what no header carries, and quotes it.
    return isObject(value) && new Headers(value as Record<string, string>) !== undefined
  } catch {
    return false
  }
}

/**
 * For servers that take a single-use token (a ticket, a nonce) in the handshake, and give one to whoever is signed
 * in. Each dial carries a ticket of its own, also the confirming one; none is kept, and none is sent twice. The
 * session is that of `session`: its login, its expiry, its logout. A 401 of `url` is a rejection of its token, so
 * it is refreshed, once; every other failure is tried again later, with the backoff of the socket.
 *
 * @returns a session for `auth`; all sockets and tickets share the one given
 * @throws {TypeError} a wrong option, by its name
 * @throws {InsecureUrlError} INSECURE_URL: `http:` to a host that is not loopback
 * @see OWASP ASVS 5.0, 4.4.3: tokens of their own for WebSockets
 */
export const ticket = <Credentials = never>(
  options: TicketOptions<Credentials>,
): Session<Credentials> => {
  check('ticket', options, rules(), ['url'])
  checkCsrf('ticket', options.csrf)
  const at = endpoint('ticket: url', options.url, options)
  const session = sessionOf(options, at)
  const view = faceOf(session)
  lend(view, session, exchangeWith(options, session, at))
  return view
}

const sessionOf = <Credentials>(
  options: TicketOptions<Credentials>,
  at: () => URL,
): Session<Credentials> => {
  const { session, scheme, fetch, allowInsecure, origin, csrf } = options
  if (typeof session === 'function')
    return createSession({
      maker: 'ticket',
      source: functionSource(session),
      reach: reachOf('ticket', options, [at]),
    })
  if (scheme !== undefined)
    throw new TypeError('ticket: scheme is for a function as session; a session has its own')
  if (session) return session
  const known = parseUrl(options.url, origin)
  return cookieSession({
    ...(fetch && { fetch }),
    ...(allowInsecure !== undefined && { allowInsecure }),
    ...(origin !== undefined && { origin }),
    ...(csrf && { csrf }),
    ...(known && { origins: [known.origin] }),
    // It has no login, so nobody can pass credentials of another kind.
  }) as Session<unknown>
}

const faceOf = <Credentials>(session: Session<Credentials>): Session<Credentials> => ({
  get signedIn() {
    return session.signedIn
  },
  login: (credentials, how) => session.login(credentials, how),
  switch: (credentials, how) => session.switch(credentials, how),
  restore: () => session.restore(),
  logout: (how) => session.logout(how),
  on: (name, listener, how) => session.on(name, listener, how),
  fetch: session.fetch,
})

const exchangeWith = (
  options: TicketOptions<unknown>,
  session: Session<never> | Session<unknown>,
  at: () => URL,
): Exchange => {
  const reach = reachOfSession(session)
  const holder = holderOf(session)
  let last: unknown
  session.on('signedout', () => {
    last = undefined
  })
  const { method = 'POST', timeoutMs = TIMEOUT_MS } = options
  return async (credentialId, signal) => {
    const target = listed(reach, at())
    const asked = `${method} ${redact(target)}`
    // It says nothing of the credential.
    const late = () => new TokenUnavailableError(`${asked} did not answer in time`)
    const headers = new Headers(options.headers)
    const isOwn = headers.has('authorization')
    await reach.authorize(headers, isOwn ? undefined : holder.tokenOf(credentialId), target, method)
    const heard = reach.cookies?.()?.accompany(target, headers)
    try {
      const token = await inTime(timeoutMs, late, signal, (ended) =>
        postToken(
          {
            fetch: options.fetch ?? reach.fetch,
            url: target,
            method,
            body: undefined,
            headers,
            heard,
            credentials: reach.credentials,
            signal: ended,
            isRefused: options.isRefused,
            // A 401 is about the credential, in whatever words, but for a proxy's.
            refuses: (status, voice) =>
              !isOwn && (status === 401 ? voice !== 'proxy' : status === 403 && voice === 'known'),
          },
          (answer) => ticketIn(answer, options.fields?.ticket),
        ),
      )
      if (token === last)
        throw new TokenUnavailableError(
          `${asked} gave the ticket before once more: each dial needs one of its own`,
        )
      last = token
      return { kind: 'token', token }
    } catch (cause) {
      return { verdict: verdictOf(cause), problem: { kind: 'dial', cause } }
    }
  }
}

const ticketIn = async (
  answer: Readonly<Record<string, unknown>>,
  field: Field = 'ticket',
): Promise<Reading<string>> => {
  const value = await readField('ticket', field, answer)
  return typeof value === 'string' && value !== ''
    ? { value }
    : { lacks: lacks('ticket', field, value, answer) }
}

/** Refused is a rejection of the credential, which the machines count; all else is tried again later. */
const verdictOf = (cause: unknown): Verdict => {
  if (cause instanceof TokenRefusedError) return 'reauthenticate'
  const advice = cause instanceof TokenUnavailableError ? cause.retryAfterMs : undefined
  return advice === undefined ? 'retry' : { retryAfterMs: advice }
}

const listed = (reach: Reach, target: URL): URL => {
  if (reach.origins().has(target.origin)) return target
  throw new TypeError(
    `ticket: url is on ${target.origin}, where the session sends no token: list it in the session's origins`,
  )
}
