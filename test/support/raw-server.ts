/**
 * A WebSocket server in bare TCP, for what no library does: it says close and keeps the connection, or reads
 * nothing any more.
 */
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface RawConnection {
  /** From 1. */
  readonly number: number
  /** The text and binary frames that came, as text. */
  readonly frames: string[]
  /** Bytes of their payloads: what was read of a peer that sends on and on. */
  readonly bytes: number
  send(text: string): void
  /** Bytes as they are, also those of no frame. */
  write(bytes: Buffer): void
  /** The close frame alone: TCP stays as it is. */
  sayClose(code: number): void
  /** Reads nothing until it is resumed. */
  pause(): void
  resume(): void
  /** Ends TCP, in order. */
  end(): void
}

export interface RawServer {
  readonly url: string
  readonly port: number
  readonly connections: readonly RawConnection[]
  /** Of all connections. */
  readonly frames: readonly string[]
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const TEXT = 1
const BINARY = 2
const CLOSE = 8

const frameOf = (opcode: number, payload: Buffer): Buffer => {
  const { length } = payload
  const size = length < 126 ? [length] : [126, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([0x80 | opcode, ...size]), payload])
}

/** @returns one frame of a client, and what follows it; `undefined` while it is not whole */
const cut = (bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined => {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  const extended = short === 127 ? 8 : short === 126 ? 2 : 0
  const start = 2 + extended + 4
  if (bytes.length < start) return undefined
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (bytes.length < start + length) return undefined
  const mask = bytes.subarray(start - 4, start)
  const payload = Buffer.from(bytes.subarray(start, start + length))
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0)
  return { opcode: bytes.readUInt8(0) & 15, payload, end: start + length }
}

class Connection implements RawConnection {
  readonly frames: string[] = []
  bytes = 0
  readonly #socket: Socket
  #unread = Buffer.alloc(0)
  #isOpen = false

  constructor(
    readonly number: number,
    socket: Socket,
    readonly heard: (text: string) => void,
    readonly opened: () => void,
  ) {
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => {
      this.#unread = Buffer.concat([this.#unread, data])
      if (this.#isOpen) this.#read()
      else this.#shake()
    })
  }

  send(text: string): void {
    this.#socket.write(frameOf(TEXT, Buffer.from(text)))
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  sayClose(code: number): void {
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    this.#socket.write(frameOf(CLOSE, payload))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  #shake(): void {
    const head = this.#unread.indexOf('\r\n\r\n')
    if (head < 0) return
    const said = String(this.#unread.subarray(0, head))
    const headerOf = (name: string) => new RegExp(`^${name}: *(.+)$`, 'im').exec(said)?.[1]?.trim()
    const key = headerOf('sec-websocket-key')
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
    const [protocol] = headerOf('sec-websocket-protocol')?.split(/, */) ?? []
    const echo = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
    this.#unread = this.#unread.subarray(head + 4)
    this.#isOpen = true
    this.#socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${echo}\r\n`,
    )
    this.opened()
    this.#read()
  }

  #read(): void {
    for (let frame = cut(this.#unread); frame; frame = cut(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.end)
      if (frame.opcode !== TEXT && frame.opcode !== BINARY) continue
      this.bytes += frame.payload.length
      const text = String(frame.payload)
      this.frames.push(text)
      this.heard(text)
    }
  }
}

/** @param serve is called with each connection once it is open */
export const serveRaw = async (
  serve: (connection: RawConnection) => void = () => {},
): Promise<RawServer> => {
  const connections: Connection[] = []
  const frames: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    const connection: Connection = new Connection(
      connections.length + 1,
      socket,
      (text) => frames.push(text),
      () => serve(connection),
    )
    connections.push(connection)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // Of a TCP server it is an object.
  const { port } = server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/`, port, connections, frames }
}
