/**
 * Dials one socket, once. The only importer of reconnecting-websocket, and the only file that knows its
 * traps: it is used one-shot, an instance for each attempt, because when to dial again is the link
 * machine's to decide (docs/decisions/001-one-shot-dialer.md).
 */
import imported from 'reconnecting-websocket'
import { LONGEST_TIMER_MS } from '../core/delays.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import { backlogOf } from './backlog.ts'
import {
  breachOf,
  construct,
  type NativeConstructor,
  type NativeSocket,
  type Pinger,
  pingerOf,
  readError,
  watchStatus,
} from './native-socket.ts'
import { unrefed } from './timers.ts'
import type { WebSocketConstructor } from './websocket.ts'

/** How an attempt, or a connection, ended. Exactly one for each dial that was not closed by us. */
export type DialEnd =
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** `ws`, Bun, Deno and Workers show the status of a refused handshake; browsers and undici never do. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: 'subprotocol' }
  /** The constructor threw: nothing was sent. */
  | { readonly kind: 'threw'; readonly cause: unknown }

export interface DialListener {
  opened(): void
  frame(data: string | ArrayBuffer): void
  /** A ping or a pong came: a sign of life. */
  answered?(): void
  /** Each `LOOK_EVERY_MS`, while it is open. */
  looked?(): void
  /** The options hold an Origin, which this WebSocket cannot take and does not need. */
  ignored(): void
  /** The closing handshake has begun: nothing is sent any more, and `ended` follows within two seconds. */
  closing(): void
  ended(end: DialEnd): void
}

export interface DialedSocket {
  /** @returns whether an open socket took it */
  send(frame: string | ArrayBuffer): boolean
  /** Bytes that were taken and not sent; 0 where the runtime does not tell. */
  readonly buffered: number
  /** How long what was taken may still be on its way out on a slow line, in ms. Kernels take a lot, and do not tell. */
  readonly lagMs: number
  /** Where the runtime can ping. */
  readonly pinger: Pinger | undefined
  /** Has it begun to close? Then the listener is told. */
  look(): void
  /** Detaches, then closes; does not wait for a dead peer. */
  close(): void
}

/** Just what is used of it: its own types are wrong under nodenext, and must not leak into ours. */
interface OneShot {
  binaryType: string
  onopen: (() => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null
  send(data: string | ArrayBuffer): void
  close(code?: number): void
}
type OneShotConstructor = new (url: string, protocols: string[], options: object) => OneShot

/**
 * Bundlers hand a CommonJS default over in three shapes: the class itself, a namespace, and a namespace
 * within a namespace.
 */
export const unwrap = (module: unknown): OneShotConstructor => {
  const outer = (module as { default?: unknown }).default ?? module
  // The shapes were measured; there is no other.
  return ((outer as { default?: unknown }).default ?? outer) as OneShotConstructor
}
const ReconnectingWebSocket = /* @__PURE__ */ unwrap(imported)

/** The close that tells the true code comes so long after the error at most. */
const CLOSE_FOLLOWS_MS = 1_000
/** How long a peer may take to answer our close before the TCP connection is dropped, and to end its own. */
const CLOSE_PATIENCE_MS = 2_000
/** Nothing tells that a closing handshake has begun: an open socket is looked at so often. */
export const LOOK_EVERY_MS = 1_000

export const dial = (
  handshake: Handshake,
  Native: WebSocketConstructor,
  options: object | undefined,
  listener: DialListener,
): DialedSocket => {
  let socket: NativeSocket | undefined
  let pinger: Pinger | undefined
  const backlog = backlogOf(() => socket?.bufferedAmount || 0)
  let ended = false
  let look: ReturnType<typeof setInterval> | undefined
  let late: ReturnType<typeof setTimeout> | undefined
  let breach = ''
  const lostAfter = (ms: number) => {
    if (ended) return
    late ??= setTimeout(() => end({ kind: 'closed', code: 1006, reason: breach }), ms)
  }
  const detach = () => {
    ended = true
    clearInterval(look)
    clearTimeout(late)
    oneShot.onopen = oneShot.onclose = oneShot.onmessage = null
    oneShot.close(1000)
    dropLater(socket)
  }
  const end = (how: DialEnd) => {
    if (ended) return
    detach()
    listener.ended(how)
  }
  const factory = function (this: unknown, url: string) {
    try {
      // All have the members that are used here; their own types are too narrow to say so.
      socket = construct(Native as NativeConstructor, url, handshake, options, listener.ignored)
      hideErrors(socket, end, (ms, error) => {
        breach = breachOf(error)
        lostAfter(ms)
      })
      watchStatus(socket, (status, retryAfter) => end({ kind: 'status', status, retryAfter }))
      pinger = pingerOf(socket, backlog, () => listener.answered?.())
      handshake.dialed?.(socket)
      return socket
    } catch (cause) {
      // Once the library holds what is returned: only then can its timer be cleared.
      queueMicrotask(() => end({ kind: 'threw', cause }))
      return CLOSED
    }
  }
  const oneShot = new ReconnectingWebSocket(handshake.url.href, [], {
    // The factory takes protocols and headers of this attempt; the library would fix them for ever.
    WebSocket: Object.assign(factory, { CLOSING: 2 }),
    maxRetries: 0,
    maxEnqueuedMessages: 0,
    connectionTimeout: LONGEST_TIMER_MS,
    minUptime: 0,
  })
  oneShot.binaryType = 'arraybuffer'
  /** The server's close frame came, and TCP may stay for long: the code is told by the `close` event alone. */
  const isOpen = (): boolean => {
    if (ended || socket === undefined || socket.readyState < 1) return false
    if (socket.readyState === 1) return true
    lostAfter(CLOSE_PATIENCE_MS)
    listener.closing()
    // With `ws` it brings the event at once.
    socket.terminate?.()
    return false
  }
  oneShot.onopen = () => {
    if (!isEchoed(socket?.protocol, handshake.protocols)) return end({ kind: 'subprotocol' })
    look = unrefed(
      setInterval(() => {
        if (isOpen()) listener.looked?.()
      }, LOOK_EVERY_MS),
    )
    listener.opened()
  }
  oneShot.onmessage = ({ data }) => listener.frame(data)
  // Deno says 0 where the connection broke.
  oneShot.onclose = ({ code, reason }) =>
    end({ kind: 'closed', code: code || 1006, reason: reason || breach })
  return {
    send: (frame) => {
      const takes = isOpen()
      if (takes) {
        oneShot.send(frame)
        backlog.add(frame)
      }
      return takes
    },
    get lagMs() {
      return backlog.lagMs
    },
    get pinger() {
      return pinger
    },
    get buffered() {
      return socket?.bufferedAmount || 0
    },
    look: isOpen,
    close: () => {
      if (!ended) detach()
    },
  }
}

/**
 * Not every runtime holds a server to what was offered (RFC 6455 §4.1), and a socket that works in some is broken.
 * `undefined` where none is shown.
 */
const isEchoed = (echo: string | null | undefined, offered: readonly string[]): boolean =>
  echo === undefined || (offered.length > 0 ? offered : ['']).includes(echo ?? '')

/**
 * The library turns an `error` into a close of its own making, code 1000, and forgets the true one. So it
 * sees no errors; they are watched here. Node 22 sends an `error` and never a `close` for a refused
 * handshake, so an error that no close follows ends the attempt too.
 */
const hideErrors = (
  socket: NativeSocket,
  end: (how: DialEnd) => void,
  lostAfter: (ms: number, error: unknown) => void,
): void => {
  const add = socket.addEventListener.bind(socket)
  add('error', ({ message, error }: { message?: unknown; error?: unknown }) => {
    const told = readError(message)
    if (told === 'subprotocol') end({ kind: told })
    else if (told) end({ kind: 'status', status: told, retryAfter: undefined })
    else lostAfter(socket.readyState === 0 ? 0 : CLOSE_FOLLOWS_MS, error)
  })
  socket.addEventListener = (type, handler) => {
    if (type !== 'error') add(type, handler)
  }
}

/** Stands for a socket that could not be made; the library wants something to hold. */
const CLOSED = {
  readyState: 3,
  addEventListener: () => {},
  removeEventListener: () => {},
  close: () => {},
}

const dropLater = (socket: NativeSocket | undefined) => {
  if (socket?.terminate === undefined || socket.readyState === 3) return
  unrefed(setTimeout(() => socket.terminate?.(), CLOSE_PATIENCE_MS))
}
