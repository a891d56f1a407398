import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { DialFault } from './faults.ts'
import type { ServerState } from './state.ts'

const DEFAULT_REFUSAL = 4003

/** A close that was ordered from outside, whatever the token is worth. */
export interface OrderedClose {
  code: number
  reason: string
  afterMs: number
  withFrame?: string
}

export function refuse(
  socket: Duplex,
  status: number,
  body = '',
  headers: Record<string, string> = {},
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const length = Buffer.byteLength(body)
  socket.end(
    `HTTP/1.1 ${status} Refused\r\n${lines.join('')}Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** Faults that end the handshake before it is one. */
export function failedByFault(socket: Duplex, fault: DialFault | undefined): boolean {
  switch (fault?.kind) {
    case 'refuse':
      refuse(socket, fault.status, fault.body, fault.headers)
      return true
    case 'close-before-accept':
      refuse(socket, 403)
      return true
    case 'hang':
      return true
    case 'drop-tcp':
      if (fault.afterMs !== undefined) return false
      socket.destroy()
      return true
    default:
      return false
  }
}

export function orderedClose(
  state: ServerState,
  fault: DialFault | undefined,
): OrderedClose | undefined {
  if (fault?.kind === 'close-after-accept') {
    return { reason: '', afterMs: 0, ...fault }
  }
  const refusal = state.settings.refuseSockets
  if (refusal?.when !== 'after-accept') return undefined
  return { code: refusal.code || DEFAULT_REFUSAL, reason: 'refused', afterMs: refusal.afterMs ?? 0 }
}

export function closeInOneWrite(socket: Duplex, webSocket: WebSocket, order: OrderedClose): void {
  socket.cork()
  if (order.withFrame !== undefined) webSocket.send(order.withFrame)
  webSocket.close(order.code, order.reason)
  socket.uncork()
}
