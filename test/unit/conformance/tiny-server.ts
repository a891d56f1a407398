/**
 * The rooms protocol, whole and in memory, as small as it can be: what the kit has to find right. `mutations.ts`
 * breaks its text line by line, so each rule stands on a line of its own where that can be.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface TinyServer {
  readonly url: string
  close(): void
}

type Frame = Readonly<Record<string, unknown>>
type Reply = Record<string, unknown>

const PROTOCOL = 'authed-rooms.v1'
const FEATURES = ['auth', 'call', 'history', 'join-in-url', 'presence']
const LIMITS = { frameBytes: 4_096, roomsPerJoin: 5, rooms: 12, inFlight: 16, history: 8 }
/** Each of so many sends of a connection is too much, and comes again after so long. */
const TOO_MANY = 24
const AGAIN_MS = 200
const AUTH_MS = 600
const LEASE_MS = 60_000
const SHORT_MS = 600
const FORBIDDEN = 'forbidden'
const METHODS = new Map<string, (data: unknown) => unknown>([['echo', (data) => data]])

interface Grant {
  readonly user: string
  readonly endsInMs?: number
}
const TOKENS = new Map<string, Grant>([
  ['token-of.alice', { user: 'alice' }],
  ['token-of.bob', { user: 'bob' }],
  ['token-of.alice.short', { user: 'alice', endsInMs: SHORT_MS }],
])

interface Stored {
  readonly seq: number
  readonly from: string
  readonly clientId: string
  readonly n: number
  readonly at: number
  readonly data: unknown
}
interface Shown {
  readonly member: { readonly user: string; readonly clientId: string; readonly data: unknown }
  readonly by: Set<Connection>
}
/** Sends were told to come again, up to this `n`. */
interface Held {
  readonly last: number
  readonly at: number
}
interface Connection {
  readonly socket: WebSocket
  readonly user: string
  readonly client: string | undefined
  readonly number: number | undefined
  readonly rooms: Set<string>
  readonly held: Map<string, Held>
  sends: number
  expiry?: NodeJS.Timeout
}

class Room {
  epoch: string = randomUUID()
  readonly messages: Stored[] = []
  readonly ids = new Map<string, number>()
  readonly members = new Set<Connection>()
  readonly watchers = new Set<Connection>()
  readonly shown = new Map<string, Shown>()
  version = 0
}

const isObject = (value: unknown): value is Frame =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isRoom = (value: unknown): value is string => isText(value) && Buffer.byteLength(value) <= 256
const isClient = (value: unknown): value is string => isText(value) && /^[0-9a-f]{32}$/.test(value)
const isMaybe = (value: unknown, isRight: (value: unknown) => boolean): boolean =>
  value === undefined || isRight(value)
const isResume = (value: unknown): boolean =>
  isObject(value) && isText(value['epoch']) && isCount(value['seq'])
const isJoining = (value: unknown): boolean =>
  isObject(value) &&
  isRoom(value['room']) &&
  isMaybe(value['params'], isObject) &&
  isMaybe(value['presence'], isObject) &&
  isMaybe(value['resume'], isResume)
const isJoin = ({ rooms }: Frame): boolean =>
  Array.isArray(rooms) &&
  rooms.length > 0 &&
  rooms.every(isJoining) &&
  new Set(rooms.map(({ room }) => room)).size === rooms.length

const READERS = new Map<unknown, (frame: Frame) => boolean>([
  ['auth', ({ token }) => isText(token)],
  ['join', isJoin],
  ['leave', ({ room }) => isRoom(room)],
  [
    'send',
    (frame) =>
      isRoom(frame['room']) &&
      isText(frame['epoch']) &&
      isClient(frame['clientId']) &&
      isCount(frame['n']) &&
      Object.hasOwn(frame, 'data') &&
      isMaybe(frame['volatile'], (value) => value === true),
  ],
  ['call', ({ method }) => isText(method)],
  [
    'history',
    ({ room, limit, before }) =>
      isRoom(room) && isCount(limit) && limit > 0 && isMaybe(before, isCount),
  ],
  ['ping', () => true],
])

/** A frame, or what could be read of one that is wrong. */
function read(text: string): {
  readonly frame: Frame
  readonly id?: number
  readonly isRight: boolean
} {
  try {
    const frame: unknown = JSON.parse(text)
    if (!isObject(frame) || !Object.hasOwn(frame, 'type')) return { frame: {}, isRight: false }
    const id = Object.hasOwn(frame, 'id') && isCount(frame['id']) ? frame['id'] : undefined
    if (id === undefined) return { frame, isRight: false }
    return { frame, id, isRight: READERS.get(frame['type'])?.(frame) ?? false }
  } catch {
    return { frame: {}, isRight: false }
  }
}

const offered = (request: IncomingMessage): string[] =>
  (request.headers['sec-websocket-protocol'] ?? '').split(',').map((word) => word.trim())
const queryOf = (request: IncomingMessage): URLSearchParams =>
  new URLSearchParams((request.url ?? '').split('?')[1] ?? '')

const cookieOf = (request: IncomingMessage): string[] =>
  (request.headers.cookie ?? '').split('access_token=').slice(1)
const isForeign = ({ headers }: IncomingMessage): boolean =>
  headers.origin !== undefined && headers.origin !== 'https://tiny.example'

function tokensOf(request: IncomingMessage): readonly string[] {
  const words = offered(request)
  const at = words.indexOf('token')
  const pair = at < 0 ? [] : words.slice(at + 1, at + 2)
  return [...queryOf(request).getAll('token'), ...pair, ...cookieOf(request)]
}

class Service {
  readonly #rooms = new Map<string, Room>()
  readonly #fences = new Map<string, number>()

  admit(socket: WebSocket, request: IncomingMessage) {
    if (!offered(request).includes(PROTOCOL)) return socket.close(1002)
    if (cookieOf(request).length > 0 && isForeign(request)) return socket.close(4403)
    const tokens = tokensOf(request)
    if (tokens.length > 1) return socket.close(4003)
    const [token] = tokens
    if (token !== undefined) return this.#judge(socket, request, token)
    const timer = setTimeout(() => socket.close(4003), AUTH_MS)
    socket.once('message', (data) => {
      clearTimeout(timer)
      const { frame, isRight } = read(String(data))
      if (!isRight || frame['type'] !== 'auth') return socket.close(4003)
      this.#judge(socket, request, String(frame['token']))
    })
  }

  #judge(socket: WebSocket, request: IncomingMessage, token: string) {
    const grant = TOKENS.get(token)
    if (grant === undefined) return socket.close(4003)
    const query = queryOf(request)
    const client = query.get('client') ?? ''
    const number = Number(query.get('connection'))
    const isNumbered = isClient(client) && isCount(number) && number > 0
    const connection: Connection = {
      socket,
      user: grant.user,
      client: isNumbered ? client : undefined,
      number: isNumbered ? number : undefined,
      rooms: new Set(),
      held: new Map(),
      sends: 0,
    }
    this.#welcome(connection, grant)
    for (const room of new Set(query.getAll('join'))) this.#join(connection, undefined, { room })
  }

  #welcome(connection: Connection, { endsInMs }: Grant): void {
    const { socket, user } = connection
    if (connection.number !== undefined) this.#fence(connection, connection.number)
    this.#expire(connection, endsInMs)
    socket.on('close', (code) => this.#closed(connection, code))
    socket.on('message', (data, isBinary) =>
      this.#receive(connection, isBinary ? '' : String(data)),
    )
    this.#reply(connection, {
      type: 'welcome',
      version: 1,
      user,
      session: randomUUID(),
      limits: LIMITS,
      heartbeatMs: 25_000,
      resumeWindowMs: 60_000,
      ...(endsInMs === undefined ? {} : { expiresInMs: endsInMs }),
      features: FEATURES,
    })
    if (endsInMs !== undefined) this.#reply(connection, { type: 'expiring', inMs: endsInMs })
    // A process may go at any time, and tell so early.
    if (connection.number === 2) this.#reply(connection, { type: 'drain', withinMs: 60_000 })
  }

  #fence({ user, client }: Connection, number: number): void {
    const key = `${user} ${client}`
    this.#fences.set(key, Math.max(number, this.#fences.get(key) ?? 0))
  }

  #expire(connection: Connection, endsInMs: number | undefined) {
    clearTimeout(connection.expiry)
    if (endsInMs === undefined) return
    connection.expiry = setTimeout(() => connection.socket.close(4003), endsInMs)
  }

  /** A bug ends its connection, as in the servers that people run. */
  #receive(connection: Connection, text: string): void {
    try {
      this.#read(connection, text)
    } catch {
      connection.socket.close(1011)
    }
  }

  #read(connection: Connection, text: string) {
    const { frame, id, isRight } = read(text)
    const known = id === undefined ? {} : { id }
    if (Buffer.byteLength(text) > LIMITS.frameBytes)
      return this.#fail(connection, { ...known, code: 'too-large' })
    if (!isRight || id === undefined) return this.#fail(connection, { ...known, code: 'bad-frame' })
    this.#handle(connection, id, frame)
  }

  #handle(connection: Connection, id: number, frame: Frame) {
    const room = String(frame['room'])
    switch (frame['type']) {
      case 'auth':
        return this.#renew(connection, id, String(frame['token']))
      case 'join':
        return this.#joinAll(connection, id, frame['rooms'] as Frame[])
      case 'leave':
        if (!connection.rooms.has(room))
          return this.#fail(connection, { id, room, code: 'not-joined' })
        this.#leave(connection, room)
        return this.#reply(connection, { type: 'ok', id })
      case 'send':
        return this.#send(connection, id, frame)
      case 'call':
        return this.#call(connection, id, frame)
      case 'history':
        return this.#history(connection, id, frame)
      default:
        this.#reply(connection, { type: 'pong', id })
    }
  }

  #renew(connection: Connection, id: number, token: string) {
    const grant = TOKENS.get(token)
    if (grant === undefined) return this.#fail(connection, { id, code: 'token-refused' })
    if (grant.user !== connection.user) return this.#fail(connection, { id, code: 'other-user' })
    this.#expire(connection, grant.endsInMs)
    const ends = grant.endsInMs === undefined ? {} : { expiresInMs: grant.endsInMs }
    this.#reply(connection, { type: 'ok', id, ...ends })
  }

  #joinAll(connection: Connection, id: number, rooms: readonly Frame[]) {
    if (rooms.length > LIMITS.roomsPerJoin) return this.#fail(connection, { id, code: 'too-large' })
    for (const joining of rooms) this.#join(connection, id, joining)
  }

  #join(connection: Connection, id: number | undefined, joining: Frame) {
    const name = String(joining['room'])
    const known = id === undefined ? { room: name } : { id, room: name }
    if (!isRoom(name)) return this.#fail(connection, { ...known, code: 'bad-frame' })
    if (name === FORBIDDEN) return this.#fail(connection, { ...known, code: 'forbidden' })
    if (!connection.rooms.has(name) && connection.rooms.size >= LIMITS.rooms)
      return this.#fail(connection, { ...known, code: 'too-large' })
    const room = this.#room(name)
    room.members.add(connection)
    connection.rooms.add(name)
    const presence = joining['presence']
    if (isObject(presence)) this.#show(connection, name, room, presence)
    const shown = {
      members: [...room.shown.values()].map(({ member }) => member),
      version: room.version,
    }
    this.#reply(connection, {
      type: 'joined',
      ...known,
      epoch: room.epoch,
      seq: room.messages.length,
      ...this.#recovered(room, joining['resume']),
      ...(isObject(presence) ? shown : {}),
    })
  }

  #recovered({ epoch, messages }: Room, resume: unknown): Reply {
    if (!isObject(resume)) return { recovered: false }
    const seq = Number(resume['seq'])
    if (resume['epoch'] !== epoch) return { recovered: false }
    if (seq > messages.length) return { recovered: false }
    return { recovered: true, messages: messages.slice(seq) }
  }

  #show(connection: Connection, name: string, room: Room, data: Frame): void {
    const member = { user: connection.user, clientId: connection.client ?? '0'.repeat(32), data }
    const key = `${member.user} ${member.clientId}`
    const by = room.shown.get(key)?.by ?? new Set()
    room.shown.set(key, { member, by: by.add(connection) })
    room.version += 1
    room.watchers.delete(connection)
    this.#tell(room, {
      type: 'presence',
      room: name,
      version: room.version,
      joins: [member],
      leaves: [],
    })
    room.watchers.add(connection)
  }

  #hide(name: string, room: Room, key: string, connection: Connection) {
    const shown = room.shown.get(key)
    shown?.by.delete(connection)
    if (shown === undefined || shown.by.size > 0) return
    room.shown.delete(key)
    room.version += 1
    const { user, clientId } = shown.member
    const leaves = [{ user, clientId }]
    this.#tell(room, { type: 'presence', room: name, version: room.version, joins: [], leaves })
  }

  #tell({ watchers }: Room, frame: Reply): void {
    for (const watcher of watchers) this.#reply(watcher, frame)
  }

  #leave(connection: Connection, name: string, leaseMs = 0): void {
    const room = this.#room(name)
    const key = `${connection.user} ${connection.client ?? '0'.repeat(32)}`
    connection.rooms.delete(name)
    room.members.delete(connection)
    room.watchers.delete(connection)
    if (leaseMs > 0) setTimeout(() => this.#hide(name, room, key, connection), leaseMs).unref()
    else this.#hide(name, room, key, connection)
  }

  #closed(connection: Connection, code: number): void {
    clearTimeout(connection.expiry)
    const leaseMs = code === 1006 ? LEASE_MS : 0
    for (const name of connection.rooms) this.#leave(connection, name, leaseMs)
  }

  #send(connection: Connection, id: number, frame: Frame) {
    const { user, client, number = Number.POSITIVE_INFINITY } = connection
    const { clientId, n, epoch, data } = frame
    const name = String(frame['room'])
    const refuse = (code: string) => this.#fail(connection, { id, room: name, code })
    if (!connection.rooms.has(name)) return refuse('not-joined')
    const room = this.#room(name)
    if (number < (this.#fences.get(`${user} ${client}`) ?? 0)) return refuse('superseded')
    if (epoch !== room.epoch) return refuse('stale-epoch')
    const key = `${user} ${clientId} ${n}`
    const seen = room.ids.get(key)
    if (seen !== undefined) return this.#reply(connection, { type: 'ok', id, seq: seen })
    const waitMs = this.#waitFor(connection, name, Number(n))
    if (waitMs > 0)
      return this.#fail(connection, { id, room: name, code: 'rate-limited', retryAfterMs: waitMs })
    const seq = room.messages.length + 1
    const stored = { seq, from: user, clientId, n, at: Date.now(), data } as Stored
    room.messages.push(stored)
    room.ids.set(key, seq)
    this.#reply(connection, { type: 'ok', id, seq })
    for (const member of room.members)
      this.#reply(member, { type: 'message', room: name, ...stored })
  }

  /** @returns in how many ms it may come again; 0 when it is taken */
  #waitFor(connection: Connection, room: string, n: number): number {
    const { last = n, at = 0 } = connection.held.get(room) ?? {}
    const isBehind = n > last
    if (!isBehind && ++connection.sends % TOO_MANY > 0) {
      if (n === last) connection.held.delete(room)
      return 0
    }
    const againAt = isBehind ? at : Date.now() + AGAIN_MS
    connection.held.set(room, { last: Math.max(last, n), at: againAt })
    return Math.max(1, againAt - Date.now())
  }

  #call(connection: Connection, id: number, { method, data = null }: Frame) {
    const run = METHODS.get(String(method))
    if (run === undefined) return this.#fail(connection, { id, code: 'unknown-method' })
    this.#reply(connection, { type: 'reply', id, data: run(data) })
  }

  #history(connection: Connection, id: number, frame: Frame) {
    const name = String(frame['room'])
    if (!connection.rooms.has(name))
      return this.#fail(connection, { id, room: name, code: 'not-joined' })
    const { epoch, messages } = this.#room(name)
    const before = Number(frame['before'] ?? Number.MAX_SAFE_INTEGER)
    const limit = Math.min(Number(frame['limit']), LIMITS.history)
    const older = messages.filter(({ seq }) => seq < before)
    const page = older.slice(-limit)
    const more = older.length > page.length
    this.#reply(connection, { type: 'history', id, room: name, epoch, messages: page, more })
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room()
    this.#rooms.set(name, room)
    return room
  }

  #fail(connection: Connection, error: Reply): void {
    this.#reply(connection, { type: 'error', ...error, message: `refused: ${error['code']}` })
  }

  #reply({ socket }: Connection, frame: Reply): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame))
  }
}

export async function startTinyServer(): Promise<TinyServer> {
  const service = new Service()
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    maxPayload: 524_288,
    handleProtocols: (words) => (words.has(PROTOCOL) ? PROTOCOL : false),
  })
  server.on('connection', (socket, request) => {
    socket.on('error', () => socket.terminate())
    service.admit(socket, request)
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${port}/ws/rooms`,
    close() {
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}
