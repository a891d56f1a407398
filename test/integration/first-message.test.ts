import { describe, expect, it, vi } from 'vitest'
import {
  HandshakeRefusedError,
  multiplexed,
  plain,
  roomPerSocket,
  viaFirstMessage,
} from '../../src/index.ts'
import { serveSockets } from '../support/socket-server.ts'
import { everythingSaid, pause, referenceServer, rejection, watched } from './bad-input-support.ts'

const ROOMS = viaFirstMessage('rooms')

describe('on the rooms protocol a first message', () => {
  it('brings the token, and no other place does', async () => {
    const server = await referenceServer()
    const { access } = await server.mint({ user: 'alice' })
    const { socket } = watched({
      url: `${server.wsUrl}/ws/rooms`,
      auth: () => access,
      transmission: ROOMS,
      protocol: multiplexed(),
    })
    const lobby = await socket.join('lobby')
    await lobby.send('hi')
    expect(socket.identity).toBe('alice')
    expect(server.dials()).toMatchObject([
      { transmissions: ['first-message'], protocols: 1, outcome: 'admitted' },
    ])
    // The log of the server begins behind the dialogue.
    expect(server.received().map(({ data }) => JSON.parse(String(data)).type)).toEqual([
      'join',
      'send',
    ])
  })

  it('is answered by a close with 4003 where the token is bad: a fresh one is sent, at once', async () => {
    const server = await referenceServer()
    const tokens = [
      (await server.mint({ user: 'alice', kind: 'expired' })).access,
      (await server.mint({ user: 'alice' })).access,
    ]
    const asked: boolean[] = []
    const { socket, states } = watched({
      url: `${server.wsUrl}/ws/rooms`,
      auth: ({ fresh }) => {
        asked.push(fresh)
        return { token: tokens[fresh ? 1 : 0] ?? '', expiresInMs: 60_000 }
      },
      transmission: ROOMS,
      protocol: multiplexed(),
    })
    await socket.connect()
    expect(asked).toEqual([false, true])
    expect(states).not.toContain('waiting')
    expect(server.dials().map(({ outcome }) => outcome)).toEqual(['token-refused', 'admitted'])
  })

  it('is wanted in time by the server too', async () => {
    const server = await referenceServer()
    server.settings({ firstMessageMs: 50 })
    const silent = viaFirstMessage({
      frame: (token) => ({ type: 'auth', id: 0, token }),
      accepted: () => false,
      after: () => false,
    })
    const { access } = await server.mint({ user: 'alice' })
    const { socket } = watched({
      url: `${server.wsUrl}/ws/rooms`,
      auth: () => access,
      transmission: silent,
      protocol: multiplexed(),
    })
    await expect(socket.connect()).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    expect(server.dials().every(({ transmissions }) => transmissions.length === 0)).toBe(true)
  })
})

it('with a socket for each room each says its own first message, and the welcome stays a message', async () => {
  const server = await referenceServer()
  const { access } = await server.mint({ user: 'alice' })
  const { socket } = watched({
    url: `${server.wsUrl}/ws/first/{room}`,
    auth: () => access,
    transmission: viaFirstMessage({
      frame: (token) => ({ type: 'auth', id: 0, token }),
      accepted: (frame) => JSON.stringify(frame).includes('Welcome'),
    }),
    protocol: roomPerSocket(),
  })
  const heard: unknown[] = []
  for (const name of ['a', 'b']) socket.room(name).on('message', ({ data }) => heard.push(data))
  await Promise.all(['a', 'b'].map((name) => socket.join(name)))
  expect(heard).toEqual([{ message: 'Welcome, alice!' }, { message: 'Welcome, alice!' }])
  expect(server.dials().map(({ transmissions }) => transmissions)).toEqual([
    ['first-message'],
    ['first-message'],
  ])
})

describe('before the answer to a first message', () => {
  /** Answers when the test says so. */
  const slowServer = async () => {
    let answer = () => {}
    const server = await serveSockets((socket) => {
      socket.send('{"type":"news","of":"others"}')
      answer = () => socket.send('{"type":"welcome"}')
    })
    return { ...server, answer: () => answer() }
  }

  it('nothing else is sent, and nothing that comes is a message', async () => {
    const { url, frames, answer } = await slowServer()
    const { socket, events } = watched({ url, transmission: ROOMS })
    const connected = socket.connect()
    const sent = Promise.all([socket.send({ n: 1 }), socket.send({ n: 2 })])
    await vi.waitFor(() => expect(frames).toHaveLength(1))
    await pause(300)
    expect(socket.state).toBe('connecting')
    expect(frames).toEqual(['{"type":"auth","id":0,"token":"token"}'])
    answer()
    await Promise.all([connected, sent])
    await vi.waitFor(() => expect(frames).toHaveLength(3))
    expect(frames.slice(1)).toEqual(['{"n":1}', '{"n":2}'])
    const messages = events.filter(([name]) => name === 'message').map(([, payload]) => payload)
    expect(messages).toEqual([{ data: { type: 'welcome' }, meta: {} }])
  })

  it('a disconnect leaves nothing behind', async () => {
    const { url, answer, frames } = await slowServer()
    const { socket, events } = watched({ url, transmission: ROOMS })
    const connected = rejection(socket.connect())
    await vi.waitFor(() => expect(frames).toHaveLength(1))
    await socket.disconnect()
    answer()
    expect(await connected).toMatchObject({ code: 'NOT_CONNECTED' })
    await pause(50)
    expect(socket.state).toBe('idle')
    expect(events.filter(([name]) => name === 'message')).toEqual([])
  })
})

describe('no answer to a first message', () => {
  it('is an attempt that failed, not a rejection: it is dialed again, and never ends the session', async () => {
    const { url, requests } = await serveSockets(() => {})
    const asked: string[] = []
    const { socket, states } = watched({
      url,
      auth: ({ reason, fresh }) => {
        asked.push(fresh ? `${reason}!` : reason)
        return 'token'
      },
      transmission: viaFirstMessage({ preset: 'rooms', timeoutMs: 30 }),
    })
    socket.connect()
    await vi.waitFor(() => expect(requests.length).toBeGreaterThan(4))
    await vi.waitFor(() => expect(socket.state).toBe('waiting'))
    const { error } = socket.status as { error: Error }
    expect(error).toBeInstanceOf(HandshakeRefusedError)
    expect(error.message).toMatch(/did not accept in time/)
    expect(states).not.toContain('failed')
    expect(states).not.toContain('connected')
    // Silence may cost one forced refresh, and no more.
    expect(asked.filter((ask) => ask.endsWith('!')).length).toBeLessThanOrEqual(1)
  })

  it('that ends with a code goes by the code', async () => {
    const { url, requests } = await serveSockets((socket) => socket.close(4700))
    const closePolicy = { 4700: 'stop' } as const
    const { socket } = watched({ url, transmission: ROOMS, closePolicy })
    await expect(socket.connect()).rejects.toMatchObject({ code: 'SERVER_CLOSED', closeCode: 4700 })
    expect(requests).toHaveLength(1)
  })
})

describe('Home Assistant', () => {
  /** As its documentation says: asks, answers, and closes behind a refusal. */
  const homeAssistant = (good: string) =>
    serveSockets((socket) => {
      socket.send(JSON.stringify({ type: 'auth_required', ha_version: '2026.11.0' }))
      socket.once('message', (data) => {
        const { type, access_token: token } = JSON.parse(String(data))
        if (type === 'auth' && token === good) {
          socket.send(JSON.stringify({ type: 'auth_ok', ha_version: '2026.11.0' }))
          socket.on('message', (command) => {
            const { id } = JSON.parse(String(command))
            socket.send(JSON.stringify({ id, type: 'result', success: true, result: null }))
          })
        } else {
          socket.send(JSON.stringify({ type: 'auth_invalid', message: 'Invalid access token' }))
          socket.close()
        }
      })
    })

  it('asks first, and then lets in', async () => {
    const { url, frames } = await homeAssistant('good')
    const { socket, events } = watched({
      url,
      auth: () => 'good',
      transmission: viaFirstMessage('home-assistant'),
      protocol: plain(),
    })
    await socket.connect()
    await socket.send({ id: 1, type: 'get_states' })
    await vi.waitFor(() => expect(events.filter(([name]) => name === 'message')).toHaveLength(2))
    expect(frames.map((frame) => JSON.parse(frame))).toEqual([
      { type: 'auth', access_token: 'good' },
      { id: 1, type: 'get_states' },
    ])
  })

  it('refuses in a frame: a fresh token is sent, and after the third refusal nothing', async () => {
    const { url, frames } = await homeAssistant('good')
    const asked: string[] = []
    const watching = watched({
      url,
      auth: ({ reason, fresh }) => {
        asked.push(fresh ? `${reason}!` : reason)
        return `canary-${fresh}`
      },
      transmission: viaFirstMessage('home-assistant'),
      protocol: plain(),
    })
    const said = everythingSaid(watching)
    await expect(watching.socket.connect()).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    await pause(200)
    expect(asked).toEqual(['connect', 'rejected!'])
    expect(frames).toHaveLength(3)
    expect(watching.socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect(said()).not.toContain('canary')
  })
})

it('a frame that cannot be made is misuse, told without the token and without a dial', async () => {
  const { url, requests } = await serveSockets(() => {})
  const watching = watched({
    url,
    auth: () => 'canary-token',
    transmission: viaFirstMessage({
      frame: (token) => {
        throw new Error(token)
      },
      accepted: () => true,
    }),
  })
  const said = everythingSaid(watching)
  await expect(watching.socket.connect()).rejects.toThrow(/viaFirstMessage: frame threw/)
  expect(watching.socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
  expect(requests).toEqual([])
  expect(said()).not.toContain('canary')
})
