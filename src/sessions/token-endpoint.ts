import { throwIfAborted } from '../shell/abort.ts'
import { retryAfterMs } from '../shell/retry-after.ts'
/** HTTP to token endpoints: what travels, and what each answer means. */

import { isObject } from '../core/check.ts'
import { TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { readBody } from './body.ts'
import { redact } from './endpoint.ts'
import { nameOf } from './safe-error.ts'

export type Fetch = typeof globalThis.fetch

export type TokenBody =
  | { readonly json: Readonly<Record<string, unknown>> }
  | { readonly form: Readonly<Record<string, string>> }
  | undefined

export interface TokenPost {
  readonly fetch: Fetch
  readonly url: URL
  readonly body: TokenBody
  readonly headers?: Headers | undefined
  readonly signal?: AbortSignal | undefined
  readonly credentials?: RequestCredentials | undefined
  /** Hears each answer, whatever it means. */
  readonly heard?: ((answer: Response) => unknown) | undefined
  /** Which failures are a no for good. Default: 400, 401 and 403 with a refusal as JSON. */
  readonly refuses?: ((status: number, hasRefusal: boolean) => boolean) | undefined
}

const REFUSALS = [400, 401, 403]

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')

/**
 * A proxy, a firewall or a CSRF check answers 401 and 403 as well, so only a body in the dialect of a
 * token endpoint is a refusal: `detail`, `code`, OAuth's `error`, or errors by field.
 */
const isRefusal = (body: unknown): boolean =>
  isObject(body) &&
  (['detail', 'code', 'error'].some((key) => typeof body[key] === 'string') ||
    (Object.keys(body).length > 0 && Object.values(body).every(isTexts)))

const hint = (status: number): string => {
  if (status === 404 || status === 405) return 'is the path right, with its slash at the end?'
  if (status === 415 || status === 422)
    return 'simpleJwt sends JSON, passwordGrant a form: which one does it take?'
  if (status === 401 || status === 403)
    return 'the answer is no refusal in JSON: is a proxy or a CSRF check in between?'
  return 'it is asked again later'
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
    return undefined
  }
}

const send = async (post: TokenPost): Promise<{ response: Response; text: string | undefined }> => {
  try {
    const response = await post.fetch(post.url, {
      method: 'POST',
      headers: headersOf(post),
      body: bodyOf(post.body),
      redirect: 'error',
      cache: 'no-store',
      credentials: post.credentials ?? 'same-origin',
      signal: post.signal ?? null,
    })
    post.heard?.(response)
    return { response, text: await readBody(response) }
  } catch (error) {
    throwIfAborted(post.signal)
    throw new TokenUnavailableError(
      `POST ${redact(post.url)} failed (${nameOf(error)}): is it reachable, does it allow this origin (CORS), does it redirect (a missing slash)?`,
    )
  }
}

/** A page, whatever else it is called: Django says `text/html` of every answer that it is not told about. */
const isPage = ({ headers }: Response, text: string): boolean =>
  (headers.get('content-type') ?? 'html').toLowerCase().includes('html') &&
  text.trimStart().startsWith('<')

/** As `postToken`, for answers that carry nothing (a login by cookie, a revocation). */
export const post = async (
  request: TokenPost,
): Promise<{ status: number; body: unknown; isPage: boolean }> => {
  const { response, text } = await send(request)
  const { status } = response
  const what = `POST ${redact(request.url)} answered ${status}`
  if (text === undefined)
    throw new TokenUnavailableError(`${what} with more than 1 MiB: is it the token endpoint?`)
  const body = parse(text)
  if (response.ok) return { status, body, isPage: isPage(response, text) }
  const { refuses = (code, hasRefusal) => hasRefusal && REFUSALS.includes(code) } = request
  if (refuses(status, isRefusal(body))) {
    throw new TokenRefusedError(`${what}, a refusal: sign in again`)
  }
  const advice = retryAfterMs(response.headers.get('retry-after'))
  throw new TokenUnavailableError(`${what}: ${hint(status)}`, {
    ...(advice !== undefined && { retryAfterMs: advice }),
  })
}

/**
 * Asks a token endpoint. Never follows a redirect: it would carry the secret elsewhere.
 *
 * @throws {TokenRefusedError} TOKEN_REFUSED: 400, 401 or 403 with a refusal as JSON
 * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: everything else
 * @see RFC 6749 §5.2
 */
export const postToken = async (request: TokenPost): Promise<Record<string, unknown>> => {
  const { status, body } = await post(request)
  if (isObject(body)) return body
  throw new TokenUnavailableError(
    `POST ${redact(request.url)} answered ${status} without a JSON object: is it the token endpoint?`,
  )
}
