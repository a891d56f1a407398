/** A process that signs in, uses its tokens in every way, signs out, and writes down what is left in its memory. */
import { writeHeapSnapshot } from 'node:v8'
import { WebSocket } from 'ws'
import {
  AuthedSocket,
  plain,
  shareTabs,
  simpleJwt,
  viaQuery,
  type WebSocketConstructor,
} from '../../../src/index.ts'

const [, , origin = '', file = '', end = '', waitMs = ''] = process.argv

const made = () =>
  simpleJwt({
    obtain: `${origin}/api/token/`,
    refresh: `${origin}/api/token/refresh/`,
    revoke: `${origin}/api/token/revoke/`,
    tabs: shareTabs({ key: 'forgotten', share: 'broadcast' }),
  })

const session = made()
const other = made()
const socket = new AuthedSocket({
  url: `${origin}/ws/plain`,
  auth: session,
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
  WebSocket: WebSocket as unknown as WebSocketConstructor,
})
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

await session.login({ username: 'alice', password: 'correct-horse' })
await socket.connect()
await other.restore()
await session.fetch(`${origin}/whoami`)
await socket.reauthenticate()
if (end === 'logout') await other.logout()
// A closed socket is dropped 2 s later.
await pause(Number(waitMs))
for (let round = 0; round < 3; round++) {
  globalThis.gc?.()
  await pause(50)
}
writeHeapSnapshot(file)
// Still reachable, so that what they hold would be found.
process.stdout.write(`${session.signedIn} ${other.signedIn} ${socket.state}\n`)
process.exit(0)
