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
import type { RefreshRecord } from '../servers/node/state.ts'
import { startServer, type TestServer } from '../support/servers.ts'

const SOCKETS = 1_000
const EXPIRIES = Number(process.env['AUTHED_SOCKET_EXPIRIES'] ?? 2)
/** A thousand dials take a second or two on a busy machine. */
const LIFETIME_MS = 5_000

let server: TestServer
beforeAll(async () => {
  server = await startServer('node')
  await server.control('settings', {
    accessLifetimeMs: LIFETIME_MS,
    exactExp: true,
    closeAtExpiry: true,
  })
})
afterAll(() => server?.stop())

it(
  `${SOCKETS} sockets on one session refresh once at each of ${EXPIRIES} expiries`,
  async () => {
    const session = simpleJwt({
      obtain: `${server.url}/api/token/`,
      refresh: `${server.url}/api/token/refresh/`,
    })
    const events: string[] = []
    session.on('signedout', () => events.push('out'))
    await session.login({ username: 'alice', password: 'correct-horse' })
    const sockets = Array.from(
      { length: SOCKETS },
      () =>
        new AuthedSocket({
          url: `${server.wsUrl}/ws/plain`,
          auth: session,
          transmission: viaSubprotocol(),
          protocol: plain(),
          // `ws` has what the SDK asks for; its own types say more than that.
          WebSocket: WebSocket as unknown as WebSocketConstructor,
        }),
    )
    const until = async (isSo: () => Promise<boolean>) => {
      while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const refreshes = () => server.control<RefreshRecord[]>('refreshes')
    await Promise.all(sockets.map((socket) => socket.connect()))
    await until(async () => (await refreshes()).length >= EXPIRIES)
    await server.control('settings', { accessLifetimeMs: 600_000 })
    await until(async () => (await refreshes()).length > EXPIRIES)
    await until(async () => sockets.every(({ state }) => state === 'connected'))
    const all = await refreshes()
    const gaps = all.slice(1).map(({ at }, index) => at - (all[index]?.at ?? 0))
    console.log(
      `${SOCKETS} sockets: ${all.length} refreshes, shortest gap ${Math.min(...gaps)} ms of ${LIFETIME_MS}`,
    )
    expect(all.map(({ outcome }) => outcome)).toEqual(all.map(() => 'rotated'))
    expect(gaps.filter((gap) => gap < LIFETIME_MS / 2)).toEqual([])
    expect(await server.control('families')).toEqual({ total: 1, revoked: 0 })
    expect(events).toEqual([])
    await Promise.all(sockets.map((socket) => socket.disconnect()))
  },
  EXPIRIES * LIFETIME_MS * 4 + 60_000,
)
