/**
 * Reads `Set-Cookie`. No RegExp touches a name or a value: `RegExp.$_` would keep it. Public suffixes of more than
 * one label (`co.uk`) are not known here.
 *
 * @see RFC 6265 §5.1, §5.2 and §5.3; RFC 6265bis for the prefixes of names and for what plain HTTP may not set
 */
import { readCookieDate } from './cookie-date.ts'

export interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  /** Only for this very host. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  /** Epoch ms; never for one that ends with the process. */
  readonly expiresAt: number
}

/** Name and value together, in bytes: as little as RFC 6265 §6.1 wants a client to take. */
const LONGEST = 4_096
/** @see RFC 6265bis §5.6 */
const LONGEST_ATTRIBUTE = 1_024

interface Attributes {
  domain: string
  path?: string
  secure: boolean
  /** As an instant. `maxAge` wins. */
  maxAge?: number
  expires?: number
}

/**
 * @param isSecure whether `url` was asked where nobody reads along
 * @returns `undefined` for what is no cookie, or none that this host may set
 */
export const readCookie = (
  line: string,
  url: URL,
  isSecure: boolean,
  now: number,
): Cookie | undefined => {
  const [pair = '', ...rest] = line.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, Math.max(0, equals)).trim()
  const value = pair.slice(equals + 1).trim()
  if (name === '' || name.length + value.length > LONGEST || !isClean(name + value))
    return undefined
  const attributes = attributesOf(rest, now)
  const domain = domainOf(attributes.domain, url.hostname)
  if (domain === undefined || (attributes.secure && !isSecure)) return undefined
  const { path = defaultPath(url.pathname), secure, maxAge, expires } = attributes
  const cookie = { name, value, ...domain, path, secure, expiresAt: maxAge ?? expires ?? Infinity }
  return keepsPrefix(cookie, attributes) ? cookie : undefined
}

/** The last of several wins. */
const attributesOf = (parts: readonly string[], now: number): Attributes => {
  const found: Attributes = { domain: '', secure: false }
  for (const part of parts) {
    const [key = '', ...rest] = part.split('=')
    const value = rest.join('=').trim()
    if (value.length <= LONGEST_ATTRIBUTE) note(found, key.trim().toLowerCase(), value, now)
  }
  return found
}

const note = (found: Attributes, key: string, value: string, now: number): void => {
  switch (key) {
    case 'max-age': {
      // Digits, or a minus before them: all else is as if it were not there.
      if (!/^-?\d+$/.test(value)) return
      found.maxAge = +value > 0 ? now + +value * 1_000 : -Infinity
      return
    }
    case 'expires': {
      found.expires = readCookieDate(value) ?? found.expires ?? Infinity
      return
    }
    case 'domain':
      found.domain = (value.startsWith('.') ? value.slice(1) : value).toLowerCase() || found.domain
      return
    case 'path':
      if (value.startsWith('/')) found.path = value
      else delete found.path
      return
    case 'secure':
      found.secure = true
  }
}

const domainOf = (
  domain: string,
  host: string,
): Pick<Cookie, 'domain' | 'hostOnly'> | undefined => {
  if (domain === '' || domain === host) {
    // A name of one label has no children that trust it, and an address has none at all.
    const hostOnly = domain === '' || labelsOf(host) < 2
    return { domain: host, hostOnly }
  }
  return labelsOf(domain) > 1 && isBelow(host, domain) ? { domain, hostOnly: false } : undefined
}

const labelsOf = (host: string): number => host.split('.').filter((label) => label !== '').length

/** Of a name: an address has no parent. */
const isBelow = (host: string, domain: string): boolean => {
  const last = host.slice(host.lastIndexOf('.') + 1)
  return host.endsWith(`.${domain}`) && Number.isNaN(+last)
}

/** @see RFC 6265 §5.1.3 */
export const domainMatches = ({ domain, hostOnly }: Cookie, host: string): boolean =>
  host === domain || (!hostOnly && isBelow(host, domain))

/** @see RFC 6265 §5.1.4 */
export const pathMatches = ({ path }: Cookie, asked: string): boolean =>
  asked === path || asked.startsWith(path.endsWith('/') ? path : `${path}/`)

const defaultPath = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

/** @see RFC 6265bis §5.7, steps 20 and 21 */
const keepsPrefix = ({ name, secure, hostOnly }: Cookie, { path, domain }: Attributes): boolean => {
  const lower = name.toLowerCase()
  if (lower.startsWith('__host-')) return secure && hostOnly && domain === '' && path === '/'
  return secure || !lower.startsWith('__secure-')
}

/** What a header can hold: visible, a space or a tab, in Latin-1. */
const isClean = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < 0x20 && code !== 9) || code === 0x7f || code > 0xff) return false
  }
  return true
}
