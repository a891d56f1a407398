import { flag, func, type Rule, text, texts, word } from '../core/check.ts'
import { NotConnectedError, TokenInvalidError } from '../errors.ts'
import { abortable, handled } from '../shell/promises.ts'
import { discardBody } from './body.ts'
import { parseUrl, redact, requireSecure, toOrigin, type UrlRules } from './endpoint.ts'
import type { CredentialHolder } from './holder.ts'
import type { Cookies, TokenSource } from './source.ts'
import type { Fetch } from './token-endpoint.ts'

/** Where a session's credential may travel, and how. */
export interface ReachOptions {
  /**
   * Origins that `session.fetch` may send the token to, beside those of the session's own URLs.
   * Default: none more; the page's own where the session has no URL.
   */
  readonly origins?: readonly string[]
  /** Replaces the global `fetch`: a proxy agent, a polyfill. */
  readonly fetch?: Fetch
  /** Allows `http:` to hosts other than loopback: tokens travel in the clear. Default `false`. */
  readonly allowInsecure?: boolean
  /** What relative URLs are resolved against where there is no `location` (Node). Default: none. */
  readonly origin?: string
}

/** For sessions whose token travels. */
export interface TokenReachOptions extends ReachOptions {
  /** The word before the token in `Authorization`: `'Token'` for Knox and DRF, `'JWT'` for djoser. Default `'Bearer'`. */
  readonly scheme?: string
}

export const reachRules = {
  origins: texts,
  fetch: func,
  allowInsecure: flag,
  origin: text,
} satisfies Record<string, Rule>

/** Made when used: a spread that runs at import cannot be shaken away. */
export const tokenReachRules = () =>
  ({ ...reachRules, scheme: word }) satisfies Record<string, Rule>

export interface Reach {
  readonly fetch: Fetch
  readonly rules: UrlRules
  /** Resolved when used: where a page is rendered on a server, its `location` is missing. */
  readonly origins: () => ReadonlySet<string>
  readonly authorize: (
    headers: Headers,
    token: string | undefined,
    url: URL,
    method: string,
  ) => unknown
  /** Those of now, where the runtime keeps none. */
  readonly cookies?: () => Cookies | undefined
  readonly credentials?: RequestCredentials
  /** The word before the token, for whoever writes the header without `authorize`. */
  readonly scheme: string
}

/** Visible ASCII only. By character codes: `RegExp.$_` would keep the token. */
export const isHeaderSafe = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return value !== ''
}

/**
 * What stands in `Authorization`.
 *
 * @throws {TokenInvalidError} TOKEN_INVALID
 */
export const authorization = (scheme: string, token: string): string => {
  // The error of Headers.set would quote the token.
  if (!isHeaderSafe(token))
    throw new TokenInvalidError('the token holds characters that a header cannot carry')
  return `${scheme} ${token}`
}

const originsOf = (listed: readonly string[], endpoints: ReadonlyArray<() => URL>) => {
  const origins = new Set([...listed, ...endpoints.map((url) => url().origin)])
  // Typed as always there; Node has none.
  const page: Location | undefined = globalThis.location
  if (origins.size === 0 && page) origins.add(page.origin)
  return origins
}

/** @throws {InsecureUrlError} INSECURE_URL */
export const reachOf = (
  maker: string,
  options: TokenReachOptions,
  endpoints: ReadonlyArray<() => URL>,
  how: Partial<Pick<Reach, 'authorize' | 'credentials' | 'cookies'>> = {},
): Reach => {
  if (options.origin !== undefined) toOrigin(`${maker}: origin`, options.origin, options)
  const listed = (options.origins ?? []).map((origin) =>
    toOrigin(`${maker}: origins`, origin, options),
  )
  const { scheme = 'Bearer' } = options
  return {
    // Looked up late, so that a polyfill or an instrumented fetch that comes later is used.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    rules: options,
    origins: () => originsOf(listed, endpoints),
    scheme,
    authorize: (headers, token) => {
      if (token !== undefined) headers.set('authorization', authorization(scheme, token))
    },
    ...how,
  }
}

type Input = Parameters<Fetch>[0]

const targetOf = (reach: Reach, input: Input): URL => {
  // Typed as always there; Node has none.
  const page: Location | undefined = globalThis.location
  const url = parseUrl(
    input instanceof Request ? input.url : input,
    reach.rules.origin ?? page?.href,
  )
  if (!url)
    throw new TypeError(
      'session.fetch: no absolute URL, and no location or origin to resolve it against',
    )
  const origins = reach.origins()
  if (!origins.has(url.origin)) {
    const known = [...origins].join(', ') || 'nowhere'
    throw new TypeError(
      `session.fetch does not send the token to ${url.origin}, only to ${known}: list it in the session's origins`,
    )
  }
  requireSecure('session.fetch:', url, reach.rules)
  return url
}

/** A page sees no status of it. */
const isRedirect = ({ type, status }: Response): boolean =>
  type === 'opaqueredirect' || [301, 302, 303, 307, 308].includes(status)

/** A body that is read once cannot be sent twice. */
const isReplayable = (input: Input, init: RequestInit | undefined): boolean => {
  const body = init?.body
  if (body === undefined || body === null) {
    return !(input instanceof Request) || input.method === 'GET' || input.method === 'HEAD'
  }
  // Typed as always there; React Native has none.
  const Stream: typeof ReadableStream | undefined = globalThis.ReadableStream
  return (
    typeof body === 'string' ||
    !((Stream && body instanceof Stream) || Symbol.asyncIterator in body)
  )
}

/** `true` when there is another token than the one that was answered with 401. */
const renew = async (holder: CredentialHolder, source: TokenSource, used: string | undefined) => {
  if (!source.canRenew) return false
  try {
    // Another request may have replaced it since.
    if (used === undefined || (await holder.token()) === used) await holder.refresh()
    return used === undefined || (await holder.token()) !== used
  } catch {
    // The 401 tells the caller more than the failed refresh; that one is the session's to report.
    return false
  }
}

export const sessionFetch = (
  reach: Reach,
  holder: CredentialHolder,
  source: TokenSource,
): Fetch => {
  const send = async (url: URL, input: Input, init: RequestInit, token: string | undefined) => {
    const request = input instanceof Request ? input : undefined
    const headers = headersIn(input, init)
    await reach.authorize(headers, token, url, init.method ?? request?.method ?? 'GET')
    const heard = reach.cookies?.()?.accompany(url, headers)
    const redirect = init.redirect ?? request?.redirect
    const response = await reach.fetch(request ?? url, {
      ...init,
      ...(reach.credentials && { credentials: init.credentials ?? reach.credentials }),
      headers,
      // `error` would be the word, but Workers do not know it.
      redirect: 'manual',
    })
    heard?.(response)
    if (redirect === 'manual' || !isRedirect(response)) return response
    discardBody(response)
    throw new TypeError(
      `session.fetch: ${redact(url)} redirects, and is not followed: ask where it leads, or pass redirect: 'manual'`,
    )
  }
  const run = async (input: Input, init: RequestInit = {}) => {
    const url = targetOf(reach, input)
    const signal = init.signal ?? (input instanceof Request ? input.signal : undefined)
    // The caller's own credential stays, and what its 401 means is the caller's to say.
    const isOwn = headersIn(input, init).has('authorization')
    const { login } = holder.identity
    const isTheirs = () => login < holder.identity.since
    const token = isOwn && !source.sendsCookie ? undefined : await abortable(holder.token(), signal)
    if (isTheirs()) throw new NotConnectedError('somebody else signed in before it was sent')
    const response = await send(url, input, init, token)
    if (response.status !== 401 || isOwn || !isReplayable(input, init)) return response
    const isRenewed = !isTheirs() && (await abortable(renew(holder, source, token), signal))
    if (!isRenewed || isTheirs()) return response
    discardBody(response)
    return send(url, input, init, await abortable(holder.token(), signal))
  }
  return (input, init) => handled(run(input, init))
}

const headersIn = (input: Input, init: RequestInit): Headers =>
  new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined))
