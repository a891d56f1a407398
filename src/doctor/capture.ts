/**
 * Finds out what a socket with these options would send. An `AuthedSocket` is asked, with a WebSocket that dials
 * nowhere: so URL, rooms, sessions and transmissions mean here what they mean there.
 */

import { setHeader } from '../core/headers.ts'
import { type AnyAuthedSocketError, isAuthedSocketError } from '../errors.ts'
import type { AuthedSocketOptions } from '../options.ts'
import { abortable } from '../shell/promises.ts'
import { requestHeaders } from '../shell/request-headers.ts'
import { AuthedSocket } from '../socket.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import type { TokenFacts } from './facts.ts'

export interface Captured {
  /** As it would be sent. */
  readonly full: Handshake
  /** Without the credential. */
  readonly bare: Handshake
  readonly token?: string
  readonly carried: TokenFacts['carried']
}

export type Capture =
  | { readonly kind: 'captured'; readonly captured: Captured }
  | { readonly kind: 'failed'; readonly error: AnyAuthedSocketError }

interface Seen {
  /** What the constructor was given. */
  dialed?: Handshake
  /** Before and after the transmission put the token in. */
  bare?: Handshake
  carried?: Handshake
  token?: string
}

/** @throws {TypeError | RangeError} a wrong option; it is named */
export const capture = async (
  options: AuthedSocketOptions,
  room: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Capture> => {
  const seen: Seen = {}
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
    })
    try {
      await abortable(Promise.race([done, failure]), signal)
    } finally {
      await socket.disconnect()
    }
  } catch (error) {
    if (isAuthedSocketError(error)) return { kind: 'failed', error }
    throw error
  }
  return { kind: 'captured', captured: capturedOf(seen, options) }
}

/** Remembers what it was given, and what it made of it. */
const watched = (
  transmission: NonNullable<AuthedSocketOptions['transmission']>,
  seen: Seen,
): NonNullable<AuthedSocketOptions['transmission']> => ({
  ...transmission,
  carry(handshake, token) {
    const carried = transmission.carry(handshake, token)
    Object.assign(seen, { bare: handshake, carried, token })
    return carried
  },
})

const capturedOf = (seen: Seen, options: AuthedSocketOptions): Captured => {
  const { dialed, bare, carried, token } = seen
  if (dialed === undefined) throw new TypeError('nothing was dialed')
  const own = ownHeaders(options)
  // What the user gave is in them, merged with ours.
  const headers = { ...withoutNames(own, dialed.headers), ...dialed.headers }
  return {
    // With what only the transmission says: a frame to be sent behind the handshake.
    full: { ...carried, ...dialed, headers },
    bare: bare ? { ...bare, headers: { ...own, ...bare.headers } } : { ...dialed, headers: own },
    ...(token !== undefined && { token }),
    carried: carriedOf(seen),
  }
}

/** Without a transmission it is a session that sends a cookie. */
const carriedOf = ({ bare, carried }: Seen): TokenFacts['carried'] => {
  if (bare === undefined || carried === undefined) return 'cookie'
  if (carried.firstFrame !== undefined) return 'frame'
  return isUntouched(bare, carried) ? 'none' : 'handshake'
}

/** Those that the user gave, and `origin`, which `ws` takes as an option. */
const ownHeaders = (options: AuthedSocketOptions): Handshake['headers'] => {
  // Any object fits the option; these two members are what `ws` and undici read.
  const { headers: given, origin } = (options.webSocketOptions ?? {}) as {
    headers?: object
    origin?: string
  }
  const headers = requestHeaders(given, {}) as Record<string, string>
  return origin === undefined ? headers : setHeader(headers, 'Origin', () => origin)
}

/** Those that are not set again, whatever the case of their names. */
const withoutNames = (headers: Handshake['headers'], again: Handshake['headers']) => {
  const names = Object.keys(again).map((name) => name.toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase())),
  )
}

/** Takes the arguments of `ws`, because it has `on`, and never opens. */
const fakeSocket = (seen: Seen, dialed: () => void) =>
  class {
    readonly readyState = 0
    binaryType = 'arraybuffer'

    constructor(
      url: string,
      protocols: string[] = [],
      { headers = {} }: { headers?: Record<string, string> } = {},
    ) {
      seen.dialed = { url: new URL(url), protocols, headers }
      dialed()
    }

    on(): void {}
    addEventListener(): void {}
    removeEventListener(): void {}
    terminate(): void {}
    send(): void {}
    close(): void {}
  }

const isUntouched = (before: Handshake, after: Handshake): boolean =>
  before.url.href === after.url.href &&
  before.protocols.join() === after.protocols.join() &&
  Object.keys(before.headers).length === Object.keys(after.headers).length
