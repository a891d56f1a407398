/**
 * Cookies where the runtime keeps none: Node, Bun, Deno, Workers. Builds for browsers, which keep their own, have
 * `cookie-jar.browser.ts` in its place.
 */
import { mergeCookies, nameOfPair, pairsOf } from '../core/cookie-header.ts'
import { isLoopback } from '../core/loopback.ts'
import { TokenUnavailableError } from '../errors.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import { redact } from './endpoint.ts'
import { type Cookie, domainMatches, pathMatches, readCookie } from './set-cookie.ts'
import type { Cookies } from './source.ts'

/** For one domain. @see RFC 6265 §6.1 */
const MOST = 50

/** @see RFC 6265 §5.3, §5.4 */
export class CookieJar implements Cookies {
  /** In the order in which they came. */
  #kept: Cookie[] = []
  /** Those that the user gave, without a host: they go wherever the session goes. */
  #given: readonly string[]

  /** @param given what a Cookie header holds */
  constructor(given = '') {
    this.#given = pairsOf(given)
  }

  /** All of them, to tell whether they are others than before; empty without any. */
  get contents(): string {
    return [...this.#given, ...this.#alive().map(pairOf)].join('; ')
  }

  /** The Cookie header for this URL; empty without any. */
  header(url: URL): string {
    return mergeCookies(this.#for(url).map(pairOf).join('; '), this.#given.join('; '))
  }

  get(url: URL, name: string): string | undefined {
    const pair = pairsOf(this.header(url)).find((one) => nameOfPair(one) === name)
    return pair?.slice(pair.indexOf('=') + 1)
  }

  /** @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: the login at this URL has brought none */
  mustHoldSome(login: URL): void {
    if (this.#alive().length > 0) return
    throw new TokenUnavailableError(
      `POST ${redact(login)} set no cookie that counts: is it the login? One with a Domain that is not the host's, or Secure without https, does not`,
    )
  }

  accompany(url: URL, headers: Headers): (answer: { readonly headers: Headers }) => void {
    const cookies = mergeCookies(this.header(url), headers.get('cookie') ?? '')
    if (cookies !== '') headers.set('cookie', cookies)
    return (answer) => this.#take(url, linesOf(answer.headers))
  }

  carry(handshake: Handshake): Handshake {
    const { url, headers } = handshake
    const cookies = this.header(url)
    return {
      ...handshake,
      headers: cookies === '' ? headers : { ...headers, Cookie: cookies },
      dialed: (socket) => this.#listen(url, socket),
    }
  }

  /** `ws` shows the answer to a handshake; others do not. */
  #listen(url: URL, socket: AnsweredSocket): void {
    const hear = (response: NodeResponse) => this.#take(url, response.headers['set-cookie'] ?? [])
    socket.on?.('upgrade', hear)
    socket.on?.('unexpected-response', (_request, response) => hear(response))
  }

  #take(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const cookie = readCookie(line, url, isPrivate(url), Date.now())
      if (cookie) this.#put(cookie, url)
    }
  }

  #put(cookie: Cookie, url: URL): void {
    const at = this.#kept.findIndex((kept) => isSame(kept, cookie))
    if (this.#kept[at]?.secure && !isPrivate(url)) return
    this.#given = this.#given.filter((pair) => nameOfPair(pair) !== cookie.name)
    if (at >= 0) this.#kept[at] = cookie
    else this.#kept.push(cookie)
    const siblings = this.#alive().filter(({ domain }) => domain === cookie.domain)
    const surplus = siblings.slice(0, Math.max(0, siblings.length - MOST))
    this.#kept = this.#kept.filter((kept) => !surplus.includes(kept))
  }

  /** Those whose time is over are forgotten. */
  #alive(): readonly Cookie[] {
    const now = Date.now()
    this.#kept = this.#kept.filter(({ expiresAt }) => expiresAt > now)
    return this.#kept
  }

  /** The longest path first: it is the closest. */
  #for(url: URL): readonly Cookie[] {
    return this.#alive()
      .filter(
        (cookie) =>
          domainMatches(cookie, url.hostname) &&
          pathMatches(cookie, url.pathname) &&
          (!cookie.secure || isPrivate(url)),
      )
      .sort((one, other) => other.path.length - one.path.length)
  }
}

const pairOf = ({ name, value }: Cookie): string => `${name}=${value}`

const isSame = (one: Cookie, other: Cookie): boolean =>
  one.name === other.name && one.domain === other.domain && one.path === other.path

/** What never leaves the machine counts as encrypted, as it does in Chrome and Firefox. */
const isPrivate = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || protocol === 'wss:' || isLoopback(hostname)

/** Some polyfills of `fetch` join what has to stay apart. */
const linesOf = (headers: Headers): readonly string[] => {
  // Typed as always there.
  const own: Headers['getSetCookie'] | undefined = headers.getSetCookie
  return own ? own.call(headers) : apart(headers.get('set-cookie') ?? '')
}

/** A comma stands between two cookies where a name and `=` follow; in a date, and in a value, they do not. */
const apart = (joined: string): readonly string[] => {
  const lines: string[] = []
  for (const part of joined.split(',')) {
    const name = nameOfPair(part)
    const begins = lines.length === 0 || (part.includes('=') && isWord(name))
    if (begins) lines.push(part)
    else lines.push(`${lines.pop()},${part}`)
  }
  return lines
}

const isWord = (name: string): boolean =>
  name !== '' && ![' ', ';', '"', '\t'].some((char) => name.includes(char))

/** What is used of `ws`. */
interface AnsweredSocket {
  on?(event: 'upgrade', listener: (response: NodeResponse) => void): unknown
  on?(
    event: 'unexpected-response',
    listener: (request: unknown, response: NodeResponse) => void,
  ): unknown
}

interface NodeResponse {
  readonly headers: { readonly 'set-cookie'?: readonly string[] | undefined }
}
