/**
 * What Channels' AllowedHostsOriginValidator asks of a client: an Origin whose host is one of ALLOWED_HOSTS, here
 * 127.0.0.1 and localhost. Browsers send that of their page; Node sends none unless it is told to.
 */
import { WebSocket as UndiciWebSocket } from 'undici'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  cookieSession,
  HandshakeRefusedError,
  plain,
  roomPerSocket,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { startServer, type TestServer } from '../support/servers.ts'

const START_MS = 60_000

const ALLOWED = [
  'http://127.0.0.1',
  'http://127.0.0.1:3000',
  'https://localhost:8443',
  'http://LOCALHOST',
]
const FOREIGN = [
  'https://evil.example',
  'http://127.0.0.1.evil.example',
  'http://sub.localhost',
  'null',
  'file://',
]

describe.each(['channels-daphne', 'channels-uvicorn-websockets'] as const)('%s', (name) => {
  let server: TestServer
  beforeAll(async () => {
    await ensurePythonEnv()
    server = await startServer(name)
  }, START_MS)
  afterAll(() => server?.stop())

  const signedIn = async () => {
    const session = cookieSession({ login: `${server.url}/login/` })
    await session.login({ username: 'alice', password: 'correct-horse' })
    return session
  }

  /** A room behind the validator, with a good cookie. */
  const dial = async (options: Partial<AuthedSocketOptions>) =>
    new AuthedSocket({
      url: `${server.wsUrl}/ws/origin/{room}/`,
      auth: await signedIn(),
      protocol: roomPerSocket(),
      retry: { scale: 0.001 },
      settleMs: 2_000,
      ...options,
    })

  it.each(ALLOWED)('lets %s in', async (origin) => {
    await using socket = await dial({ webSocketOptions: { origin } })
    const room = await socket.join('lobby')
    expect(room.state).toBe('joined')
  })

  it('lets it in as a header too, which every runtime of Node understands', async () => {
    const webSocketOptions = { headers: { Origin: 'http://localhost:3000' } }
    for (const WebSocket of [undefined, UndiciWebSocket as unknown as WebSocketConstructor]) {
      await using socket = await dial({ webSocketOptions, ...(WebSocket && { WebSocket }) })
      expect((await socket.join('lobby')).state).toBe('joined')
    }
  })

  it.each<[string, string | undefined]>([
    ['none', undefined],
    ...FOREIGN.map((origin): [string, string] => [origin, origin]),
  ])('refuses %s like a bad cookie, and the error says what may be wrong', async (_, origin) => {
    await using socket = await dial(origin === undefined ? {} : { webSocketOptions: { origin } })
    await expect(socket.join('lobby')).rejects.toMatchObject({
      code: 'CREDENTIAL_REJECTED',
      cause: {
        code: 'HANDSHAKE_REFUSED',
        status: 403,
        message: expect.stringContaining('token, Origin or room refused'),
      },
    })
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
  })

  it('where the runtime shows no status, the refusal is silence, and never ends the session', async () => {
    const WebSocket = UndiciWebSocket as unknown as WebSocketConstructor
    await using socket = await dial({ WebSocket })
    socket.join('lobby').catch(() => {})
    await vi.waitFor(() => {
      expect(socket.status).toMatchObject({
        state: 'waiting',
        error: { code: 'HANDSHAKE_REFUSED' },
      })
      expect((socket.status as { error: Error }).error.message).toContain('Origin')
    }, 5_000)
  })

  it('beside a socket that is open with the same cookie it is the configuration that is wrong', async () => {
    const session = await signedIn()
    const shared = { url: `${server.wsUrl}/ws/origin/lobby/`, auth: session, protocol: plain() }
    const quick = { retry: { scale: 0.001 }, settleMs: 500 }
    await using right = new AuthedSocket({
      ...shared,
      ...quick,
      webSocketOptions: { origin: 'http://localhost' },
    })
    await right.connect()
    await new Promise((resolve) => setTimeout(resolve, 600))
    await using wrong = new AuthedSocket({ ...shared, ...quick })
    const error: unknown = await wrong.connect().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(HandshakeRefusedError)
    expect(error).toMatchObject({ message: expect.stringContaining('check Origin and path') })
    expect(wrong.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect([right.state, session.signedIn]).toEqual(['connected', true])
  })
})
