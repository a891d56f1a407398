import type { AddressInfo } from 'node:net'
import { WebSocket as UndiciWebSocket } from 'undici'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import * as doctor from '../../examples/doctor.ts'
import * as guide from '../../examples/guide.ts'
import { house } from '../../examples/own-protocol.ts'
import { library, rows } from '../../examples/three-options.ts'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  fixedToken,
  plain,
  RoomError,
  roomPerSocket,
  simpleJwt,
  TokenRefusedError,
  viaSubprotocol,
} from '../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { serve } from '../unit/sessions/support.ts'

const CREDENTIALS = { username: 'alice', password: 'correct-horse' }

let server: ReferenceServer
beforeAll(async () => {
  server = await createReferenceServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  server.reset()
  // The page that an example runs in: relative URLs are resolved against it.
  vi.stubGlobal('location', new URL(`${server.url}/`))
  library.token = (await server.mint({ user: 'alice' })).access
})

const signIn = async () => {
  const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })
  await session.login(CREDENTIALS)
  return session
}
const chat = async (options: Partial<AuthedSocketOptions> = {}) =>
  new AuthedSocket({
    url: '/ws/chat/{room}/',
    auth: await signIn(),
    transmission: viaSubprotocol(),
    protocol: roomPerSocket(),
    ...options,
  })

describe('the three options of each server', () => {
  it.each(Object.entries(rows))('%s: are accepted', (_, row) => {
    expect(() => new AuthedSocket({ url: '/ws/chat/{room}/', ...row() })).not.toThrow()
  })

  it.each([
    ['channelsToken', '/ws/chat/{room}/', 'query'],
    ['fastApiQuery', '/ws/chat/{room}/', 'query'],
    ['subprotocolPair', '/ws/chat/{room}/', 'subprotocol-pair'],
    ['subprotocolBearer', '/ws/plain', 'subprotocol-bearer'],
    ['header', '/ws/plain', 'header'],
    ['cookie', '/ws/plain', 'cookie'],
    ['firstFrame', '/ws/first/lobby', 'first-message'],
    ['rooms', '/ws/rooms', 'subprotocol-pair'],
  ] as const)('%s: carry the token in one place', async (name, url, place) => {
    // The endpoints of other servers' sessions are not here; what is tried is the way to the socket.
    await using socket = new AuthedSocket({ ...rows[name](), url, auth: () => library.token })
    if (url === '/ws/plain' || name === 'firstFrame') await socket.connect()
    else await socket.join('lobby')
    expect(socket.state).toBe('connected')
    expect(server.dials().map(({ transmissions }) => transmissions)).toEqual([[place]])
  })
})

describe('examples/own-protocol.ts', () => {
  it('joins, sends, receives, is refused and leaves', async () => {
    const frames: unknown[] = []
    const houses = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: () => 'token',
    })
    houses.on('connection', (socket) => {
      const say = (frame: object) => socket.send(JSON.stringify(frame))
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data))
        frames.push(frame)
        for (const room of frame.rooms ?? [])
          say(room === 'attic' ? { op: 'denied', room, text: 'locked' } : { op: 'entered', room })
        if (frame.op === 'say') say({ op: 'said', room: frame.room, text: frame.text, from: 'bob' })
      })
    })
    await new Promise((resolve) => houses.once('listening', resolve))
    const { port } = houses.address() as AddressInfo
    const socket = new AuthedSocket({
      ...rows.ownFrames(),
      url: `ws://127.0.0.1:${port}/`,
      protocol: house,
    })
    const kitchen = await socket.join('kitchen')
    await kitchen.send('hi')
    const { value } = await kitchen[Symbol.asyncIterator]().next()
    expect(value).toEqual({ data: 'hi', meta: { sender: 'bob' } })
    await expect(socket.join('attic')).rejects.toThrow(RoomError)
    kitchen.leave()
    await vi.waitFor(() => expect(frames).toContainEqual({ op: 'exit', room: 'kitchen' }))
    await socket.disconnect()
    await new Promise((resolve) => houses.close(resolve))
  })
})

describe('examples/doctor.ts', () => {
  it('diagnose, and crowd: find nothing wrong with a server that is healthy', async () => {
    const { log, table } = { log: vi.spyOn(console, 'log'), table: vi.spyOn(console, 'table') }
    for (const spy of [log, table]) spy.mockImplementation(() => {})
    const url = `${server.wsUrl}/ws/chat/{room}`
    expect(await doctor.show(url, () => library.token)).toBe('healthy')
    expect(log).toHaveBeenCalledWith('healthy (certain)')
    expect(await doctor.crowded(url, () => library.token)).toBe('healthy')
  })
})

describe('examples/guide.ts', () => {
  it('auth-function: asks the library, and takes its own word for a refusal', async () => {
    const asked: unknown[] = []
    const withLibrary = (getToken: () => string) =>
      guide.withYourLibrary(
        {
          async getToken(options) {
            asked.push(options)
            return getToken()
          },
        },
        '/ws/plain',
      )
    await using good = withLibrary(() => library.token)
    await good.connect()
    expect(asked).toEqual([{ skipCache: false }])
    await using bad = withLibrary(() => {
      throw Object.assign(new Error('no session'), { name: 'LoginRequired' })
    })
    await expect(bad.connect()).rejects.toThrow(TokenRefusedError)
  })

  it('token-refused: ends the session at a 401', async () => {
    await expect(guide.fetchToken(`${server.url}/whoami`)).rejects.toThrow(TokenRefusedError)
  })

  it('restore and session-fetch: sign in, and call REST with the token', async () => {
    const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })
    await guide.restoreOrLogin(session)
    expect(session.signedIn).toBe(true)
    expect(await guide.callRest(session)).toEqual({ user: 'alice' })
  })

  it('refresh-grant: begins with the refresh token that is stored, and stores the next', async () => {
    let kept: string | null = 'first'
    const { origin, received } = await serve(() => ({
      body: { access_token: library.token, expires_in: 60, refresh_token: 'second' },
    }))
    const store = {
      get: () => kept,
      set: (value: string | null) => {
        kept = value
      },
    }
    const session = guide.withRefreshToken(origin, store)
    const options = { url: '/ws/plain', transmission: viaSubprotocol(), protocol: plain() }
    await using socket = new AuthedSocket({ ...options, auth: session })
    await socket.connect()
    expect(received[0]).toMatchObject({
      path: '/oauth/token',
      body: 'grant_type=refresh_token&refresh_token=first&client_id=chat-bot',
    })
    await vi.waitFor(() => expect(kept).toContain('second'))
  })

  it('switch: signs in as somebody else', async () => {
    const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })
    await session.login(CREDENTIALS)
    await guide.asSomebodyElse(session)
    const response = await session.fetch('/whoami')
    expect(await response.json()).toEqual({ user: 'bob' })
  })

  it('identify: is asked for a name', async () => {
    const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })
    await session.login(CREDENTIALS)
    await using socket = guide.ofATenant(session, '/ws/plain')
    await session.login(CREDENTIALS)
    expect(socket.identity).toBe('undefined/alice')
  })

  it('tabs: a second tab takes part in what the first one does', async () => {
    const [first, second] = [await guide.inManyTabs(), await guide.inManyTabs()]
    await first.login(CREDENTIALS)
    await vi.waitFor(() => expect(second.signedIn).toBe(true))
    await second.logout()
    await vi.waitFor(() => expect(first.signedIn).toBe(false))
  })

  it('store: a second page restores what the first one left', async () => {
    const kept = new Map<string, string>()
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
      removeItem: (key: string) => kept.delete(key),
    })
    const first = guide.withStore(server.url)
    await first.login(CREDENTIALS)
    await vi.waitFor(() => expect(kept.size).toBe(1))
    const second = guide.withStore(server.url)
    expect(await second.restore()).toBe(true)
    await second.logout()
    await vi.waitFor(() => expect(kept.size).toBe(0))
  })

  it('rooms and iterate: receive what was sent', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await using socket = await chat()
    await guide.useRooms(socket)
    expect(socket.room('lobby').state).toBe('idle')
    await guide.iterate(socket)
    expect(log).toHaveBeenCalledWith({ message: 'Welcome, alice!' })
  })

  it('typed and request: call the server', async () => {
    await using socket = guide.typed('/ws/rooms', fixedToken(library.token))
    await socket.connect()
    expect(await guide.request(socket)).toBe(true)
  })

  it('status-words: has words for every state', () => {
    const error = new TokenRefusedError()
    expect(guide.inWords({ state: 'idle', everConnected: false })).toBe('Not connected.')
    expect(guide.inWords({ state: 'connecting', everConnected: true })).toBe('Connecting again…')
    expect(guide.inWords({ state: 'connected' })).toBe('Connected.')
    expect(
      guide.inWords({ state: 'waiting', retryAt: 0, attempt: 1, downSince: 0, error }),
    ).toContain('Trying again at')
    expect(guide.inWords({ state: 'failed', error, action: 'sign-in' })).toBe('Please sign in.')
  })

  it('events: are heard until the signal', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await using socket = await chat()
    guide.events(socket, () => {})
    await socket.join('lobby')
    expect(log).not.toHaveBeenCalled()
  })

  it('explain: a socket that failed says why', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const session = await signIn()
    server.revoke('alice')
    await using socket = guide.explained('/ws/plain', session)
    await expect(socket.connect()).rejects.toThrow()
    const [text] = warn.mock.calls[0] ?? []
    expect(text).toMatch(/session: the session is over, sign in: refused a token: /)
    expect(text).toMatch(/\n\S+ the session is over; failed, sign-in: /)
  })

  it('errors: a refused room is told apart', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    await using socket = await chat({ closePolicy: { 4003: 'refuse-room' } })
    await guide.errors(socket)
    expect(log).toHaveBeenCalledWith('not allowed in forbidden: refused')
  })

  it('policies: 4001 means to sign in again', async () => {
    await using socket = guide.policies('/ws/chat/{room}/', await signIn())
    await socket.join('lobby')
    server.closeSockets({ code: 4001 })
    await vi.waitFor(() =>
      expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' }),
    )
  })

  it('verdict: a frame that says expired brings a fresh token', async () => {
    const talkers = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: () => 'token',
    })
    const offers: string[] = []
    talkers.on('connection', (socket, { headers }) => {
      offers.push(String(headers['sec-websocket-protocol']))
      socket.send(JSON.stringify(offers.length === 1 ? { error: 'expired' } : { hello: 'alice' }))
    })
    await new Promise((resolve) => talkers.once('listening', resolve))
    const { port } = talkers.address() as AddressInfo
    await using socket = guide.verdictInAFrame(`ws://127.0.0.1:${port}/`, await signIn())
    await socket.connect()
    expect(server.counts().refreshRequests).toBe(1)
    expect(new Set(offers).size).toBe(2)
    await socket.disconnect()
    await new Promise((resolve) => talkers.close(resolve))
  })

  it('keepalive: asks for no answer, so it leaves nobody', async () => {
    await using socket = guide.withKeepalive('/ws/chat/{room}/', () => library.token)
    await socket.join('lobby')
    expect(socket.state).toBe('connected')
  })

  it('probe: a good token is not refreshed, a refused one is, where no status is seen', async () => {
    vi.stubGlobal('WebSocket', UndiciWebSocket)
    await using socket = guide.probed('/ws/chat/{room}/', await signIn())
    server.settings({ refuseSockets: { when: 'before-accept' } })
    const joining = socket.join('lobby')
    await vi.waitFor(() => expect(socket.state).toBe('waiting'))
    server.settings({ refuseSockets: null })
    await joining
    expect(server.counts().refreshRequests).toBe(0)

    socket.room('lobby').leave()
    server.revoke('alice')
    server.settings({ refuseSockets: { when: 'before-accept' } })
    await expect(socket.join('other')).rejects.toThrow(TokenRefusedError)
    expect(server.counts().refreshRequests).toBe(1)
  })

  it('testing: the first message is there', async () => {
    expect(await guide.inATest('/ws/chat/{room}/', library.token)).toEqual({
      data: { message: 'Welcome, alice!' },
      meta: {},
    })
  })
})
