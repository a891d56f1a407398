/**
 * What an idle room costs, and how many frames join them all: `node --expose-gc --import tsx bench/rooms.ts`.
 * Heap after a full collection, before and after; the names of the rooms are part of it.
 */
import { AuthedSocket, multiplexed, viaQuery } from '../src/index.ts'
import { StubSocket } from './stub-socket.ts'

const ROOMS = Number(process.argv[2] ?? 10_000)

if (globalThis.gc === undefined) throw new Error('run it with node --expose-gc --import tsx')

const heap = (): number => {
  for (let n = 0; n < 5; n++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const socket = new AuthedSocket({
  url: 'ws://localhost/ws',
  auth: () => 'token',
  transmission: viaQuery({ acceptLogging: true }),
  protocol: multiplexed(),
  // A stub has what is used of a socket, and no more.
  WebSocket: StubSocket as never,
})
await socket.connect()
await socket.join('warm')
const stub = StubSocket.last
const settle = () => new Promise((resolve) => setTimeout(resolve, 50))

const measured = async (what: string, make: () => unknown): Promise<void> => {
  await settle()
  const before = heap()
  const joins = stub.joins
  await make()
  await settle()
  console.log(
    what.padEnd(24),
    `${((heap() - before) / ROOMS).toFixed(0).padStart(5)} B a room,`,
    `${stub.joins - joins} join frames`,
  )
}

const names = (prefix: string) => Array.from({ length: ROOMS }, (_, n) => `${prefix}-${n}`)
await measured('first (warms up)', () => Promise.all(names('w').map((name) => socket.join(name))))
await measured('joined, idle', () => Promise.all(names('i').map((name) => socket.join(name))))
await measured('with a listener', () =>
  Promise.all(
    names('l').map((name) => {
      socket.room(name).on('message', () => {})
      return socket.join(name)
    }),
  ),
)
process.exit(0)
