/** An upgraded TCP connection: frames in, frames out, and how it ends. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { DialOptions, Wire } from './eyes.ts'
import { BINARY, CLOSE, closeCodeOf, FrameReader, frameOf, PING, PONG, TEXT } from './frames.ts'

export type Crypto = Pick<typeof import('node:crypto'), 'createHash' | 'randomBytes'>

interface Upgraded {
  readonly response: IncomingMessage
  readonly socket: Socket
  /** What came in one piece with the answer. */
  readonly head: Uint8Array
  readonly key: string
  readonly crypto: Crypto
  readonly heard: DialOptions['heard']
}

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export const wireOf = ({ response, socket, head, key, crypto, heard }: Upgraded): Wire => {
  const write = (opcode: number, payload: Uint8Array) => {
    if (socket.writable) socket.write(frameOf(opcode, payload, crypto.randomBytes(4)))
  }
  listen(socket, head, write, heard)
  const flaw = flawOf(response, acceptOf(key, crypto))
  return {
    protocol: response.headers['sec-websocket-protocol'] ?? '',
    ...(flaw && { flaw }),
    server: `${response.headers['server'] ?? ''}`,
    date: response.headers.date ?? '',
    send: (frame) =>
      typeof frame === 'string'
        ? write(TEXT, new TextEncoder().encode(frame))
        : write(BINARY, new Uint8Array(frame)),
    ping: () => write(PING, new Uint8Array()),
    close: () => {
      write(CLOSE, Uint8Array.of(3, 232))
      // Without waiting for the answer, which a dead peer would never give.
      socket.destroySoon()
    },
  }
}

const acceptOf = (key: string, crypto: Crypto): string =>
  crypto
    .createHash('sha1')
    .update(key + GUID)
    .digest('base64')

const flawOf = ({ headers }: IncomingMessage, accept: string): Wire['flaw'] => {
  if (headers['sec-websocket-accept'] !== accept) return 'accept-key'
  return headers['sec-websocket-extensions'] === undefined ? undefined : 'extension'
}

const listen = (
  socket: Socket,
  head: Uint8Array,
  write: (opcode: number, payload: Uint8Array) => void,
  heard: DialOptions['heard'],
): void => {
  const reader = new FrameReader()
  const text = new TextDecoder()
  let ended = false
  const end = (code: number) => {
    if (ended) return
    ended = true
    heard({ kind: 'ended', code })
  }
  const read = (bytes: Uint8Array) => {
    for (const frame of reader.push(bytes)) {
      if (frame.opcode === CLOSE) end(closeCodeOf(frame))
      else if (frame.opcode === PING) write(PONG, frame.payload)
      else if (frame.opcode === PONG) heard({ kind: 'pong' })
      else if (frame.opcode === TEXT) heard({ kind: 'text', text: text.decode(frame.payload) })
      else heard({ kind: 'binary' })
    }
  }
  socket.setNoDelay()
  socket.on('data', read)
  // An error is followed by `close`.
  socket.on('error', () => {})
  socket.on('end', () => end(1006))
  socket.on('close', () => end(1006))
  read(head)
}
