/** In Node a process is one tab: a thousand sockets share one session, and its refresh token is spent once. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  AuthedSocket,
  plain,
  simpleJwt,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'

const SOCKETS = 1_000
/** The one after them, to a long-lived token, is counted too. */
const EXPIRIES = Number(process.env['AUTHED_SOCKET_EXPIRIES'] ?? 1)
/** How long a thousand dials take depends on the machine: a token lives twice as long, or this long, in ms. */
const SHORTEST_LIFETIME = 4_000
const LONG = 3_600_000

let server: ReferenceServer
beforeAll(async () => {
  server = await createReferenceServer()
  server.settings({
    accessLifetimeMs: LONG,
    exactExp: true,
    closeAtExpiry: true,
  })
})
afterAll(() => server?.close())

it(
  `${SOCKETS} sockets on one session refresh once at each of ${EXPIRIES} expiries`,
  async () => {
    const session = simpleJwt({
      obtain: `${server.url}/api/token/`,
      refresh: `${server.url}/api/token/refresh/`,
    })
    const events: string[] = []
    const sockets = Array.from(
      { length: SOCKETS },
      () =>
        new AuthedSocket({
          url: `${server.wsUrl}/ws/plain`,
          auth: session,
          transmission: viaSubprotocol(),
          protocol: plain(),
          // A busy machine may need longer for a thousand dials than one of them may take, and then begins anew.
          connectTimeoutMs: 60_000,
          tokenTimeoutMs: 60_000,
          // `ws` has what the SDK asks for; its own types say more than that.
          WebSocket: WebSocket as unknown as WebSocketConstructor,
        }),
    )
    const until = async (isSo: () => boolean) => {
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const connected = async (): Promise<number> => {
      const since = Date.now()
      await session.login({ username: 'alice', password: 'correct-horse' })
      await Promise.all(sockets.map((socket) => socket.connect()))
      return Date.now() - since
    }
    const lifetime = Math.max(SHORTEST_LIFETIME, 2 * (await connected()))
    await session.logout()
    server.settings({ accessLifetimeMs: lifetime })
    await connected()
    session.on('signedout', () => events.push('out'))
    await until(() => server.refreshes().length >= EXPIRIES)
    server.settings({ accessLifetimeMs: LONG })
    await until(() => server.refreshes().length > EXPIRIES)
    await until(() => sockets.every(({ state }) => state === 'connected'))
    const all = server.refreshes()
    const gaps = all.slice(1).map(({ at }, index) => at - (all[index]?.at ?? 0))
    console.log(
      `${SOCKETS} sockets: ${all.length} refreshes, shortest gap ${Math.min(...gaps)} ms of a life of ${lifetime} ms`,
    )
    expect(all.map(({ outcome }) => outcome)).toEqual(all.map(() => 'rotated'))
    expect(gaps.filter((gap) => gap < lifetime / 2)).toEqual([])
    expect(server.families()).toEqual({ total: 2, revoked: 0 })
    expect(events).toEqual([])
    await Promise.all(sockets.map((socket) => socket.disconnect()))
  },
  EXPIRIES * 60_000 + 300_000,
)
