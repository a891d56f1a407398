import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Control } from './control.ts'
import { createControl } from './control.ts'
import { createControlDoor } from './control-door.ts'
import { Handshake } from './handshake.ts'
import { allowOrigin, bearerOf, sendReply } from './http.ts'
import type { Methods } from './methods.ts'
import { EXAMPLE_METHODS } from './methods.ts'
import { createServices } from './routes.ts'
import type { ServerState } from './state.ts'
import { createState } from './state.ts'
import { openStore } from './store.ts'
import { createTokenEndpoints } from './token-endpoints.ts'
import { Tokens } from './tokens.ts'

export interface ReferenceServerOptions {
  /** 0 or absent: a free one. */
  port?: number
  /** Keeps users and tokens over a restart; absent: memory only. */
  dataDir?: string
  /** What `call` answers on `/ws/rooms`; by default `echo` and `order.place`. */
  methods?: Methods
  /** Answers every path that the server does not know, for a demo that serves its page from here. */
  fallback?: RequestListener
}

export interface ReferenceServer extends Control {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `ws://127.0.0.1:PORT` */
  readonly wsUrl: string
  /** Closes sockets with 1012, then ends; resolves when the port is free. */
  close(): Promise<void>
}

const HOST = '127.0.0.1'
/** How long `close()` waits for the close frames of its clients. */
const GRACE_MS = 250

function createRequestListener(
  state: ServerState,
  tokens: Tokens,
  control: Control,
  fallback?: RequestListener,
): RequestListener {
  const tokenEndpoint = createTokenEndpoints(state, tokens)
  const controlDoor = createControlDoor(control)
  return (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    allowOrigin(request, response)
    if (request.method === 'OPTIONS') sendReply(response, { status: 204 })
    else if (path === '/whoami') whoAmI(tokens, request, response)
    else if (tokenEndpoint(path, request, response) || controlDoor(path, request, response)) return
    else if (path === '/' && request.method === 'HEAD') sendReply(response, { status: 200 })
    else if (fallback) fallback(request, response)
    else if (path === '/')
      sendReply(response, { status: 200, body: { server: 'authed-socket reference' } })
    else sendReply(response, { status: 404, body: { detail: 'Not found.' } })
  }
}

/** An authenticated probe: says whether a token would be let in, without a dial. */
function whoAmI(tokens: Tokens, request: IncomingMessage, response: ServerResponse): void {
  const token = bearerOf(request)
  const verdict = token === undefined ? Promise.resolve(undefined) : tokens.verify(token)
  verdict.then(
    (known) => {
      if (known?.ok) sendReply(response, { status: 200, body: { user: known.user } })
      else
        sendReply(response, {
          status: 401,
          body: { detail: 'Token is invalid or expired', code: 'token_not_valid' },
        })
    },
    () => request.socket.destroy(),
  )
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port))
  })
}

/** http.Server forgets upgraded sockets, and a hanging handshake would keep the process alive. */
function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}

async function shutDown(
  server: Server,
  state: ServerState,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const { socket } of state.connections) socket.close(1012, 'restarting')
  const until = Date.now() + GRACE_MS
  while (state.connections.size > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const socket of sockets) socket.destroy()
  await closed
}

export async function createReferenceServer(
  options: ReferenceServerOptions = {},
): Promise<ReferenceServer> {
  const store = openStore(options.dataDir)
  const state = createState(store.data, store.save)
  const tokens = new Tokens(state)
  const control = createControl(state, tokens)
  const handshake = new Handshake(
    state,
    tokens,
    createServices(state, options.methods ?? EXAMPLE_METHODS),
  )
  const server = createServer(createRequestListener(state, tokens, control, options.fallback))
  const sockets = trackSockets(server)
  server.on('upgrade', handshake.upgrade)
  const port = await listen(server, options.port ?? 0)
  let ending: Promise<void> | undefined
  return {
    ...control,
    port,
    url: `http://${HOST}:${port}`,
    wsUrl: `ws://${HOST}:${port}`,
    close() {
      ending ??= shutDown(server, state, sockets)
      return ending
    },
  }
}
