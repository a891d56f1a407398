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
import { MemoryStore } from './rooms/memory-store.ts'
import { RoomsService } from './rooms/service.ts'
import type { RoomStore } from './rooms/store.ts'
import { createServices } from './routes.ts'
import type { ServerState, Settings } from './state.ts'
import { createState } from './state.ts'
import { openStore } from './store.ts'
import { createTokenEndpoints } from './token-endpoints.ts'
import { Tokens } from './tokens.ts'

export interface ReferenceServerOptions {
  /** 0 or absent: a free one. */
  port?: number
  /** Keeps users and tokens over a restart; absent: memory only. */
  dataDir?: string
  /** `redis://…`: keeps the rooms there, for all processes that name the same one; absent: in memory. */
  redis?: string
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
  /** Takes no more connections, and gives those of `/ws/rooms` the time of `drainMs` to go; then `close()`. */
  retire(): Promise<void>
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

/** The rest of a server's life, once it takes no more connections. */
async function shutDown(
  state: ServerState,
  rooms: RoomsService,
  sockets: ReadonlySet<Socket>,
): Promise<void> {
  for (const { socket } of state.connections) socket.close(1012, 'restarting')
  const until = Date.now() + GRACE_MS
  while (state.connections.size > 0 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const socket of sockets) socket.destroy()
  await rooms.close()
}

export async function createReferenceServer(
  options: ReferenceServerOptions = {},
): Promise<ReferenceServer> {
  const store = openStore(options.dataDir)
  const state = createState(store.data, store.save)
  const tokens = new Tokens(state)
  const rooms = await openRooms(options, state, tokens)
  const control = createControl(state, tokens, rooms)
  const handshake = new Handshake(state, tokens, createServices(state, rooms))
  const server = createServer(createRequestListener(state, tokens, control, options.fallback))
  const sockets = trackSockets(server)
  server.on('upgrade', handshake.upgrade)
  const port = await listen(server, options.port ?? 0)
  const stopListening = once(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const end = once(async () => {
    const stopped = stopListening()
    await shutDown(state, rooms, sockets)
    await stopped
  })
  return {
    ...control,
    port,
    url: `http://${HOST}:${port}`,
    wsUrl: `ws://${HOST}:${port}`,
    async retire() {
      stopListening().catch(() => {})
      await rooms.drain(state.settings.drainMs)
      await end()
    },
    close: end,
  }
}

async function openRooms(
  { redis, methods = EXAMPLE_METHODS }: ReferenceServerOptions,
  state: ServerState,
  tokens: Tokens,
): Promise<RoomsService> {
  const store = await openRoomStore(redis, state.settings)
  return new RoomsService({ state, tokens, methods, store })
}

async function openRoomStore(redis: string | undefined, settings: Settings): Promise<RoomStore> {
  if (redis === undefined) return new MemoryStore(settings)
  // The client of Redis takes longer to load than all the rest.
  const { RedisStore } = await import('./rooms/redis-store.ts')
  return RedisStore.open(redis, settings)
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= run()
    return running
  }
}
