/** Makes the handshake of one dial: where to, and the credential in exactly one place. */
import { isLoopback } from '../core/loopback.ts'
import type { Bulk } from '../core/problem.ts'
import { InsecureUrlError, TokenInvalidError } from '../errors.ts'
import type { Resolved, UrlContext } from '../options.ts'
import type { CredentialHolder } from '../sessions/holder.ts'
import { redactUrl } from '../transmissions/redact.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import { fault, wrong } from './wrong.ts'

type Answer = ReturnType<CredentialHolder['answerOf']>

/**
 * @param answer what the session holds, or a ticket that it was exchanged for
 * @throws {TypeError} a URL that no socket can have
 * @throws {InsecureUrlError} INSECURE_URL
 * @throws {TokenInvalidError} TOKEN_INVALID when the token cannot travel this way
 */
export const handshakeOf = (options: Resolved, url: URL, answer: Answer): Handshake => {
  const bare: Handshake = { url, protocols: options.protocol.subprotocols ?? [], headers: {} }
  if (answer === undefined) throw new TokenInvalidError('the token is gone')
  if (answer.kind === 'cookie') return answer.cookies?.()?.carry(bare) ?? bare
  return options.transmission?.carry(bare, answer.token) ?? bare
}

/** The smallest limit in use: of websockets 12 for a header, and of many proxies for the URL. */
const BULKY_BYTES = 4096

/** @param bare the URL without the token */
export const bulkOf = (
  { url, protocols, headers }: Handshake,
  bare: URL,
  { transmission }: Resolved,
): Bulk => {
  const carried = [url.href, ...protocols, ...Object.values(headers)].join()
  const bytes = carried.length - bare.href.length
  const place = transmission?.name ?? 'cookie'
  return bytes > BULKY_BYTES ? `${Math.ceil(bytes / 1024)} KiB in the ${place}` : undefined
}

/** What can be known of the URL before there is a page, or a room. */
export const checkStaticUrl = (options: Resolved): void => {
  const given = options.protocol.url ?? options.url
  if (typeof given === 'function') return
  if (options.protocol.rooms.kind === 'per-socket') checkRoom(String(given))
  const page: Location | undefined = globalThis.location
  const isAbsolute = given instanceof URL || given.includes('://')
  if (isAbsolute || page !== undefined) checkUrl(String(given), options)
  else if (given.includes('#')) throw new TypeError('url must have no #fragment')
}

/** Without its room, all rooms would share one URL. A `URL` has encoded the braces. */
const checkRoom = (url: string): void => {
  const names = url.match(/(\{|%7B)\w+(\}|%7D)/gi) ?? []
  const other = names.find((name) => !ROOM.test(name))
  if (names.length === 0 || other)
    throw new TypeError(`url must have {room}${other ? `, not ${other}` : ''}`)
}

/** The URL of one dial, checked; without the token. */
export const urlOf = (options: Resolved, context: UrlContext): URL => {
  const given = String(options.protocol.url ?? givenUrl(options, context))
  const named = context.room === undefined ? given : nameRoom(given, context.room)
  const checked = checkUrl(named, options)
  options.pin.origin ??= checked.origin
  if (!isListed(checked, options.pin.origin, options.origins ?? []))
    throw new TypeError(`url moved to ${checked.origin}: list that origin in the option origins`)
  return checked
}

const givenUrl = ({ url }: Resolved, context: UrlContext): string | URL => {
  if (typeof url !== 'function') return url
  try {
    const given = url(context)
    if (typeof given === 'string' || given instanceof URL) return given
    throw wrong('url()', given, 'a URL')
  } catch (error) {
    throw new TypeError(fault('url()', error).message)
  }
}

const ROOM = /\{room\}|%7Broom%7D/i

const nameRoom = (url: string, room: string): string => {
  // Both would lead to another path: no escape keeps a dot a name.
  if (room === '.' || room === '..') throw new TypeError(`room: no URL can hold the name ${room}`)
  return url.replaceAll(new RegExp(ROOM, 'gi'), encodeURIComponent(room))
}

/** Messages hold no value of the query. */
export const checkUrl = (
  given: string,
  { allowInsecure }: Pick<Resolved, 'allowInsecure'>,
): URL => {
  const url = parse(given)
  // React Native's own has no host for `ws:`, and cannot change its scheme.
  if (!url.host && /^(ws|http)s?:$/.test(url.protocol))
    throw new TypeError(
      'the URL of this runtime shows no host: import react-native-url-polyfill/auto first',
    )
  url.protocol = url.protocol.replace(/^http/, 'ws')
  const shown = redactUrl(url)
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new TypeError(`url must be ws:, wss:, http: or https:, not ${url.protocol}`)
  if (url.hash !== '' || given.includes('#'))
    throw new TypeError(`url must have no #fragment: ${shown}`)
  if (url.username || url.password)
    throw new TypeError(`url must hold no user or password: ${shown}`)
  if (url.protocol === 'ws:' && !allowInsecure && !isLoopback(url.hostname))
    throw new InsecureUrlError(
      `${shown} is not encrypted, so the token would be readable on the way: use wss:, or allowInsecure: true`,
    )
  return url
}

const parse = (given: string): URL => {
  // Typed as always there; Node and servers that render have none.
  const page: Location | undefined = globalThis.location
  try {
    return new URL(given, page?.href)
  } catch {
    // The parser's own error repeats its input.
    throw new TypeError(
      'url is no URL, or a relative one where there is no page to resolve it against',
    )
  }
}

/** `ws:` and `http:` name the same origin here. */
export const isListed = (url: URL, pinned: string, origins: readonly string[]): boolean =>
  [pinned, ...origins].some((origin) => {
    const listed = new URL(origin)
    return listed.host === url.host && listed.protocol.replace(/^http/, 'ws') === url.protocol
  })
