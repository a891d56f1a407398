import { check, duration, func, kindOf, type Rule, textsBy, url } from '../core/check.ts'
import type { Verdict } from '../core/verdict.ts'
import { TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { cookieSession } from './cookie-session.ts'
import { type CsrfOptions, checkCsrf, csrfRule } from './csrf.ts'
import { endpoint, parseUrl, redact } from './endpoint.ts'
import { type AuthFunction, functionSource } from './function-source.ts'
import { type Exchange, exchangeOf, holderOf, lend, reachOfSession } from './registry.ts'
import { createSession, isSession, type Session } from './session.ts'
import { type Reach, type ReachOptions, reachOf, reachRules } from './session-fetch.ts'
import { postToken, type TokenPost } from './token-endpoint.ts'

export interface TicketOptions<Credentials = never> extends Omit<ReachOptions, 'origins'> {
  /** Gives a ticket for a POST without a body: `'/api/ticket/'`. */
  readonly url: string | URL
  /**
   * Whose credential the request carries: a session's, whose `origins` must hold that of `url`, or what a function
   * gives, as for `auth`. Default: the cookies of the page. In Node give a `cookieSession({ cookie })` for those.
   */
  readonly session?: Session<Credentials> | AuthFunction
  /** Without `session`: the header that goes with the cookies. Default: Django's names. */
  readonly csrf?: CsrfOptions
  /** Name in the JSON of the answer. Default `'ticket'`. */
  readonly fields?: { readonly ticket?: string }
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
  fields: textsBy('ticket'),
  timeoutMs: duration,
  fetch: reachRules.fetch,
  allowInsecure: reachRules.allowInsecure,
  origin: reachRules.origin,
})

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
  { session, ...options }: TicketOptions<Credentials>,
  at: () => URL,
): Session<Credentials> => {
  if (typeof session === 'object') return session
  const { url: given, csrf, fields: _, timeoutMs: __, ...reach } = options
  if (session !== undefined)
    return createSession({
      maker: 'ticket',
      source: functionSource(session),
      reach: reachOf('ticket', reach, [at]),
    })
  const known = parseUrl(given, options.origin)
  return cookieSession({
    ...reach,
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
  return async (credentialId, signal) => {
    const target = listed(reach, at())
    const headers = new Headers()
    await reach.authorize(headers, holder.tokenOf(credentialId), target, 'POST')
    const heard = reach.cookies?.()?.accompany(target, headers)
    try {
      const token = await ticketFrom({ url: target, headers, heard }, reach, options, signal)
      if (token === last)
        throw new TokenUnavailableError(
          `POST ${redact(target)} gave the ticket before once more: each dial needs one of its own`,
        )
      last = token
      return { kind: 'token', token }
    } catch (cause) {
      return { verdict: verdictOf(cause), problem: { kind: 'dial', cause } }
    }
  }
}

const ticketFrom = async (
  asked: Pick<TokenPost, 'url' | 'headers' | 'heard'>,
  reach: Reach,
  { fetch = reach.fetch, fields, timeoutMs = TIMEOUT_MS }: TicketOptions<unknown>,
  signal: AbortSignal,
): Promise<string> => {
  const target = asked.url
  const answer = await inTime(target, timeoutMs, signal, (ended) =>
    postToken({
      ...asked,
      fetch,
      body: undefined,
      credentials: reach.credentials,
      signal: ended,
      refuses: (status, hasRefusal) => status === 401 || (status === 403 && hasRefusal),
    }),
  )
  const name = fields?.ticket ?? 'ticket'
  const value = answer[name]
  if (typeof value === 'string' && value !== '') return value
  throw new TokenUnavailableError(
    `POST ${redact(target)} answered with ${kindOf(value)} as '${name}': set fields.ticket`,
  )
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

/** An answer that is late says nothing of the credential. */
const inTime = async <Value>(
  target: URL,
  ms: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> => {
  const controller = new AbortController()
  const stop = () => controller.abort()
  const timer = setTimeout(stop, ms)
  signal.addEventListener('abort', stop)
  try {
    return await run(controller.signal)
  } catch (error) {
    if (!controller.signal.aborted || signal.aborted) throw error
    throw new TokenUnavailableError(`POST ${redact(target)} did not answer in time`)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
