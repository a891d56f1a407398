/** Servers of a few lines, each with its own fault. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerOptions } from 'node:http'
import { createServer as createTls } from 'node:https'
import {
  type AddressInfo,
  connect,
  createServer as createTcp,
  type Server,
  type Socket,
} from 'node:net'
import { WebSocketServer } from 'ws'
import type { Certificate, Running } from './python.ts'

const HOST = '127.0.0.1'

/** Closes with all its connections. */
async function running(server: Server): Promise<Running> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const ok: Answer = { status: 200, body: 'hello' }

interface Web {
  /** What ordinary requests get. */
  page?: (request: IncomingMessage) => Answer
  /** What an upgrade gets. */
  upgrade?: (request: IncomingMessage, socket: Socket, head: Buffer) => void
  tls?: Certificate
  options?: ServerOptions
}

export function web({ page = () => ok, upgrade, tls, options = {} }: Web): Promise<Running> {
  const server = tls ? createTls({ ...options, ...tls }) : createServer(options)
  server.on('request', (request, response) => {
    const { status, headers = {}, body = '' } = page(request)
    response.writeHead(status, headers).end(body)
  })
  if (upgrade) server.on('upgrade', upgrade)
  return running(server)
}

/** An HTTP answer to an upgrade, in bytes. */
export const refuse =
  (answer: (request: IncomingMessage) => Answer) =>
  (request: IncomingMessage, socket: Socket): void => {
    const { status, headers = {}, body = '' } = answer(request)
    const lines = Object.entries({ 'Content-Length': `${body.length}`, ...headers })
    socket.end(
      [`HTTP/1.1 ${status} Some Reason`, ...lines.map((line) => line.join(': ')), '', body].join(
        '\r\n',
      ),
    )
  }

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Accepts by hand, with whatever headers. */
export const accept = (
  request: IncomingMessage,
  socket: Socket,
  { key = request.headers['sec-websocket-key'], headers = {} as Record<string, string> } = {},
): void => {
  const answer = createHash('sha1').update(`${key}${GUID}`).digest('base64')
  const lines = Object.entries({
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': answer,
    ...headers,
  })
  socket.write(
    ['HTTP/1.1 101 Switching Protocols', ...lines.map((line) => line.join(': ')), '', ''].join(
      '\r\n',
    ),
  )
}

type Welcome = (request: IncomingMessage, socket: import('ws').WebSocket) => void

/** `ws`, which answers pings and close frames. */
export function sockets(
  welcome: Welcome = () => {},
  options: import('ws').ServerOptions = {},
): NonNullable<Web['upgrade']> {
  const server = new WebSocketServer({ ...options, noServer: true })
  return (request, socket, head) =>
    server.handleUpgrade(request, socket, head, (opened) => {
      opened.on('error', () => {})
      welcome(request, opened)
    })
}

export const tokenOf = (request: IncomingMessage): string | null =>
  new URL(request.url ?? '/', 'http://host').searchParams.get('token')

/** Whatever comes in is answered by `hear`, below HTTP. */
export function tcp(hear: (socket: Socket) => void): Promise<Running> {
  return running(createTcp(hear))
}

/** A tunnel to another port. `between` sees both ends. */
export function tunnel(
  port: number | (() => number),
  between: (client: Socket, server: Socket) => void = () => {},
): Promise<Running> {
  return tcp((client) => {
    const server = connect(typeof port === 'number' ? port : port(), HOST)
    server.on('error', () => client.destroy())
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    client.pipe(server).pipe(client)
    between(client, server)
  })
}

/** A proxy that forwards requests and knows no Upgrade: the header is one of the hop, so it is left out. */
export function plainProxy(port: number): Promise<Running> {
  return tcp((client) => {
    const server = connect(port, HOST)
    server.on('error', () =>
      client.end('HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n'),
    )
    server.pipe(client)
    client.on('data', (bytes) => {
      const hop = ['upgrade:', 'connection:', 'sec-websocket-']
      const lines = bytes
        .toString('latin1')
        .split('\r\n')
        .filter((line) => !hop.some((name) => line.toLowerCase().startsWith(name)))
      lines.splice(1, 0, 'Connection: close')
      server.write(lines.join('\r\n'), 'latin1')
    })
  })
}

/** A port on which nobody listens: it was free a moment ago. */
export async function freePort(): Promise<number> {
  const { port, close } = await tcp(() => {})
  await close()
  return port
}
