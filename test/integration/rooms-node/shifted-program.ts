/** A client whose clock is wrong: signs in, stays connected for a while, and says what it lived through. */
import { WebSocket } from 'ws'
import {
  AuthedSocket,
  multiplexed,
  simpleJwt,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../../src/index.ts'

const [, , origin = '', renewal = '', forMs = ''] = process.argv

const session = simpleJwt({
  obtain: `${origin}/api/token/`,
  refresh: `${origin}/api/token/refresh/`,
})
const socket = new AuthedSocket({
  url: `${origin}/ws/rooms`,
  auth: session,
  transmission: viaSubprotocol({ preset: 'bearer', app: 'authed-rooms.v1' }),
  protocol: multiplexed(),
  renewal: renewal === 'in-band' ? 'in-band' : 'on-close',
  // `ws` has what the SDK asks for; its own types say more than that.
  WebSocket: WebSocket as unknown as WebSocketConstructor,
})
const states: string[] = []
const errors: string[] = []
socket.on('statechange', ({ status }) => states.push(status.state))
socket.on('error', (error) => errors.push(String(error)))

await session.login({ username: 'alice', password: 'correct-horse' })
await socket.connect()
await new Promise((resolve) => setTimeout(resolve, Number(forMs)))
const { state } = socket
await socket.disconnect()
process.stdout.write(`${JSON.stringify({ now: Date.now(), state, states, errors })}\n`)
process.exit(0)
