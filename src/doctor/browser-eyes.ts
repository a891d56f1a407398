/** Looks with what a page has: `WebSocket`, which hides why it failed, and `fetch`. */
import type { WebSocketConstructor, WebSocketLike } from '../shell/websocket.ts'
import type { Handshake } from '../transmissions/transmission.ts'
import { httpOf, readAnswer } from './answer.ts'
import type { Dialed, DialOptions, Eyes, Wire } from './eyes.ts'
import type { Outcome } from './facts.ts'

type Get = Omit<DialOptions, 'heard'>

/** What of a browser's WebSocket is used. */
interface PageSocket extends WebSocketLike {
  readonly protocol: string
  binaryType: string
  send(frame: string | ArrayBuffer): void
  addEventListener(type: string, listener: (event: never) => void): void
}

export const browserEyes = (
  WebSocket: WebSocketConstructor,
  fetch: typeof globalThis.fetch,
): Eyes => ({
  sight: 'browser',
  dial: (handshake, options) =>
    withPolicy((blocked) => dial(WebSocket, handshake, options, blocked)),
  get: (url, options) => get(fetch, httpOf(url), options),
})

const missed = (outcome: Outcome): Dialed => ({ kind: 'missed', outcome })

const dial = (
  WebSocket: WebSocketConstructor,
  { url, protocols }: Handshake,
  { timeoutMs, signal, heard }: DialOptions,
  isBlocked: () => boolean,
): Promise<Dialed> =>
  new Promise((resolve) => {
    let socket: PageSocket
    try {
      // The members that are used are those of every browser; the type of the option names fewer.
      socket = new WebSocket(url.href, [...protocols]) as PageSocket
    } catch (error) {
      resolve(missed({ kind: 'forbidden', by: byOf(error) }))
      return
    }
    socket.binaryType = 'arraybuffer'
    const giveUp = () => {
      resolve(missed({ kind: 'blind' }))
      socket.close()
    }
    const timer = setTimeout(giveUp, timeoutMs)
    signal?.addEventListener('abort', giveUp, { once: true })
    let opened = false
    const end = (code: number) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      if (opened) heard({ kind: 'ended', code })
      else resolve(missed(isBlocked() ? { kind: 'forbidden', by: 'csp' } : { kind: 'blind' }))
    }
    socket.addEventListener('open', () => {
      clearTimeout(timer)
      opened = true
      resolve({ kind: 'wire', wire: wireOf(socket) })
    })
    socket.addEventListener('message', ({ data }: { data: unknown }) =>
      heard(typeof data === 'string' ? { kind: 'text', text: data } : { kind: 'binary' }),
    )
    socket.addEventListener('close', ({ code }: { code: number }) => end(code))
    // Node's own WebSocket ends a refused handshake with an error alone.
    socket.addEventListener('error', () => setTimeout(() => !opened && end(1006)))
  })

const wireOf = (socket: PageSocket): Wire => ({
  protocol: socket.protocol,
  send: (frame) => socket.send(frame),
  close: () => socket.close(),
})

const byOf = (error: unknown): 'mixed-content' | 'other' =>
  (error as { name?: unknown }).name === 'SecurityError' ? 'mixed-content' : 'other'

/** A policy that forbids a connection says so in an event of the document, and nowhere else. */
const withPolicy = async (run: (isBlocked: () => boolean) => Promise<Dialed>): Promise<Dialed> => {
  // Typed as always there; workers have none.
  const page: Document | undefined = globalThis.document
  let blocked = false
  const listener = ({ effectiveDirective }: SecurityPolicyViolationEvent) => {
    if (effectiveDirective === 'connect-src') blocked = true
  }
  page?.addEventListener('securitypolicyviolation', listener)
  try {
    return await run(() => blocked)
  } finally {
    page?.removeEventListener('securitypolicyviolation', listener)
  }
}

/** First as a script may read it; where that is not allowed, only whether anything answers. */
const get = async (
  fetch: typeof globalThis.fetch,
  url: URL,
  { timeoutMs, signal }: Get,
): Promise<Outcome> => {
  const timeout = AbortSignal.timeout(timeoutMs)
  const init: RequestInit = {
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  }
  try {
    const response = await fetch(url, init)
    if (response.status === 0) return { kind: 'opaque' }
    const headers = Object.fromEntries(response.headers)
    const body = (await response.text()).slice(0, 4_096)
    const { status, statusText: reason } = response
    return readAnswer({ status, reason, headers, body, url, at: Date.now() })
  } catch {
    // `no-cors` demands that redirects are followed; nothing secret travels.
    return fetch(url, { ...init, redirect: 'follow', mode: 'no-cors', method: 'HEAD' }).then(
      () => ({ kind: 'opaque' }),
      () => ({ kind: 'silent' }),
    )
  }
}
