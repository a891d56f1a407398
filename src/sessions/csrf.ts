/** The header by which a server knows that a request comes from its own pages. */
import { check, func, isObject, type Rule, text, url } from '../core/check.ts'
import { noStore } from '../shell/no-store.ts'
import type { CookieJar } from './cookie-jar.ts'
import { resolveUrl, type UrlRules } from './endpoint.ts'
import { callUser } from './safe-error.ts'
import { isHeaderSafe } from './session-fetch.ts'

/** Proof for servers that accept cookies only from their own pages. */
export interface CsrfOptions {
  /** The cookie that holds the value. Default `'csrftoken'`, as in Django. */
  readonly cookie?: string
  /** The header that repeats it. Default `'X-CSRFToken'`, as in Django. */
  readonly header?: string
  /** Gives the value where no cookie can be read (another origin, `CSRF_USE_SESSIONS`). */
  readonly token?: () => string | undefined | Promise<string | undefined>
  /**
   * Where there is no cookie yet, this is asked by GET first, so that the server sets it: a view with
   * `@ensure_csrf_cookie`. Default: nobody is asked.
   */
  readonly url?: string | URL
}

export const csrfRule: Rule = [isObject, 'an object { cookie, header, token, url }']

/** @throws {TypeError} for a wrong part, by its name */
export const checkCsrf = (maker: string, csrf: CsrfOptions | undefined): void => {
  if (csrf) check(`${maker}: csrf`, csrf, { cookie: text, header: text, token: func, url })
}

/** How the session asks its server. */
interface Asking extends UrlRules {
  readonly fetch?: typeof globalThis.fetch | undefined
}

const documentCookie = (name: string): string | undefined => {
  // Typed as always there; Node and workers have none.
  const page: Document | undefined = globalThis.document
  const pair = page?.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

/** What goes wrong here the request itself will tell. */
const fetchCookie = async (
  url: URL,
  jar: CookieJar | undefined,
  { fetch }: Asking,
): Promise<void> => {
  const headers = new Headers()
  const heard = jar?.accompany(url, headers)
  try {
    const response = await (fetch ?? globalThis.fetch)(url, {
      headers,
      credentials: 'include',
      redirect: 'manual',
      ...noStore(),
    })
    heard?.(response)
  } catch {
    // Then no value is known.
  }
}

/** Laravel, Angular and axios encode it in the cookie, and compare it as it was. */
const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    // A percent sign that stands for itself.
    return value
  }
}

/** The error of Headers.set would quote what a header cannot hold. */
const sendable = (value = ''): string | undefined => [decoded(value), value].find(isHeaderSafe)

const csrfValue = async (
  csrf: CsrfOptions,
  jar: CookieJar | undefined,
  url: URL,
  asking: Asking,
): Promise<string | undefined> => {
  if (csrf.token) return callUser('csrf.token', csrf.token)
  const name = csrf.cookie ?? 'csrftoken'
  const read = () => sendable(jar?.get(url, name) ?? documentCookie(name))
  if (csrf.url !== undefined && !read())
    await fetchCookie(resolveUrl('csrf.url', csrf.url, asking), jar, asking)
  return read()
}

/** The CSRF headers for a request, or none where no value is known: then the server decides. */
export const csrfHeaders = async (
  csrf: CsrfOptions | undefined,
  jar: CookieJar | undefined,
  url: URL,
  asking: Asking,
): Promise<Record<string, string>> => {
  const value = csrf && (await csrfValue(csrf, jar, url, asking))
  if (!value) return {}
  return {
    [csrf.header ?? 'X-CSRFToken']: value,
    // Over https Django wants to know from where; browsers say it by themselves.
    ...(globalThis.document === undefined && { origin: url.origin }),
  }
}
