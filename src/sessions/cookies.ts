/** Cookies where the runtime keeps none, and the CSRF header that goes with them. */
import { check, func, isObject, type Rule, text, url } from '../core/check.ts'
import { resolveUrl, type UrlRules } from './endpoint.ts'
import { callUser } from './safe-error.ts'

/**
 * The cookies that Node forgets, by origin. Stays empty in browsers: they hide `Set-Cookie` from scripts.
 * Names and values only: paths, domains and ages are for browsers, except the age that deletes.
 */
export class CookieJar {
  readonly #byOrigin = new Map<string, Map<string, string>>()

  /** With what a Cookie header holds. */
  static of(url: URL, header: string): CookieJar {
    const jar = new CookieJar()
    for (const pair of header.split(';')) jar.#put(url, pair)
    return jar
  }

  take(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie?.() ?? []) {
      const [pair = '', ...attributes] = line.split(';')
      const [name = ''] = pair.split('=')
      this.#put(url, isExpired(attributes) ? `${name}=` : pair)
    }
  }

  /** The Cookie header for this URL, or with all cookies; empty without any. */
  header(url?: URL): string {
    const jars = url ? [this.#byOrigin.get(url.origin) ?? []] : [...this.#byOrigin.values()]
    return jars
      .flatMap((jar) => [...jar])
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
  }

  get(url: URL, name: string): string | undefined {
    return this.#byOrigin.get(url.origin)?.get(name)
  }

  #put(url: URL, pair: string): void {
    const equals = pair.indexOf('=')
    if (equals < 1) return
    const name = pair.slice(0, equals).trim()
    const value = pair.slice(equals + 1).trim()
    const cookies = this.#byOrigin.get(url.origin) ?? new Map<string, string>()
    if (value) cookies.set(name, value)
    else cookies.delete(name)
    this.#byOrigin.set(url.origin, cookies)
  }
}

const isExpired = (attributes: readonly string[]): boolean =>
  attributes.some((attribute) => {
    const [name = '', value = ''] = attribute.trim().split('=')
    if (name.toLowerCase() === 'max-age') return Number(value) <= 0
    return name.toLowerCase() === 'expires' && Date.parse(value) <= Date.now()
  })

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
const fetchCookie = async (url: URL, jar: CookieJar, { fetch }: Asking): Promise<void> => {
  const cookie = jar.header(url)
  try {
    const response = await (fetch ?? globalThis.fetch)(url, {
      headers: cookie ? { cookie } : {},
      credentials: 'include',
      redirect: 'error',
      cache: 'no-store',
    })
    jar.take(url, response.headers)
  } catch {
    // Then no value is known.
  }
}

const csrfValue = async (
  csrf: CsrfOptions,
  jar: CookieJar,
  url: URL,
  asking: Asking,
): Promise<string | undefined> => {
  if (csrf.token) return callUser('csrf.token', csrf.token)
  const name = csrf.cookie ?? 'csrftoken'
  const read = () => jar.get(url, name) ?? documentCookie(name)
  if (csrf.url !== undefined && !read())
    await fetchCookie(resolveUrl('csrf.url', csrf.url, asking), jar, asking)
  return read()
}

/** The CSRF headers for a request, or none where no value is known: then the server decides. */
export const csrfHeaders = async (
  csrf: CsrfOptions | undefined,
  jar: CookieJar,
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
