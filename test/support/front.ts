import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/**
 * - `pass`: bytes go through untouched.
 * - `bad-gateway`: every new request is answered with 502.
 * - `absent`: nobody listens and open connections are gone, as when the host is down.
 * - `reset`: the first request of a new connection is answered with a TCP RST.
 * - `black-hole`: open connections freeze until the mode changes; new ones are read and never answered.
 * - `drop`: open connections are destroyed now; then as `pass`, which is what `mode` says afterwards.
 */
export type FrontMode = 'pass' | 'bad-gateway' | 'absent' | 'reset' | 'black-hole' | 'drop'

/** One WebSocket handshake that came by. Holds no query and no header, so no token. */
export interface FrontDial {
  at: number
  path: string
  /** How many subprotocols were offered. */
  protocols: number
}

export interface FrontOptions {
  /** The port of the server behind, on 127.0.0.1. */
  target: number
  /** 0 or absent: a free one. */
  port?: number
}

export interface Front {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `ws://127.0.0.1:PORT` */
  readonly wsUrl: string
  readonly counts: Readonly<FrontCounts>
  readonly dials: readonly FrontDial[]
  readonly mode: Exclude<FrontMode, 'drop'>
  setMode(mode: FrontMode): Promise<void>
  /** Counts and records as new, mode `pass`; open connections stay. */
  reset(): Promise<void>
  close(): Promise<void>
}

export interface FrontCounts {
  dials: number
  tokenRequests: number
  /** TCP connections that were accepted. */
  connections: number
}

const HOST = '127.0.0.1'
const TOKEN_PATH = /\/token|\/refresh|\/login/
const BAD_GATEWAY = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

/** A client connection and, where it is passed on, the one to the server behind. */
interface Line {
  client: Socket
  server: Socket | undefined
}

interface RequestHead {
  method: string
  path: string
  upgrade: boolean
  protocols: number
  bodyBytes: number
  chunked: boolean
}

class RunningFront implements Front {
  readonly port: number
  readonly counts: FrontCounts = { dials: 0, tokenRequests: 0, connections: 0 }
  readonly dials: FrontDial[] = []
  readonly #target: number
  readonly #lines = new Set<Line>()
  #mode: Exclude<FrontMode, 'drop'> = 'pass'
  #listener: Server

  constructor(listener: Server, target: number) {
    this.#listener = listener
    this.#target = target
    this.port = (listener.address() as AddressInfo).port
    listener.on('connection', this.#connected)
  }

  get url(): string {
    return `http://${HOST}:${this.port}`
  }

  get wsUrl(): string {
    return `ws://${HOST}:${this.port}`
  }

  get mode(): Exclude<FrontMode, 'drop'> {
    return this.#mode
  }

  async setMode(mode: FrontMode): Promise<void> {
    const before = this.#mode
    this.#mode = mode === 'drop' ? 'pass' : mode
    if (mode === 'drop' || mode === 'absent') this.#destroyLines()
    if (mode === 'absent' && before !== 'absent') await stopListening(this.#listener)
    if (mode !== 'absent' && before === 'absent') {
      this.#listener = await listenOn(this.port)
      this.#listener.on('connection', this.#connected)
    }
    for (const line of this.#lines) freeze(line, mode === 'black-hole')
  }

  async reset(): Promise<void> {
    Object.assign(this.counts, { dials: 0, tokenRequests: 0, connections: 0 })
    this.dials.length = 0
    await this.setMode('pass')
  }

  async close(): Promise<void> {
    this.#destroyLines()
    await stopListening(this.#listener)
  }

  readonly #connected = (client: Socket): void => {
    this.counts.connections += 1
    const line: Line = {
      client,
      server: this.#mode === 'pass' ? connectTo(this.#target) : undefined,
    }
    this.#lines.add(line)
    client.on('close', () => this.#lines.delete(line))
    const scanner = new HeadScanner((head) => this.#requested(line, head))
    client.on('data', (chunk: Buffer) => {
      // First counted, then handed on: the server behind cannot answer what is not counted yet.
      scanner.push(chunk)
      if (line.server) forward(chunk, client, line.server, () => this.#frozen)
    })
    join(line, () => this.#frozen)
  }

  #requested(line: Line, head: RequestHead): void {
    if (head.upgrade) {
      this.counts.dials += 1
      this.dials.push({ at: Date.now(), path: head.path, protocols: head.protocols })
    }
    if (head.method === 'POST' && TOKEN_PATH.test(head.path)) this.counts.tokenRequests += 1
    if (this.#mode !== 'reset' && this.#mode !== 'bad-gateway') return
    // A kept-alive connection from before the mode changed is answered like a new one.
    const { client, server } = line
    line.server = undefined
    server?.destroy()
    if (this.#mode === 'reset') client.resetAndDestroy()
    else client.end(BAD_GATEWAY)
  }

  get #frozen(): boolean {
    return this.#mode === 'black-hole'
  }

  #destroyLines(): void {
    for (const { client, server } of this.#lines) {
      client.destroy()
      server?.destroy()
    }
  }
}

function connectTo(port: number): Socket {
  return connect({ port, host: HOST, allowHalfOpen: true, noDelay: true })
}

/** `pipe()` would do, were it possible to take one chunk out of it before it is written. */
function forward(chunk: Buffer, from: Socket, to: Socket, isFrozen: () => boolean): void {
  if (to.destroyed || to.write(chunk)) return
  from.pause()
  to.once('drain', () => {
    if (!isFrozen()) from.resume()
  })
}

/** Ends and failures of one side become those of the other: a failure must not look like an orderly end. */
function join(line: Line, isFrozen: () => boolean): void {
  const { client, server } = line
  client.on('error', () => line.server?.resetAndDestroy())
  client.on('end', () => (line.server ?? client).end())
  client.on('close', () => line.server?.destroySoon())
  if (server === undefined) return
  server.on('data', (chunk: Buffer) => forward(chunk, server, client, isFrozen))
  // `line.server` is gone when the front itself has answered instead.
  server.on('error', () => line.server && client.resetAndDestroy())
  server.on('end', () => line.server && client.end())
  server.on('close', () => line.server && client.destroySoon())
}

/** Nothing is read, so nothing is lost: what waits in the kernel arrives when the hole closes. */
function freeze({ client, server }: Line, frozen: boolean): void {
  if (server === undefined) return
  for (const socket of [client, server]) {
    if (frozen) socket.pause()
    else socket.resume()
  }
}

const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /
const HEAD_END = '\r\n\r\n'
const MAX_HEAD_BYTES = 65_536

function parseHead(text: string): RequestHead {
  const [requestLine = '', ...lines] = text.split('\r\n')
  const [method = '', target = ''] = requestLine.split(' ')
  const head: RequestHead = {
    method,
    path: target.split('?', 1)[0] ?? '',
    upgrade: false,
    protocols: 0,
    bodyBytes: 0,
    chunked: false,
  }
  for (const line of lines) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).trim()
    switch (line.slice(0, colon).toLowerCase()) {
      case 'upgrade':
        head.upgrade = value.toLowerCase() === 'websocket'
        break
      case 'sec-websocket-protocol':
        head.protocols += value.split(',').length
        break
      case 'content-length':
        head.bodyBytes = Number(value) || 0
        break
      case 'transfer-encoding':
        head.chunked = true
        break
    }
  }
  return head
}

/** Finds the request heads in what a client sends, and stops looking at the first upgrade. */
class HeadScanner {
  readonly #found: (head: RequestHead) => void
  #pending = ''
  #bodyBytes = 0
  /** `chunked`: where the body ends is not parsed; a piece that begins with a method is the next head. */
  #reading: 'heads' | 'chunked' | 'nothing' = 'heads'

  constructor(found: (head: RequestHead) => void) {
    this.#found = found
  }

  push(chunk: Buffer): void {
    if (this.#reading === 'nothing') return
    // One byte, one character, so that lengths are those of the wire.
    let text = chunk.toString('latin1')
    while (text !== '') {
      const skipped = Math.min(this.#bodyBytes, text.length)
      this.#bodyBytes -= skipped
      text = this.#readHead(text.slice(skipped))
    }
  }

  /** What follows the head, as far as it is still to be read. */
  #readHead(text: string): string {
    if (this.#reading === 'nothing' || text === '') return ''
    if (this.#reading === 'chunked' && !METHOD.test(text)) return ''
    this.#reading = 'heads'
    this.#pending += text
    const end = this.#pending.indexOf(HEAD_END)
    if (end < 0) {
      if (this.#pending.length > MAX_HEAD_BYTES) this.#reading = 'nothing'
      return ''
    }
    const head = parseHead(this.#pending.slice(0, end))
    const rest = this.#pending.slice(end + HEAD_END.length)
    this.#pending = ''
    this.#bodyBytes = head.bodyBytes
    if (head.chunked) this.#reading = 'chunked'
    if (head.upgrade) this.#reading = 'nothing'
    this.#found(head)
    return rest
  }
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const listener = createServer({ allowHalfOpen: true, noDelay: true })
    listener.once('error', reject)
    listener.listen(port, HOST, () => resolve(listener))
  })
}

function stopListening(listener: Server): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()))
}

/** Stands before any server, counts what comes by, and takes the network away on demand. */
export async function startFront(options: FrontOptions): Promise<Front> {
  return new RunningFront(await listenOn(options.port ?? 0), options.target)
}
