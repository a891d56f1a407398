import { isLoopback } from '../core/loopback.ts'
import { InsecureUrlError } from '../errors.ts'

/** Where tokens may travel. */
export interface UrlRules {
  /** What relative URLs are resolved against where there is no `location` (Node). */
  readonly origin?: string | URL | undefined
  /** Allows `http:` to hosts other than loopback: tokens travel in the clear. Default `false`. */
  readonly allowInsecure?: boolean | undefined
}

/** A query may hold a secret, so messages show origin and path only. */
export const redact = (url: URL): string => url.origin + url.pathname

export const parseUrl = (value: string | URL, base?: string | URL): URL | undefined => {
  try {
    return new URL(value, base)
  } catch {
    // The error of the URL parser carries its input.
    return undefined
  }
}

/** @throws {InsecureUrlError} INSECURE_URL */
export const requireSecure = (where: string, url: URL, rules: UrlRules): void => {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`${where} must be an https URL, not ${url.protocol}`)
  }
  if (url.protocol === 'https:' || rules.allowInsecure || isLoopback(url.hostname)) return
  throw new InsecureUrlError(
    `${where} ${redact(url)} is not encrypted: write https, or accept it with allowInsecure: true`,
  )
}

export const resolveUrl = (where: string, value: string | URL, rules: UrlRules): URL => {
  // Typed as always there; Node and servers that render have none.
  const page: Location | undefined = globalThis.location
  const url = parseUrl(value, rules.origin ?? page?.href)
  if (url === undefined) {
    throw new TypeError(
      `${where} is no absolute URL, and there is no location to resolve it against: write it with its origin, or set the option origin`,
    )
  }
  if (url.username || url.password) {
    throw new TypeError(`${where} must not hold a user or a password: ${redact(url)}`)
  }
  requireSecure(where, url, rules)
  return url
}

/**
 * Checks now what can be checked, and resolves when used: a session may be made where a page is
 * rendered on a server, which has no `location`.
 *
 * @throws {InsecureUrlError} INSECURE_URL
 */
export const endpoint = (where: string, value: string | URL, rules: UrlRules): (() => URL) => {
  if (rules.origin !== undefined || parseUrl(value)) resolveUrl(where, value, rules)
  else if (!parseUrl(value, 'https://a.invalid')) throw new TypeError(`${where} is no URL`)
  return () => resolveUrl(where, value, rules)
}

/** @throws {TypeError} for anything that is more, or less, than scheme, host and port */
export const toOrigin = (where: string, value: string | URL, rules: UrlRules): string => {
  const url = parseUrl(value)
  if (!url || url.href !== `${url.origin}/`) {
    throw new TypeError(
      `${where} must be an origin such as 'https://api.example.com', without a path`,
    )
  }
  requireSecure(where, url, rules)
  return url.origin
}
