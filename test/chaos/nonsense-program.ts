/**
 * A program of its own, so that a crash is seen: a server that says anything, and protocols that give anything. Says at its
 * end what it has done; whatever throws out of an event of a socket ends it before.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { type WebSocket, WebSocketServer } from 'ws'
import {
  AuthedSocket,
  type Codec,
  multiplexed,
  type Protocol,
  plain,
  roomPerSocket,
  roomsOnOneSocket,
  viaQuery,
} from '../../src/index.ts'

const FRAMES = Number(process.argv[2])
const RETURNS = Number(process.argv[3])
const seed = Number(process.argv[4])
const CHUNK = 250

const KINDS =
  'welcome message joined presence expiring drain ok reply history error verdict ignored unreadable pong'
const FIELDS =
  'id room seq epoch recovered messages members joins leaves more from clientId n at data code message retryAfterMs withinMs inMs version user limits features verdict meta detail heartbeatMs'

const value = fc.oneof(
  fc.constantFrom<unknown>(
    'a',
    'b',
    '',
    0,
    1,
    7,
    -1,
    1.5,
    2 ** 53,
    1e308,
    null,
    true,
    {},
    [],
    [null],
  ),
  fc.constantFrom<unknown>(
    [{ user: 'u', clientId: 'c', data: {} }],
    [{ user: 'u' }],
    { frameBytes: 0, roomsPerJoin: 1 },
    { retryAfterMs: 0 },
    'retry',
    'reauthenticate',
  ),
  fc.jsonValue({ maxDepth: 2 }),
)
/** Of the right kind, with fields of any value: what is almost right gets furthest. */
const almost = (name: 'type' | 'kind') =>
  fc
    .tuple(
      fc.constantFrom(...KINDS.split(' ')),
      fc.dictionary(fc.constantFrom(...FIELDS.split(' ')), value, { maxKeys: 8 }),
    )
    .map(([kind, fields]) => ({ room: 'a', ...fields, [name]: kind }))

const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
const frame = fc.oneof(
  { weight: 8, arbitrary: almost('type').map((it) => JSON.stringify(it)) },
  { weight: 4, arbitrary: almost('kind').map((it) => JSON.stringify(it)) },
  { weight: 2, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      deep,
      `{"type":"presence","room":"a","version":1,"joins":[{"user":"u","clientId":"c","data":{"x":${deep}}}],"leaves":[]}`,
    ),
  },
)
const wrong = fc.oneof(
  fc.anything({ withDate: true, withMap: true, withBigInt: true, withNullPrototype: true }),
  almost('kind'),
  fc.constantFrom('throw', 'reject', 'getter'),
)

const fits = (given: unknown): unknown => {
  if (given === 'throw') throw new Error('mine')
  if (given === 'reject') return Promise.reject(new Error('mine'))
  if (given !== 'getter') return given
  return {
    get kind() {
      throw new Error('mine')
    },
  }
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(server, 'listening')
const { port } = server.address() as AddressInfo

let errors = 0
const clientOf = (path: string, protocol: Protocol) => {
  const socket = new AuthedSocket({
    url: `ws://127.0.0.1:${port}/${path}/{room}`,
    auth: () => 'token',
    transmission: viaQuery({ acceptLogging: true }),
    protocol,
    retry: { scale: 0.001 },
    settleMs: 1,
    requestTimeoutMs: 50,
  })
  socket.on('error', () => errors++)
  return { path, socket }
}
type Client = ReturnType<typeof clientOf>

const WELCOME = JSON.stringify({
  type: 'welcome',
  version: 1,
  user: 'u',
  heartbeatMs: 60_000,
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
  features: ['presence'],
})
const JOINED = { type: 'joined', room: 'a', epoch: 'e', seq: 0, version: 0, members: [] }

let peers = new Map<string, WebSocket>()
server.on('connection', (peer, { url = '' }) => {
  peers.set(url.split('/')[1] ?? '', peer)
  peer.on('error', () => {})
  peer.setMaxListeners(0)
  if (!url.startsWith('/multiplexed')) return
  // A welcome and a room: most of what follows is for those who have both.
  peer.send(WELCOME)
  peer.on('message', (data) => {
    const { type, id } = JSON.parse(String(data))
    if (type === 'join') peer.send(JSON.stringify({ ...JOINED, id }))
  })
})

/** As often as it has to be: some of what is said ends the connection. */
const peerOf = async ({ path, socket }: Client): Promise<WebSocket> => {
  for (;;) {
    const peer = peers.get(path)
    if (peer?.readyState === 1) return peer
    // It was told to come back in a thousand years, and does as it is told.
    const { status } = socket
    if (status.state === 'waiting' && status.retryAt > Date.now() + 500) await socket.disconnect()
    // Also after a failure, which no join ends.
    socket.connect().catch(() => {})
    if (path !== 'plain')
      socket
        .room('a')
        .join({ presence: {} })
        .catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Until all of it was read, or the connection has ended. */
const say = async (client: Client, frames: readonly (string | Uint8Array)[]): Promise<void> => {
  const peer = await peerOf(client)
  for (const each of frames) peer.send(each)
  peer.ping()
  await Promise.race([once(peer, 'pong'), once(peer, 'close')])
}

const isFrameOf = (given: unknown): given is { kind?: unknown } => typeof given === 'object'
const house = (read: Codec['read'], gives: () => unknown): Protocol => {
  const give = () => gives() as string
  return {
    name: 'house',
    rooms: roomsOnOneSocket,
    greets: false,
    acknowledges: false,
    codec: () => ({ read, send: give, join: give, leave: give, call: give, history: give }),
  }
}
const readers = [
  clientOf('multiplexed', multiplexed()),
  clientOf(
    'plain',
    plain({
      verdict: (it) => (isFrameOf(it) && it?.kind === 'verdict' ? (it as never) : undefined),
      correlate: { request: () => 1, answer: (it) => (isFrameOf(it) ? (it as never) : undefined) },
    }),
  ),
  clientOf('rooms', roomPerSocket()),
  clientOf(
    'house',
    house(
      (text) => JSON.parse(String(text)),
      () => 'x',
    ),
  ),
]
let frames = 0
while (frames < FRAMES) {
  const said = fc.sample(frame, { numRuns: CHUNK, seed: seed + frames })
  for (const client of readers) {
    await say(client, said)
    frames += said.length
  }
}

let returns = 0
const given: unknown[] = []
const next = () => {
  returns++
  return fits(given.shift())
}
const giver = clientOf(
  'giver',
  house(() => next() as never, next),
)
while (returns < RETURNS) {
  given.push(...fc.sample(wrong, { numRuns: CHUNK, seed: seed + returns }))
  await say(giver, new Array(CHUNK - 50).fill(''))
  const room = giver.socket.room('a')
  for (let n = 0; n < 8; n++) {
    room.join().catch(() => {})
    room.send(n).catch(() => {})
    room.history().catch(() => {})
    giver.socket.request('x', n).catch(() => {})
    room.leave()
  }
  given.length = 0
}
for (const { socket } of [...readers, giver]) await socket.disconnect()
for (const peer of server.clients) peer.terminate()
server.close()
peers = new Map()
// Late rejections end a process in a turn of their own.
await new Promise((resolve) => setTimeout(resolve, 50))
process.stdout.write(JSON.stringify({ frames, returns, errors }))
