/** A process with many sessions that use their tokens in every way, sign out, and writes down what is left in memory. */
import { writeHeapSnapshot } from 'node:v8'
import { WebSocket } from 'ws'
import {
  AuthedSocket,
  diary,
  plain,
  simpleJwt,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { transmissionOf, WAYS, type Way } from './ways.ts'

const [, , origin = '', file = '', end = '', count = '', waitMs = ''] = process.argv

const lived = async (way: Way) => {
  const session = simpleJwt({
    obtain: `${origin}/api/token/`,
    refresh: `${origin}/api/token/refresh/`,
  })
  const socket = new AuthedSocket({
    url: `${origin}/ws/${way === 'first-message' ? 'first' : 'chat'}/lobby`,
    auth: session,
    transmission: transmissionOf(way),
    protocol: plain(),
    diary: diary(),
    // `ws` has what the SDK asks for; its own types say more than that.
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  })
  await session.login({ username: 'alice', password: 'correct-horse' })
  await socket.connect()
  await socket.send({ message: 'hello' })
  await session.fetch(`${origin}/whoami`)
  await socket.reauthenticate()
  if (end === 'logout') await session.logout()
  return { session, socket, snapshot: socket.getSnapshot(), lines: socket.explain() }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const all: Awaited<ReturnType<typeof lived>>[] = []
for (let index = 0; index < Number(count); index += 1)
  all.push(await lived(WAYS[index % WAYS.length] as Way))
// A closed socket is dropped 2 s later.
await pause(Number(waitMs))
for (let round = 0; round < 3; round++) {
  globalThis.gc?.()
  await pause(50)
}
writeHeapSnapshot(file)
// Still reachable, so that what they hold would be found.
process.stdout.write(`${all.filter(({ session }) => session.signedIn).length} of ${all.length}\n`)
process.exit(0)
