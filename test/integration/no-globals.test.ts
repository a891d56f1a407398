/** Where a global is missing, or may not be used yet: a way around it, or an error that names it. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket as WsSocket } from 'ws'
import {
  AuthedSocket,
  fixedToken,
  multiplexed,
  type Protocol,
  passwordGrant,
  plain,
  roomPerSocket,
  simpleJwt,
  viaQuery,
  viaSubprotocol,
} from '../../src/index.ts'
import { createReferenceServer } from '../servers/node/server.ts'
import { startBareServer } from '../shell/dialing.ts'
import { serve } from '../unit/sessions/support.ts'

const serverOf = async () => {
  const server = await createReferenceServer()
  onTestFinished(() => server.close())
  return server
}

const socketFor = (url: string, protocol: Protocol, auth = fixedToken('t')) => {
  const socket = new AuthedSocket({
    url,
    auth,
    protocol,
    transmission: viaQuery({ acceptLogging: true }),
    WebSocket: WsSocket,
    probe: async () => 'unreachable',
  })
  onTestFinished(() => socket.disconnect())
  return socket
}

const ALICE = { username: 'alice', password: 'correct-horse' }

const PROTOCOLS: [string, () => Protocol][] = [
  ['plain', () => plain()],
  ['roomPerSocket', () => roomPerSocket()],
  ['multiplexed', () => multiplexed()],
]

describe.each(PROTOCOLS)('%s', (name, protocol) => {
  it('draws no random numbers before it is used: Workers forbid that at module level', () => {
    const drawn = vi.fn(() => {
      throw new Error('Disallowed operation called within global scope')
    })
    vi.stubGlobal('crypto', { getRandomValues: drawn, randomUUID: drawn })
    const url = name === 'roomPerSocket' ? 'ws://127.0.0.1:9/{room}' : 'ws://127.0.0.1:9/'
    const socket = socketFor(url, protocol())
    if (name !== 'plain') socket.room('lobby')
    expect(drawn).not.toHaveBeenCalled()
  })
})

/** A login, a room and a message each way, by the reference server. */
const story = async (protocol: Protocol, path: string) => {
  const server = await serverOf()
  const asked: string[] = []
  const session = simpleJwt({
    obtain: `${server.url}/api/token/`,
    refresh: `${server.url}/api/token/refresh/`,
    revoke: `${server.url}/api/token/revoke/`,
    fetch: (input, init) => {
      asked.push(String(input))
      return fetch(input, init)
    },
  })
  await session.login(ALICE)
  const socket = socketFor(`${server.wsUrl}${path}`, protocol, session)
  const room = socket.room('lobby')
  const heard = new Promise<unknown>((resolve) => room.on('message', ({ data }) => resolve(data)))
  await room.join()
  await room.send({ text: 'häß 😀 \ud800' })
  expect(await heard).toEqual({ text: 'häß 😀 \ud800' })
  expect((await session.fetch(`${server.url}/whoami`)).status).toBe(200)
  await session.logout()
  expect(asked.at(-1)).toMatch(/revoke/)
}

it.each([['DOMException'], ['BroadcastChannel']])('without %s everything works', async (name) => {
  vi.stubGlobal(name, undefined)
  await story(multiplexed(), '/ws/rooms')
})

it.each([['TextEncoder'], ['TextDecoder']])(
  'without %s a queue waits for a login',
  async (name) => {
    const { origin } = await serve(() => ({ body: { access_token: 'häß', refresh_token: 'r' } }))
    const server = await startBareServer()
    onTestFinished(() => server.close())
    vi.stubGlobal(name, undefined)
    const session = passwordGrant({ url: origin })
    await session.login(ALICE)
    const socket = new AuthedSocket({
      url: server.url,
      auth: session,
      protocol: plain(),
      transmission: viaSubprotocol({ preset: 'bearer', app: 'chat' }),
      WebSocket: WsSocket,
    })
    onTestFinished(() => socket.disconnect())
    socket.connect()
    await socket.send('x'.repeat(400_000))
    await expect.poll(() => server.received.length).toBe(1)
  },
)

it('without AbortSignal.timeout and throwIfAborted everything works', async () => {
  const { timeout } = AbortSignal
  const { throwIfAborted } = AbortSignal.prototype
  Object.assign(AbortSignal, { timeout: undefined })
  Object.assign(AbortSignal.prototype, { throwIfAborted: undefined })
  onTestFinished(() => {
    Object.assign(AbortSignal, { timeout })
    Object.assign(AbortSignal.prototype, { throwIfAborted })
  })
  await story(multiplexed(), '/ws/rooms')
})

it('without crypto what needs no random numbers works, and the rest names it', async () => {
  const server = await serverOf()
  // The server is in this process, and needs the rest.
  vi.stubGlobal('crypto', { subtle: crypto.subtle })
  const url = `${server.wsUrl}/ws/plain`
  const answer = await fetch(`${server.url}/api/token/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ALICE),
  })
  const { access } = (await answer.json()) as { access: string }
  await socketFor(url, plain(), fixedToken(access)).connect()
  const rooms = socketFor(`${server.wsUrl}/ws/rooms`, multiplexed(), fixedToken(access))
  await expect(rooms.join('lobby')).rejects.toThrow(/crypto.*react-native-get-random-values/)
})

it('a subprotocol of any text needs no TextEncoder', () => {
  const carried = (token: string) =>
    viaSubprotocol({ preset: 'bearer', app: 'chat' }).carry(
      { url: new URL('ws://a/'), protocols: [], headers: {} },
      token,
    ).protocols
  const texts = ['ab', 'häß', '€', '😀', '']
  const expected = texts.map((text) => carried(`x${text}`))
  vi.stubGlobal('TextEncoder', undefined)
  expect(texts.map((text) => carried(`x${text}`))).toEqual(expected)
})
