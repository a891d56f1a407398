/** The examples that need a Python server, and the Python examples themselves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import { AuthedSocket, type Room, roomPerSocket, viaSubprotocol } from '../../src/index.ts'
import { PythonApp } from '../support/python-app.ts'
import { startServer, type TestServer } from '../support/servers.ts'
import { root } from './markdown.ts'

const START_MS = 60_000

let channels: TestServer
let fastapi: TestServer
beforeAll(async () => {
  await ensurePythonEnv()
  ;[channels, fastapi] = await Promise.all([
    startServer('channels-daphne'),
    startServer('fastapi-websockets'),
  ])
}, START_MS)
afterAll(() => Promise.all([channels?.stop(), fastapi?.stop()]))

/** Runs an example as a page of that server, and gives what it logged. */
async function logOf(
  server: TestServer,
  run: () => Promise<{ socket: AuthedSocket }>,
): Promise<unknown[]> {
  vi.stubGlobal('location', new URL(`${server.url}/`))
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const { socket } = await run()
  await vi.waitFor(() => expect(log.mock.calls.length).toBe(2))
  await socket.disconnect()
  return log.mock.calls.map(([first]) => first)
}

describe('the examples on Django Channels', () => {
  it('channels-jwt.ts: the article, unchanged', async () => {
    expect(await logOf(channels, () => import('../../examples/channels-jwt.ts'))).toEqual([
      { message: 'Welcome, alice!' },
      { message: 'hi', username: 'alice' },
    ])
  })

  it('channels-session.ts', async () => {
    expect(await logOf(channels, () => import('../../examples/channels-session.ts'))).toEqual([
      { message: 'Welcome, alice!' },
      { message: 'hi', username: 'alice' },
    ])
  })

  it('node-bot.ts: answers, and ends on SIGTERM', async () => {
    const bot = spawn(process.execPath, ['--import', 'tsx', 'examples/node-bot.ts'], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, CHAT_SERVER: channels.url, CHAT_PASSWORD: 'correct-horse' },
    })
    const ended = once(bot, 'exit')
    const { access } = await channels.control<{ access: string }>('mint', { user: 'bob' })
    await using socket = chatOn(channels.wsUrl, '/ws/v2/chat/{room}/', access)
    const lobby = await socket.join('lobby')
    const answered = textIn(lobby, /^\d{4}-.*Z$/)
    const asking = setInterval(() => lobby.send({ message: '!time' }), 200)
    await answered
    clearInterval(asking)
    bot.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})

describe('the examples on FastAPI', () => {
  it('fastapi.ts: the article, unchanged', async () => {
    expect(await logOf(fastapi, () => import('../../examples/fastapi.ts'))).toEqual([
      { message: 'Welcome, alice! You are in room lobby.' },
      'Message from alice: hi',
    ])
  })
})

describe.each([
  ['fastapi_app:app', '/ws/chat/{room}'],
  ['channels_app:application', '/ws/chat/{room}/'],
])('examples/server, %s', (app, path) => {
  const secret = 'a secret for this test only, 32 bytes'
  let server: PythonApp
  beforeAll(async () => {
    server = new PythonApp({ folder: 'examples/server', app, env: { CHAT_SECRET: secret } })
    await server.listening
  }, START_MS)
  afterAll(() => server?.stop())

  const tokenOf = (lifetimeS: number) =>
    new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeS)
      .sign(new TextEncoder().encode(secret))

  it('lets a good token in', async () => {
    await using socket = chatOn(server.wsUrl, path, await tokenOf(60))
    const lobby = await socket.join('lobby')
    const heard = textIn(lobby, /^hi$/)
    await lobby.send({ message: 'hi' })
    await heard
  })

  it('says 4003 to a bad one, and a fresh one is asked for', async () => {
    const closes: number[] = []
    const good = await tokenOf(60)
    await using socket = new AuthedSocket({
      url: `${server.wsUrl}${path}`,
      auth: ({ fresh }) => (fresh ? good : 'no-token-at-all'),
      transmission: viaSubprotocol(),
      protocol: roomPerSocket(),
      closePolicy: (code) => {
        closes.push(code)
        return undefined
      },
    })
    await socket.join('lobby')
    expect(closes).toEqual([4003])
  })
})

const chatOn = (wsUrl: string, path: string, token: string): AuthedSocket =>
  new AuthedSocket({
    url: `${wsUrl}${path}`,
    auth: () => token,
    transmission: viaSubprotocol(),
    protocol: roomPerSocket(),
  })

const textIn = (room: Room, pattern: RegExp): Promise<void> =>
  new Promise((resolve) => {
    room.on('message', ({ data }) => {
      if (pattern.test(String((data as { message?: unknown }).message))) resolve()
    })
  })
