/**
 * What a message costs on its way in: `npx tsx bench/receive.ts [messages]`.
 *
 * An in-process socket hands over frames, so only the client is measured. The floor is what any program does
 * by hand: one `JSON.parse`, one `Map` lookup, one call. The rows take turns within one run, because machines
 * are shared and noisy; the best round of each counts.
 */
import { AuthedSocket, multiplexed, type Protocol, plain, viaQuery } from '../src/index.ts'
import { joined, message, StubSocket } from './stub-socket.ts'

const MESSAGES = Number(process.argv[2] ?? 200_000)
const ROUNDS = 7

/** Delivers all frames, and says how long that took, in ns. */
type Run = (frames: readonly string[], round: number) => number

const roomOf = (n: number): string => `room ${n}`

const floor = (rooms: number): Run => {
  let heard = 0
  const listeners = new Map(
    Array.from({ length: rooms }, (_, n) => [roomOf(n), () => void heard++]),
  )
  return (frames) => {
    const start = process.hrtime.bigint()
    for (const text of frames) listeners.get(JSON.parse(text).room)?.()
    return Number(process.hrtime.bigint() - start)
  }
}

const open = async (protocol: Protocol): Promise<[AuthedSocket, StubSocket]> => {
  const socket = new AuthedSocket({
    url: 'ws://localhost/ws',
    auth: () => 'token',
    transmission: viaQuery({ acceptLogging: true }),
    protocol,
    // A stub has what is used of a socket, and no more.
    WebSocket: StubSocket as never,
  })
  await socket.connect()
  return [socket, StubSocket.last]
}

const ofPlain = async (): Promise<Run> => {
  const [socket, stub] = await open(plain())
  socket.on('message', () => {})
  return (frames) => deliver(stub, frames)
}

const ofRooms = async (count: number): Promise<Run> => {
  const [socket, stub] = await open(multiplexed())
  const rooms = Array.from({ length: count }, (_, n) => socket.room(roomOf(n)))
  for (const room of rooms) room.on('message', () => {})
  await Promise.all(rooms.map((room) => room.join()))
  return (frames, round) => {
    // The same numbers in every round would be repetitions: each round has its own counting.
    for (const { name } of rooms) stub.fire('message', { data: joined(name, `round ${round}`) })
    return deliver(stub, frames)
  }
}

const deliver = (stub: StubSocket, frames: readonly string[]): number => {
  const start = process.hrtime.bigint()
  for (const data of frames) stub.fire('message', { data })
  return Number(process.hrtime.bigint() - start)
}

/** Each room in turn, from its first message on. */
const framesFor = (rooms: number): string[] =>
  Array.from({ length: MESSAGES }, (_, n) => message(roomOf(n % rooms), 1 + Math.floor(n / rooms)))

const rows: { name: string; run: Run; frames: readonly string[]; base: string }[] = []
for (const rooms of [1, 1_000, 10_000]) {
  const frames = framesFor(rooms)
  const name = `floor, ${rooms} rooms`
  rows.push({ name, run: floor(rooms), frames, base: 'floor, 1 rooms' })
  if (rooms === 1) rows.push({ name: 'plain()', run: await ofPlain(), frames, base: name })
  rows.push({
    name: `multiplexed(), ${rooms} rooms`,
    run: await ofRooms(rooms),
    frames,
    base: name,
  })
}
const best = new Map<string, number>()
for (let round = 0; round < ROUNDS; round++)
  for (const { name, run, frames } of rows)
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, run(frames, round)))
for (const { name, base } of rows) {
  const nanoseconds = best.get(name) ?? 0
  const ratio = (to: string) => (nanoseconds / (best.get(to) ?? 1)).toFixed(2)
  const toOne = name.startsWith('multi') ? `, ${ratio('multiplexed(), 1 rooms')} x of one room` : ''
  console.log(
    name.padEnd(28),
    `${(nanoseconds / MESSAGES).toFixed(0).padStart(6)} ns`,
    `${ratio(base)} x of ${base}${toOne}`,
  )
}
process.exit(0)
