/** Makes the runtime's own socket. Builds for browsers, which set no header and see no status, have `native-socket.browser.ts`. */
import type { Handshake } from '../transmissions/transmission.ts'
import { OptionError } from './option-error.ts'
import { isOriginAlone } from './origin-alone.ts'
import { hasNode } from './platform.ts'
import { requestHeaders } from './request-headers.ts'
import type { WebSocketLike } from './websocket.ts'

/** Node's `ws` has more than a browser's. */
export interface NativeSocket extends WebSocketLike {
  /** The one that was echoed; React Native and Workers have `null` for none. */
  readonly protocol?: string | null
  /** Some runtimes have none, or one that is 0 for ever. */
  readonly bufferedAmount?: number
  addEventListener(type: string, listener: (event: never) => void): void
  terminate?(): void
  ping?(): void
  on?(event: string, listener: (...args: never[]) => void): void
}
/** `ws` takes options third; undici takes them with the protocols. */
export type NativeConstructor = new (
  url: string,
  protocols?: string[] | object,
  options?: object,
) => NativeSocket

export const construct = (
  Native: NativeConstructor,
  url: string,
  { protocols, headers }: Handshake,
  options: object | undefined,
  ignored: () => void,
): NativeSocket => {
  const offered = [...protocols]
  const given = {
    ...options,
    headers: requestHeaders((options as { headers?: object })?.headers, headers),
  }
  // `ws` is the one with `on`; undici reads protocols and headers from one object, its second argument.
  if (Native.prototype?.on) {
    // It would be left out in silence, and with it the proxy that it stands for.
    if ('dispatcher' in given)
      throw new OptionError("webSocketOptions.dispatcher is undici's: give `ws` an `agent`")
    return new Native(url, offered, {
      // Compressed beside text of an attacker, a token could be guessed from lengths (CRIME, BREACH).
      perMessageDeflate: false,
      ...given,
      // A redirect would take the token along.
      followRedirects: false,
    })
  }
  const bare = () => (offered.length > 0 ? new Native(url, offered) : new Native(url))
  const isOwn = Object.keys(headers).length > 0
  if (options === undefined && !isOwn) return bare()
  const refusal = new OptionError(
    `this WebSocket takes no headers: ${isOwn ? 'give another transmission, such as viaSubprotocol()' : 'leave webSocketOptions out'}`,
  )
  try {
    // Pages read the object as text (WebIDL): happy-dom's, Electron's renderer's.
    const asText = () => {
      throw refusal
    }
    return new Native(url, { protocols: offered, ...given, toString: asText })
  } catch (error) {
    if (error !== refusal || isOwn || !isOriginAlone(options ?? {})) throw error
    ignored()
    return bare()
  }
}

/** Workers have a Node in name only. */
export const canSetHeaders = (): boolean =>
  hasNode() && globalThis.navigator?.userAgent !== 'Cloudflare-Workers'

interface Response {
  readonly statusCode?: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** With a listener `ws` reports nothing else: ending the request is up to who listens, which closing does. */
export const watchStatus = (
  socket: NativeSocket,
  seen: (status: number, retryAfter: string | undefined) => void,
): void => {
  socket.on?.('unexpected-response', (_request: unknown, response: Response) =>
    seen(response.statusCode ?? 0, response.headers['retry-after']),
  )
}

/** Ends of the texts of Bun, Deno and Workers before the status, and of `ws`, Node 22 and Bun. */
const STATUS = [
  'failed: Expected 101 status code: ',
  'WebSocket: Invalid status code: ',
  '101 (switching protocols), but received ',
]
const SUBPROTOCOL = [
  'Server sent no subprotocol',
  'Server sent an invalid subprotocol',
  'Server sent a subprotocol but none was requested',
  'Server did not respond with sent protocols.',
  'Protocol was not set in the opening handshake.',
  'failed: Missing client protocol',
  'failed: Mismatch client protocol',
]

/**
 * What the text of an error tells of a handshake. Some texts hold the URL, and so the token: they are compared from
 * their end, and without a RegExp, which would keep them.
 */
export const readError = (message: unknown): number | 'subprotocol' | undefined => {
  if (typeof message !== 'string') return undefined
  const endsWith = (text: string) => (end: string) => text.endsWith(end)
  if (SUBPROTOCOL.some(endsWith(message))) return 'subprotocol'
  const said = message.endsWith(' instead.') ? message.slice(0, -9) : message
  const status = Number(said.slice(-3))
  return status > 99 && STATUS.some(endsWith(said.slice(0, -3))) ? status : undefined
}

/**
 * What `ws` says of a frame that it does not take (too large, no frame at all). It quotes nothing, and no close frame
 * tells it. `''` for other errors.
 */
export const breachOf = (error: unknown): string => {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return `${code}`.startsWith('WS_ERR_') ? `${message}` : ''
}

/** Pings of the protocol. Scripts in browsers, and Node's own WebSocket, can send none. */
export interface Pinger {
  readonly everyMs: number
  readonly timeoutMs: number
  ping(): void
  /** Have bytes come in since this was last asked? A long frame on a slow line hides the pong behind it. */
  stirred(): boolean
}

/** What is on its way out. */
export interface Backlog {
  /** How long it may take, in ms. */
  readonly lagMs: number
  /** A ping follows it. */
  mark(): void
  /** What was sent before the mark has arrived. @param times so many times as fast as it was reckoned with */
  arrived(times: number): void
}

/** Found within 20 s, and often enough for proxies that drop what is quiet for 30 s. */
const PACE = { everyMs: 8_000, timeoutMs: 10_000 }
/** A shorter backlog tells little of how fast the line is. */
const TELLING_MS = 1_000

/** @param answered is called for pings and pongs */
export const pingerOf = (
  socket: NativeSocket,
  backlog: Backlog,
  answered: () => void,
): Pinger | undefined => {
  // Bun's own can ping, and does not tell of the answer.
  if (!socket.ping || !socket.on) return undefined
  let connection: { readonly bytesRead: number } | undefined
  let read = 0
  let asked: { readonly at: number; readonly lagMs: number } | undefined
  socket.on('upgrade', (response: { readonly socket: { readonly bytesRead: number } }) => {
    connection = response.socket
  })
  socket.on('ping', answered)
  socket.on('pong', () => {
    if (asked) {
      const { at, lagMs } = asked
      // Half as fast, so that a line may slow down a little.
      const times = lagMs / Math.max(1, Date.now() - at) / 2
      backlog.arrived(lagMs < TELLING_MS ? 1 : times)
    }
    asked = undefined
    answered()
  })
  return {
    ...PACE,
    ping: () => {
      if (socket.readyState !== 1) return
      if (!asked) {
        asked = { at: Date.now(), lagMs: backlog.lagMs }
        backlog.mark()
      }
      socket.ping?.()
    },
    stirred: () => {
      const before = read
      read = connection?.bytesRead ?? 0
      return read !== before
    },
  }
}
