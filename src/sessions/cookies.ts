/** Cookies where the runtime keeps none, and the CSRF header that goes with them. */
import { check, func, isObject, type Rule, text } from '../core/check.ts'
import { callUser } from './safe-error.ts'

/**
 * The cookies that Node forgets, by origin. Stays empty in browsers: they hide `Set-Cookie` from scripts.
 * Names and values only: paths, domains and ages are for browsers, except the age that deletes.
 */
export class CookieJar {
  readonly #byOrigin = new Map<string, Map<string, string>>()

  take(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie?.() ?? []) {
      const [pair = '', ...attributes] = line.split(';')
      const equals = pair.indexOf('=')
      if (equals < 1) continue
      this.#set(
        url,
        pair.slice(0, equals).trim(),
        isExpired(attributes) ? '' : pair.slice(equals + 1).trim(),
      )
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

  #set(url: URL, name: string, value: string): void {
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
}

export const csrfRule: Rule = [isObject, 'an object { cookie, header, token }']

/** @throws {TypeError} for a wrong part, by its name */
export const checkCsrf = (maker: string, csrf: CsrfOptions | undefined): void => {
  if (csrf) check(`${maker}: csrf`, csrf, { cookie: text, header: text, token: func })
}

const documentCookie = (name: string): string | undefined => {
  // Typed as always there; Node and workers have none.
  const page: Document | undefined = globalThis.document
  const pair = page?.cookie.split('; ').find((entry) => entry.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

/** The CSRF header for a request, or none where no value is known: then the server decides. */
export const csrfHeaders = async (
  csrf: CsrfOptions | undefined,
  jar: CookieJar,
  url: URL,
): Promise<Record<string, string>> => {
  if (!csrf) return {}
  const name = csrf.cookie ?? 'csrftoken'
  const value = csrf.token
    ? await callUser('csrf.token', csrf.token)
    : (jar.get(url, name) ?? documentCookie(name))
  return value ? { [csrf.header ?? 'X-CSRFToken']: value } : {}
}
