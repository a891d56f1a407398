/**
 * One raw WebSocket, dialed once: no protocol, no patience, and everything that the runtime shows of the
 * handshake. `ws` shows its status and the echoed word, and sends bytes that are no UTF-8; others do not.
 */
import type { WebSocketConstructor, WebSocketLike } from '../shell/websocket.ts'
import type { Handshake } from '../transmissions/transmission.ts'

export interface WireListener {
  frame(data: string | ArrayBuffer): void
  closed(code: number, reason: string): void
}

export interface Wire {
  /** What came back in Sec-WebSocket-Protocol; empty for nothing. */
  readonly echoed: string
  send(data: string | ArrayBuffer | Uint8Array): void
  /** A text frame of any bytes. @returns whether the runtime can */
  sendAsText(bytes: Uint8Array): boolean
  close(): void
  /** Ends the TCP connection without a close frame. @returns whether the runtime can */
  drop(): boolean
}

export type Opening =
  | { readonly kind: 'open'; readonly wire: Wire }
  /** Answered with an HTTP status instead of 101. */
  | { readonly kind: 'status'; readonly status: number }
  /** The handshake was accepted, and the echoed word is not one that a client can take. */
  | { readonly kind: 'echo'; readonly echoed: string | undefined }
  /** Ended, or not answered in time, and the runtime does not say why. */
  | { readonly kind: 'lost'; readonly why: string }
  /** The constructor threw. */
  | { readonly kind: 'threw'; readonly why: string }

/** What is used of them; `ws` has the optional members. */
interface Native extends WebSocketLike {
  readonly protocol: string
  binaryType: string
  addEventListener(type: string, listener: (event: NativeEvent) => void): void
  send(data: string | ArrayBuffer | Uint8Array, options?: { readonly binary: boolean }): void
  terminate?(): void
  on?(event: string, listener: (...args: never[]) => void): void
}
interface NativeEvent {
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
  readonly message?: unknown
}
interface NodeResponse {
  readonly statusCode?: number
  readonly headers: Readonly<Record<string, string | undefined>>
}
/** `ws` takes options third; undici takes them with the protocols. */
type NativeConstructor = new (
  url: string,
  protocols?: string[] | object,
  options?: object,
) => Native

export interface Dialing {
  readonly handshake: Handshake
  readonly WebSocket: WebSocketConstructor
  readonly options: object
  readonly timeoutMs: number
}

const isWs = (Socket: WebSocketConstructor): boolean =>
  typeof (Socket as { prototype?: { on?: unknown } }).prototype?.on === 'function'

/** What the runtime of this constructor can do beyond a browser. */
export const canSendAnyBytes = isWs

/** Settles once, whatever comes; frames and the close go to the listener from the first byte on. */
export function openWire(dialing: Dialing, listener: WireListener): Promise<Opening> {
  return new Promise((resolve) => {
    let native: Native
    try {
      native = construct(dialing)
    } catch (error) {
      resolve({ kind: 'threw', why: error instanceof Error ? error.message : 'it threw' })
      return
    }
    native.binaryType = 'arraybuffer'
    const timer = setTimeout(() => {
      settle({ kind: 'lost', why: `no answer within ${dialing.timeoutMs} ms` })
      drop(native)
    }, dialing.timeoutMs)
    const settle = (opening: Opening): void => {
      clearTimeout(timer)
      resolve(opening)
    }
    watch(native, listener, settle)
  })
}

function construct({ handshake, WebSocket, options }: Dialing): Native {
  // All have the members that are used here; their own types are too narrow to say so.
  const Socket = WebSocket as unknown as NativeConstructor
  const { url, protocols, headers } = handshake
  const given = {
    ...options,
    headers: { ...(options as { headers?: object }).headers, ...headers },
  }
  if (isWs(WebSocket))
    return new Socket(url.href, [...protocols], {
      // Compressed beside text of an attacker, a token could be guessed from lengths (CRIME, BREACH).
      perMessageDeflate: false,
      ...given,
      // A redirect would take the token along.
      followRedirects: false,
    })
  if (Object.keys(options).length === 0 && Object.keys(headers).length === 0)
    return protocols.length > 0 ? new Socket(url.href, [...protocols]) : new Socket(url.href)
  return new Socket(url.href, { protocols: [...protocols], ...given })
}

function watch(native: Native, listener: WireListener, settle: (opening: Opening) => void): void {
  let opened = false
  /** From the 101 itself, where the runtime shows it: all words, and also one that fails the socket. */
  let answered: { readonly echoed: string | undefined } | undefined
  native.on?.('upgrade', ({ headers }: NodeResponse) => {
    answered = { echoed: headers['sec-websocket-protocol'] }
  })
  // With a listener `ws` reports nothing else, so the socket is given up here.
  native.on?.('unexpected-response', (_request: unknown, { statusCode }: NodeResponse) => {
    settle({ kind: 'status', status: statusCode ?? 0 })
    drop(native)
  })
  native.addEventListener('open', () => {
    opened = true
    settle({ kind: 'open', wire: wireOf(native, answered?.echoed ?? native.protocol) })
  })
  native.addEventListener('message', ({ data }) => {
    listener.frame(typeof data === 'string' || data instanceof ArrayBuffer ? data : '')
  })
  native.addEventListener('error', ({ message }) => {
    if (opened) return
    const why = typeof message === 'string' && message !== '' ? message : 'it failed'
    settle(answered ? { kind: 'echo', echoed: answered.echoed } : { kind: 'lost', why })
  })
  native.addEventListener('close', ({ code = 1006, reason = '' }) => {
    if (opened) listener.closed(code, reason)
    else settle({ kind: 'lost', why: `it ended with ${code}` })
  })
}

const wireOf = (native: Native, echoed: string): Wire => ({
  echoed,
  send: (data) => native.send(data),
  sendAsText(bytes) {
    if (native.on === undefined) return false
    native.send(bytes, { binary: false })
    return true
  },
  close: () => native.close(1000),
  drop: () => drop(native),
})

function drop(native: Native): boolean {
  if (native.terminate === undefined) {
    native.close()
    return false
  }
  native.terminate()
  return true
}
