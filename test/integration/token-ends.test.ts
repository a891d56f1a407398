/** The end of a token, on real sockets: with a runtime that shows the status of a refusal, and one that hides it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket as UndiciWebSocket } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import {
  AuthedSocket,
  fixedToken,
  passwordGrant,
  roomPerSocket,
  type Session,
  simpleJwt,
  viaQuery,
  type WebSocketConstructor,
} from '../../src/index.ts'

// Both have what the SDK uses of a WebSocket; their types say it in words of their own.
const RUNTIMES: [name: string, constructor: WebSocketConstructor][] = [
  ['shows the status', WebSocket as unknown as WebSocketConstructor],
  ['hides it', UndiciWebSocket as unknown as WebSocketConstructor],
]

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: object): string => `${base64url({ alg: 'none' })}.${base64url(claims)}.c2ln`
const claimsOf = (token: string): { exp: number } =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

interface Site {
  readonly origin: string
  /** Of each dial: did the server's clock find its token dead? */
  readonly dials: boolean[]
  /** The paths of token requests. */
  readonly asked: string[]
  drop(): void
}

/** Refuses a dead token with 403 before it accepts, as a FastAPI route does, and closes with 1000 at its end. */
const serveSite = async (make: () => object, clockAheadMs = 0): Promise<Site> => {
  const dials: boolean[] = []
  const asked: string[] = []
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer(({ url = '', method }, response) => {
    if (method === 'POST') asked.push(url)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(make()))
  })
  server.on('upgrade', (request, socket, head) => {
    const token = new URL(request.url ?? '', 'http://x').searchParams.get('token') ?? ''
    const leftMs = Number(claimsOf(token).exp) * 1_000 - (Date.now() - clockAheadMs)
    dials.push(leftMs <= 0)
    if (leftMs <= 0) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      const timer = setTimeout(() => client.close(1000, 'JWT expired'), leftMs)
      client.on('close', () => clearTimeout(timer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (): void => {
    for (const client of sockets.clients) client.terminate()
  }
  onTestFinished(() => {
    drop()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, dials, asked, drop }
}

const socketOf = (
  { origin }: Site,
  auth: Session<unknown> | Session<never>,
  Constructor: WebSocketConstructor,
) => {
  const socket = new AuthedSocket({
    url: `${origin.replace('http', 'ws')}/ws/{room}`,
    // A session is used here without its login.
    auth: auth as Session<unknown>,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: roomPerSocket(),
    WebSocket: Constructor,
    settleMs: 100,
    retry: { scale: 0.05 },
  })
  const asks: string[] = []
  socket.on('signinrequired', () => asks.push('sign in'))
  onTestFinished(() => socket.disconnect())
  return { socket, asks }
}

const now = (): number => Date.now() / 1_000

describe.each(RUNTIMES)('where the runtime of a socket %s', (_, Constructor) => {
  it('a token of sub and exp, without a refresh, asks to sign in within one rejected dial', async () => {
    const site = await serveSite(() => ({
      access_token: jwt({ sub: 'alice', exp: now() + 1 }),
      token_type: 'bearer',
    }))
    const session = passwordGrant({ url: `${site.origin}/token` })
    await session.login({ username: 'alice', password: 'x' })
    const { socket, asks } = socketOf(site, session, Constructor)
    await socket.join('lobby')
    await vi.waitFor(() => expect(asks).toEqual(['sign in']))
    expect(site.dials.filter((dead) => dead).length).toBeLessThanOrEqual(1)
    expect(socket.status).toMatchObject({
      state: 'failed',
      action: 'sign-in',
      error: {
        code: 'TOKEN_INVALID',
        message: expect.stringMatching(/expired \(by this machine's clock at \d{4}-\S+Z\)/),
      },
    })
  })

  it('a token of sub and exp, with a refresh, costs one request at its end', async () => {
    const site = await serveSite(() => ({
      access: jwt({ sub: 'alice', exp: now() + (site.asked.length > 1 ? 300 : 1) }),
      refresh: 'r',
    }))
    const session = simpleJwt({
      obtain: `${site.origin}/obtain`,
      refresh: `${site.origin}/refresh`,
    })
    await session.login({ username: 'alice', password: 'x' })
    const { socket, asks } = socketOf(site, session, Constructor)
    await socket.join('lobby')
    await vi.waitFor(() => expect(site.asked).toEqual(['/obtain', '/refresh']))
    await vi.waitFor(() => expect(socket.state).toBe('connected'))
    expect(site.dials.filter((dead) => dead).length).toBeLessThanOrEqual(1)
    expect(asks).toEqual([])
  })

  it.each([
    ['exp alone', {}],
    ['exp and iat', { iat: now() - 900 }],
    ['exp as text', { exp: String(now() - 300) }],
  ])('a fixed token that is past its exp is dialed once: %s', async (_, claims) => {
    const site = await serveSite(() => ({}))
    const session = fixedToken(jwt({ sub: 'alice', exp: now() - 300, ...claims }))
    const { socket, asks } = socketOf(site, session, Constructor)
    await expect(socket.join('lobby')).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect([site.dials, asks]).toEqual([[true], ['sign in']])
    expect(socket.status).toMatchObject({
      action: 'sign-in',
      error: { cause: { code: 'HANDSHAKE_REFUSED' } },
    })
  })

  it.each([
    ['when it was good', 600_000],
    ['when it was over', 0],
  ])('a store with an expired access token costs one refresh, received %s', async (_, agoMs) => {
    const site = await serveSite(() => ({ access: jwt({ sub: 'alice', exp: now() + 300 }) }))
    const access = jwt({ sub: 'alice', exp: now() - 300 })
    const stored = JSON.stringify({ refresh: 'r', access, receivedAt: Date.now() - agoMs })
    const session = simpleJwt({
      obtain: `${site.origin}/obtain`,
      refresh: `${site.origin}/refresh`,
      refreshToken: { get: () => stored, set: () => {} },
    })
    expect(await session.restore()).toBe(true)
    const { socket, asks } = socketOf(site, session, Constructor)
    await socket.join('lobby')
    expect(site.asked).toEqual(['/refresh'])
    expect(site.dials).toEqual(agoMs > 0 ? [false] : [true, false])
    expect(asks).toEqual([])
  })

  it.each([
    ['exp alone', {}],
    ['exp and iat', { iat: now() - 3_600 }],
  ])(
    'a clock that is an hour fast signs nobody out, over a drop of two rooms: %s',
    async (_, claims) => {
      const hour = 3_600_000
      const site = await serveSite(
        () => ({ access_token: jwt({ sub: 'alice', exp: now() - 1_800, ...claims }) }),
        hour,
      )
      const session = passwordGrant({ url: `${site.origin}/token` })
      await session.login({ username: 'alice', password: 'x' })
      const { socket, asks } = socketOf(site, session, Constructor)
      const rooms = [socket.room('one'), socket.room('two')]
      await Promise.all(rooms.map((room) => room.join()))
      // Nothing tells that a link has settled. Its timer began before this one, and is shorter.
      await new Promise((resolve) => setTimeout(resolve, 400))
      site.drop()
      await vi.waitFor(() => expect(site.dials).toHaveLength(4))
      await vi.waitFor(() => expect(rooms.map(({ state }) => state)).toEqual(['joined', 'joined']))
      expect([asks, site.asked, session.signedIn]).toEqual([[], ['/token'], true])
    },
  )
})
