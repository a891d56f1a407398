/**
 * Finds out what a socket with these options would send. An `AuthedSocket` is asked, with a WebSocket that dials
 * nowhere: so URL, rooms, sessions and transmissions mean here what they mean there.
 */
import { type AnyAuthedSocketError, isAuthedSocketError } from '../errors.ts'
import type { AuthedSocketOptions } from '../options.ts'
import { AuthedSocket } from '../socket.ts'
import { setHeader } from '../transmissions/headers.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import type { TokenFacts } from './facts.ts'

export interface Captured {
  /** As it would be sent. */
  readonly full: Handshake
  /** Without the credential. */
  readonly bare: Handshake
  readonly token?: string
  readonly carried: TokenFacts['carried']
  /** Sent once it is open. */
  readonly firstFrames: readonly string[]
}

export type Capture =
  | { readonly kind: 'captured'; readonly captured: Captured }
  | { readonly kind: 'failed'; readonly error: AnyAuthedSocketError }

interface Seen {
  full?: Handshake
  bare?: Handshake
  token?: string
  /** The handshake went on as it was: the token travels later. */
  carriedLater?: boolean
  firstFrames: string[]
}

/** How long a transmission may take to send its first frame, once its socket is open. */
const FIRST_FRAME_MS = 50

/** @throws {TypeError | RangeError} a wrong option; it is named */
export const capture = async (
  options: AuthedSocketOptions,
  room: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Capture> => {
  const seen: Seen = { firstFrames: [] }
  let dialed = () => {}
  const done = new Promise<void>((resolve) => {
    dialed = resolve
  })
  try {
    const socket = new AuthedSocket({
      ...options,
      ...(options.transmission && { transmission: watched(options.transmission, seen) }),
      WebSocket: fakeSocket(seen, () => dialed()),
      logger: { debug: () => {}, warn: () => {} },
    })
    const failure = new Promise<never>((_, reject) => {
      socket.on('statechange', ({ status }) => {
        if (status.state === 'waiting' || status.state === 'failed') reject(status.error)
      })
      const joined = room === undefined ? socket.connect() : socket.join(room)
      joined.catch(reject)
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    try {
      await Promise.race([done, failure])
    } finally {
      await socket.disconnect()
    }
  } catch (error) {
    if (isAuthedSocketError(error)) return { kind: 'failed', error }
    throw error
  }
  return { kind: 'captured', captured: capturedOf(seen, options) }
}

/** Remembers what it was given. */
const watched = (
  transmission: NonNullable<AuthedSocketOptions['transmission']>,
  seen: Seen,
): NonNullable<AuthedSocketOptions['transmission']> => ({
  ...transmission,
  carry(handshake, token) {
    seen.bare = handshake
    seen.token = token
    const carried = transmission.carry(handshake, token)
    seen.carriedLater = isUntouched(handshake, carried)
    return carried
  },
})

const capturedOf = (seen: Seen, options: AuthedSocketOptions): Captured => {
  const full = seen.full
  if (full === undefined) throw new TypeError('nothing was dialed')
  const own = ownHeaders(options)
  const headers = { ...own, ...full.headers }
  return {
    full: { ...full, headers },
    bare: seen.bare
      ? { ...seen.bare, headers: { ...own, ...seen.bare.headers } }
      : { ...full, headers: withoutCookie(headers, own) },
    ...(seen.token !== undefined && { token: seen.token }),
    carried: carriedOf(seen),
    firstFrames: seen.firstFrames,
  }
}

/** Without a transmission it is a session that sends a cookie. */
const carriedOf = ({ token, carriedLater, firstFrames }: Seen): TokenFacts['carried'] => {
  if (token === undefined) return 'cookie'
  if (!carriedLater) return 'handshake'
  return firstFrames.length > 0 ? 'later' : 'none'
}

/** Those that the user gave, and `origin`, which `ws` takes as an option. */
const ownHeaders = (options: AuthedSocketOptions): Record<string, string> => {
  // Any object fits the option; these two members are what `ws` and undici read.
  const { headers = {}, origin } = (options.webSocketOptions ?? {}) as {
    headers?: Record<string, string>
    origin?: string
  }
  return origin === undefined ? { ...headers } : setHeader(headers, 'Origin', () => origin)
}

const withoutCookie = (
  headers: Record<string, string>,
  own: Record<string, string>,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'cookie' || name in own),
  )

/** Takes `ws`'s arguments, because it has `on`. Opens only where the handshake does not carry the token. */
const fakeSocket = (seen: Seen, dialed: () => void) =>
  class {
    readyState = 0
    binaryType = 'arraybuffer'
    readonly #listeners = new Map<string, (() => void)[]>()

    constructor(
      url: string,
      protocols: string[] = [],
      { headers = {} }: { headers?: Record<string, string> } = {},
    ) {
      seen.full = { url: new URL(url), protocols, headers }
      if (!seen.carriedLater) {
        dialed()
        return
      }
      setTimeout(() => {
        this.readyState = 1
        for (const listener of this.#listeners.get('open') ?? []) listener()
        setTimeout(dialed, FIRST_FRAME_MS)
      })
    }

    addEventListener(type: string, listener: () => void): void {
      this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
    }

    on(): void {}
    removeEventListener(): void {}
    terminate(): void {}

    send(frame: unknown): void {
      if (typeof frame === 'string') seen.firstFrames.push(frame)
    }

    close(): void {
      this.readyState = 3
    }
  }

const isUntouched = (before: Handshake, after: Handshake): boolean =>
  before.url.href === after.url.href &&
  before.protocols.join() === after.protocols.join() &&
  Object.keys(before.headers).length === Object.keys(after.headers).length
