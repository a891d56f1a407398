/** HTTP to token endpoints: what travels, and what each answer means. */
import { isObject, kindOf } from '../core/check.ts'
import { isRefusal, wordsOf } from '../core/refusal.ts'
import { told } from '../core/told.ts'
import { type EndpointWords, TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { throwIfAborted } from '../shell/abort.ts'
import { noStore } from '../shell/no-store.ts'
import { retryAfterMs } from '../shell/retry-after.ts'
import { readBody } from './body.ts'
import { redact } from './endpoint.ts'
import { callUser, nameOf } from './safe-error.ts'

export type Fetch = typeof globalThis.fetch

export type TokenBody =
  | { readonly json: Readonly<Record<string, unknown>> }
  | { readonly form: Readonly<Record<string, string>> }
  | undefined

/** A failure, for whoever knows better what it means. */
export interface EndpointAnswer {
  readonly status: number
  /** What the JSON says; the text where it is none. */
  readonly body: unknown
}

export interface RefusalOptions {
  /**
   * Is this answer a no for good? `true` and `false` decide, `undefined` leaves it to the default: the JSON of a
   * token endpoint that says so, or an empty 401 (docs/errors.md). Asked for every answer that brings no token.
   */
  readonly isRefused?: ((answer: EndpointAnswer) => boolean | undefined) | undefined
}

/** In whose voice a failure speaks: the endpoint's, in words or without one, a proxy's, or one that is not known. */
export type Voice = 'known' | 'empty' | 'proxy' | 'unknown'

export interface TokenPost extends RefusalOptions {
  readonly fetch: Fetch
  readonly url: URL
  readonly method?: 'GET' | 'POST' | undefined
  readonly body: TokenBody
  readonly headers?: Headers | undefined
  readonly signal?: AbortSignal | undefined
  readonly credentials?: RequestCredentials | undefined
  /** Hears each answer, whatever it means. */
  readonly heard?: ((answer: Response) => unknown) | undefined
  /** What travels encoded: no error repeats it. */
  readonly secrets?: readonly string[] | undefined
  /** Which failures are a no for good by default. */
  readonly refuses?: ((status: number, voice: Voice) => boolean) | undefined
}

/** Fields of a request that are no secret, and are words that an answer may need. */
const PUBLIC = ['grant_type', 'token_type_hint', 'client_id', 'scope']

const LONGEST_CODE = 64
const LONGEST_DETAIL = 200

const hint = (status: number, voice: Voice): string => {
  if (status < 400) return 'a redirect, not followed: is the path right, with its slash at the end?'
  if (status === 404) return 'is the path right, with its slash at the end?'
  if (status === 405) return 'another method (ticket: method), or a slash at the end?'
  if (status === 415 || status === 422)
    return 'simpleJwt sends JSON, passwordGrant a form: which one does it take?'
  if (voice === 'proxy') return 'a proxy asks who you are'
  return [400, 401, 403, 419].includes(status)
    ? 'is a proxy or a CSRF check in between? Or is it a refusal: set isRefused'
    : 'it is asked again later'
}

const headersOf = (post: TokenPost): Headers => {
  const headers = new Headers(post.headers)
  headers.set('accept', 'application/json')
  if (post.body && 'json' in post.body) headers.set('content-type', 'application/json')
  return headers
}

const bodyOf = (body: TokenBody): string | URLSearchParams | null => {
  if (!body) return null
  return 'json' in body ? JSON.stringify(body.json) : new URLSearchParams(body.form)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    // The message of JSON.parse quotes its input.
    return text
  }
}

const named = ({ method = 'POST', url }: TokenPost): string => `${method} ${redact(url)}`

const send = async (post: TokenPost): Promise<{ response: Response; text: string | undefined }> => {
  try {
    const response = await post.fetch(post.url, {
      method: post.method ?? 'POST',
      headers: headersOf(post),
      body: bodyOf(post.body),
      // Workers know no `error`. Not ok it is in any case.
      redirect: 'manual',
      ...noStore(),
      credentials: post.credentials ?? 'same-origin',
      signal: post.signal ?? null,
    })
    post.heard?.(response)
    return { response, text: await readBody(response) }
  } catch (error) {
    throwIfAborted(post.signal)
    throw new TokenUnavailableError(
      `${named(post)} failed (${nameOf(error)}): is it reachable, does it allow this origin (CORS)?`,
    )
  }
}

/** A page, whatever else it is called: Django says `text/html` of every answer that it is not told about. */
const isPage = ({ headers }: Response, text: string): boolean =>
  (headers.get('content-type') ?? 'html').toLowerCase().includes('html') &&
  text.trimStart().startsWith('<')

/** Schemes with which proxies ask, in browsers by a dialog: no token endpoint speaks so. */
const CHALLENGE = /(^|,) *(basic|negotiate|ntlm)\b/i

const voiceOf = ({ status, headers }: Response, text: string, body: unknown): Voice => {
  if (isRefusal(status, body)) return 'known'
  if (CHALLENGE.test(headers.get('www-authenticate') ?? '')) return 'proxy'
  // Express writes out what the status is called, and no more.
  return ['', 'unauthorized'].includes(text.trim().toLowerCase()) ? 'empty' : 'unknown'
}

const wordsFor = (post: TokenPost, status: number, body: unknown): EndpointWords => {
  const { code, detail } = wordsOf(status, body)
  const carried = post.body && ('json' in post.body ? post.body.json : post.body.form)
  const secrets = Object.entries({
    ...carried,
    ...Object.fromEntries(post.headers ?? []),
    ...post.secrets,
  })
    .filter(([name]) => !PUBLIC.includes(name))
    .map(([, value]) => `${value}`)
  return {
    // A page sees 0 of a redirect.
    status: status || undefined,
    serverCode: code && told(code, secrets, LONGEST_CODE),
    detail: detail && told(detail, secrets, LONGEST_DETAIL),
  }
}

/** What the user says of an answer; `undefined` where nothing is said. */
const askUser = async (post: TokenPost, answer: EndpointAnswer): Promise<boolean | undefined> => {
  const { isRefused } = post
  if (!isRefused) return undefined
  const said: unknown = await callUser('isRefused', () => isRefused(answer))
  if (said === undefined || typeof said === 'boolean') return said
  throw new TokenUnavailableError(
    `isRefused gave ${kindOf(said)}: return true, false, or undefined for the default`,
  )
}

const refusal = (what: string, words: EndpointWords): TokenRefusedError =>
  new TokenRefusedError(`${what} answered ${words.status}, a refusal: sign in again`, words)

const failureOf = async (post: TokenPost, response: Response, text: string): Promise<Error> => {
  const { status } = response
  const body = parse(text)
  const words = wordsFor(post, status, body)
  const voice = voiceOf(response, text, body)
  const { refuses = isNo } = post
  if ((await askUser(post, { status, body })) ?? refuses(status, voice))
    return refusal(named(post), words)
  return new TokenUnavailableError(
    `${named(post)} answered ${status || '3xx'}: ${hint(status, voice)}`,
    {
      ...words,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    },
  )
}

const isNo = (status: number, voice: Voice): boolean =>
  voice === 'known' || (status === 401 && voice === 'empty')

/** As `postToken`, for answers that carry nothing (a login by cookie, a revocation). */
export const post = async (
  request: TokenPost,
): Promise<EndpointAnswer & { readonly isPage: boolean }> => {
  const { response, text } = await send(request)
  const { status } = response
  if (text === undefined)
    throw new TokenUnavailableError(
      `${named(request)} answered ${status} with more than 1 MiB: is it the token endpoint?`,
      { status },
    )
  if (!response.ok) throw await failureOf(request, response, text)
  return { status, body: parse(text), isPage: isPage(response, text) }
}

/** What was read, or what is missing, in words. */
export type Reading<Value> = { readonly value: Value } | { readonly lacks: string }

/**
 * Asks a token endpoint. Never follows a redirect: it would carry the secret elsewhere.
 *
 * @throws {TokenRefusedError} TOKEN_REFUSED: the endpoint says no, or `isRefused` does
 * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: everything else
 * @see RFC 6749 §5.2
 */
export const postToken = async <Value>(
  request: TokenPost,
  read: (answer: Readonly<Record<string, unknown>>) => Promise<Reading<Value>>,
): Promise<Value> => {
  const { status, body } = await post(request)
  const reading = isObject(body)
    ? await read(body)
    : { lacks: `answered ${status} without a JSON object: is it the token endpoint?` }
  if ('value' in reading) return reading.value
  const words = wordsFor(request, status, body)
  if (await askUser(request, { status, body })) throw refusal(named(request), words)
  throw new TokenUnavailableError(`${named(request)} ${reading.lacks}`, words)
}
