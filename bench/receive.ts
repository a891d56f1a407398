/**
 * What a message costs on its way in: `npx tsx bench/receive.ts [messages]`.
 *
 * An in-process socket hands over frames, so only the client is measured. Each row is a ratio to the floor,
 * which is what any program does by hand: one `JSON.parse`, one `Map` lookup, one call. The rows take turns
 * within one run, because machines are shared and noisy; the best round of each counts.
 */
import { AuthedSocket, multiplexed, plain, viaQuery } from '../src/index.ts'

const MESSAGES = Number(process.argv[2] ?? 200_000)
const ROUNDS = 7

const WELCOME = JSON.stringify({
  type: 'welcome',
  version: 1,
  user: 'alice',
  session: 's',
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
  heartbeatMs: 25_000,
  features: [],
})

class StubSocket {
  static last: StubSocket
  readyState = 0
  binaryType = ''
  bufferedAmount = 0
  readonly #listeners = new Map<string, ((event: object) => void)[]>()

  constructor() {
    StubSocket.last = this
    setTimeout(() => {
      this.readyState = 1
      this.fire('open', {})
      this.fire('message', { data: WELCOME })
    }, 0)
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  removeEventListener(): void {}

  send(frame: string): void {
    const { type, id, rooms } = JSON.parse(frame)
    if (type !== 'join') return
    for (const { room } of rooms)
      queueMicrotask(() =>
        this.fire('message', {
          data: JSON.stringify({ type: 'joined', id, room, epoch: 'e', seq: 0 }),
        }),
      )
  }

  close(): void {
    this.readyState = 3
  }

  fire(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event)
  }
}

const frame = (room: string, seq: number) =>
  JSON.stringify({
    type: 'message',
    room,
    seq,
    from: 'alice',
    clientId: '0123456789abcdef0123456789abcdef',
    n: seq,
    at: 1_760_000_000_000,
    data: { text: 'hello', n: seq },
  })

type Run = (frames: readonly string[]) => number

const floor = (rooms: number): Run => {
  let heard = 0
  const listeners = new Map(
    Array.from({ length: rooms }, (_, n) => [`room ${n}`, () => void heard++]),
  )
  return (frames) => {
    const start = process.hrtime.bigint()
    for (const text of frames) listeners.get(JSON.parse(text).room)?.()
    return Number(process.hrtime.bigint() - start)
  }
}

const open = (protocol: ReturnType<typeof plain>) =>
  new AuthedSocket({
    url: 'ws://localhost/ws',
    auth: () => 'token',
    transmission: viaQuery({ acceptLogging: true }),
    protocol,
    // A stub has what is used of a socket, and no more.
    WebSocket: StubSocket as never,
  })

const deliver: Run = (frames) => {
  const { last } = StubSocket
  const start = process.hrtime.bigint()
  for (const data of frames) last.fire('message', { data })
  return Number(process.hrtime.bigint() - start)
}

const ofPlain = async (): Promise<Run> => {
  const socket = open(plain())
  socket.on('message', () => {})
  await socket.connect()
  const mine = StubSocket.last
  return (frames) => {
    StubSocket.last = mine
    return deliver(frames)
  }
}

const ofRooms = async (count: number): Promise<Run> => {
  const socket = open(multiplexed())
  await socket.connect()
  const mine = StubSocket.last
  for (let n = 0; n < count; n++) {
    const room = socket.room(`room ${n}`)
    room.on('message', () => {})
    await room.join()
  }
  return (frames) => {
    StubSocket.last = mine
    return deliver(frames)
  }
}

const framesFor = (rooms: number): string[] =>
  Array.from({ length: MESSAGES }, (_, n) => frame(`room ${n % rooms}`, n))

const rows: [string, Run, string[]][] = [
  ['floor, 1 room', floor(1), framesFor(1)],
  ['plain()', await ofPlain(), framesFor(1)],
  ['multiplexed(), 1 room', await ofRooms(1), framesFor(1)],
  ['floor, 1,000 rooms', floor(1_000), framesFor(1_000)],
  ['multiplexed(), 1,000 rooms', await ofRooms(1_000), framesFor(1_000)],
]
const best = new Map<string, number>()
for (let round = 0; round < ROUNDS; round++)
  for (const [name, run, frames] of rows)
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, run(frames)))
const base = best.get('floor, 1 room') ?? 1
for (const [name, nanoseconds] of best)
  console.log(
    name.padEnd(30),
    `${(nanoseconds / MESSAGES).toFixed(0).padStart(6)} ns`,
    `${(nanoseconds / base).toFixed(2).padStart(6)} x`,
  )
process.exit(0)
