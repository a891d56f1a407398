/** What goes wrong is told once, where somebody hears it; what the user ended himself is nothing wrong. */
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  fixedToken,
  type Incoming,
  multiplexed,
  type Protocol,
  plain,
  roomPerSocket,
  roomsOnOneSocket,
  simpleJwt,
  viaHeader,
} from '../../src/index.ts'
import { serveSockets } from '../support/socket-server.ts'
import { referenceServer, rejection, watched } from './bad-input-support.ts'

/** Without a listener for `error`, and with a logger that keeps its lines. */
const silent = (options: Pick<AuthedSocketOptions, 'url'> & Partial<AuthedSocketOptions>) => {
  const warnings: string[] = []
  const socket = new AuthedSocket({
    auth: () => 'token',
    transmission: viaHeader(),
    protocol: plain(),
    retry: { scale: 0.001 },
    settleMs: 20,
    logger: { debug: () => {}, warn: (line) => warnings.push(line) },
    ...options,
  })
  onTestFinished(() => socket.disconnect())
  return { socket, warnings }
}

const house: Protocol = {
  name: 'house',
  rooms: roomsOnOneSocket,
  greets: false,
  acknowledges: false,
  codec: () => ({
    read: (frame): Incoming => JSON.parse(String(frame)),
    join: ([first]) => `join ${first?.room}`,
    leave: (room) => `leave ${room}`,
    send: (room, data) => `${room} ${data}`,
  }),
}

/** Every join of the first socket is answered, and refused on those after it. */
const forgetful = () => {
  let drop = () => {}
  const serving = serveSockets((socket, nth) => {
    drop = () => socket.terminate()
    socket.on('message', (data) => {
      const room = String(data).slice('join '.length)
      socket.send(
        JSON.stringify(
          nth === 1
            ? { kind: 'joined', room }
            : { kind: 'error', room, code: '109', message: 'token expired' },
        ),
      )
    })
  })
  return serving.then(({ url }) => ({ url, drop: () => drop() }))
}

describe('where nobody listens for errors, the logger hears', () => {
  it('what a listener throws, once for each kind and event', async () => {
    const server = await serveSockets((socket) => {
      for (const n of [1, 2, 3]) socket.send(`${n}`)
    })
    const { socket, warnings } = silent({ url: server.url })
    const heard: unknown[] = []
    socket.on('message', ({ data }) => {
      heard.push(data)
      throw new TypeError('x is undefined')
    })
    socket.on('message', async () => {
      throw new RangeError('too far')
    })
    await socket.connect()
    await expect.poll(() => heard.length).toBe(3)
    await expect.poll(() => warnings.length).toBe(2)
    expect(warnings[0]).toMatch(/'message'.*TypeError: x is undefined/)
    expect(warnings[1]).toMatch(/'message'.*RangeError: too far/)
  })

  it('what a listener of a room throws', async () => {
    const { url } = await forgetful()
    const { socket, warnings } = silent({ url, protocol: house })
    socket.room('a').on('joined', () => {
      throw new TypeError('x is undefined')
    })
    await socket.join('a')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/'joined'.*TypeError: x is undefined/)
  })

  it('what a listener of a session throws', async () => {
    const server = await referenceServer()
    const warnings: string[] = []
    const session = simpleJwt({
      obtain: `${server.url}/api/token/`,
      refresh: `${server.url}/api/token/refresh/`,
    })
    silent({
      url: server.wsUrl,
      auth: session,
      logger: { debug() {}, warn: (line) => warnings.push(line) },
    })
    session.on('signedin', () => {
      throw new TypeError('x is undefined')
    })
    await session.login({ username: 'alice', password: 'correct-horse' })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/'signedin'.*TypeError: x is undefined/)
  })

  it.each([
    ['send()', (socket: AuthedSocket) => socket.send({})],
    ['request()', (socket: AuthedSocket) => socket.request('x', {})],
    ['connect()', (socket: AuthedSocket) => socket.connect({ signal: AbortSignal.timeout(1) })],
  ] as const)('a rejection of %s, once', async (name, ask) => {
    const { socket, warnings } = silent({ url: 'ws://127.0.0.1:9/' })
    for (const _ of [1, 2, 3]) await rejection(ask(socket))
    // A signal is the user's own doing.
    expect(warnings).toHaveLength(name === 'connect()' ? 0 : 1)
    if (name !== 'connect()') expect(warnings[0]).toContain(name)
  })

  it('the rejections of a room', async () => {
    const { url } = await forgetful()
    const { socket, warnings } = silent({ url, protocol: house })
    for (const room of ['a', 'b']) await rejection(socket.room(room).send('x'))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/send\(\).*join the room first/)
  })

  it('no more where somebody listens, of the socket or of the room', async () => {
    const { url } = await forgetful()
    const { socket, warnings } = silent({ url, protocol: house })
    const errors: unknown[] = []
    const off = socket.on('error', (error) => errors.push(error))
    await rejection(socket.room('a').send('x'))
    off()
    socket.room('a').on('error', (error) => errors.push(error))
    await rejection(socket.room('a').send('x'))
    expect(errors).toHaveLength(2)
    expect(warnings).toEqual([])
  })
})

describe('what the user ended himself is no error:', () => {
  it.each([
    [
      'disconnect() while connecting',
      (socket: AuthedSocket) => [socket.connect(), socket.disconnect()],
    ],
    [
      'disconnect() while joining',
      (socket: AuthedSocket) => [socket.join('a'), socket.disconnect()],
    ],
    [
      'leave() while joining',
      (socket: AuthedSocket) => {
        const joining = socket.join('a')
        socket.room('a').leave()
        return [joining]
      },
    ],
    [
      'leave() with a send that waits',
      (socket: AuthedSocket) => {
        const joining = socket.join('a')
        const sending = socket.room('a').send('x')
        socket.room('a').leave()
        return [joining, sending]
      },
    ],
    [
      'disconnect() with a send that waits',
      (socket: AuthedSocket) => {
        const joining = socket.join('a')
        const sending = socket.room('a').send('x')
        return [joining, sending, socket.disconnect()]
      },
    ],
    [
      'an abort of what is under way',
      (socket: AuthedSocket) => {
        const unmount = new AbortController()
        const { signal } = unmount
        const asked = [socket.connect({ signal }), socket.room('a').join({ signal })]
        asked.push(
          socket
            .room('a')
            .send('x', { signal })
            .then(() => {}),
        )
        unmount.abort()
        return asked
      },
    ],
    [
      'a signal that was aborted before',
      (socket: AuthedSocket) => [socket.room('a').join({ signal: AbortSignal.abort() })],
    ],
  ])('%s', async (_, act) => {
    const server = await serveSockets(() => {})
    const { socket, warnings } = silent({ url: server.url, protocol: house })
    const errors: unknown[] = []
    const outcomes = await Promise.allSettled(act(socket))
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true)
    expect(warnings).toEqual([])
    socket.on('error', (error) => errors.push(error))
    socket.room('a').on('error', (error) => errors.push(error))
    await Promise.allSettled(act(socket))
    expect(errors).toEqual([])
  })
})

describe('a room that is refused when it is joined again', () => {
  it('says why, to the room and the socket', async () => {
    const server = await forgetful()
    const { socket, errors } = watched({ url: server.url, protocol: house })
    const room = await socket.join('a')
    const told: unknown[] = []
    room.on('error', (error) => told.push(error))
    server.drop()
    await expect.poll(() => room.state).toBe('refused')
    expect(String(told)).toContain('token expired')
    expect(told).toHaveLength(1)
    expect(errors).toEqual(told)
  })

  it('says it to the logger where nobody listens', async () => {
    const server = await forgetful()
    const { socket, warnings } = silent({ url: server.url, protocol: house })
    const room = await socket.join('a')
    server.drop()
    await expect.poll(() => room.state).toBe('refused')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('token expired')
  })

  it('says it once where it was asked for: the join rejects', async () => {
    const server = await serveSockets((socket) => {
      socket.on('message', () =>
        socket.send('{"kind":"error","room":"a","code":"no","message":"locked"}'),
      )
    })
    const { socket, errors } = watched({ url: server.url, protocol: house })
    expect(String(await rejection(socket.join('a')))).toContain('locked')
    expect(errors).toHaveLength(1)
  })
})

const ENDS = ['disconnect()', 'logout()'] as const
const PROTOCOLS: readonly [string, () => Protocol, string][] = [
  ['plain()', plain, '/ws/plain'],
  ['roomPerSocket()', roomPerSocket, '/ws/chat/{room}/'],
  ['multiplexed()', multiplexed, '/ws/rooms'],
]

describe.each(ENDS)('%s goes straight to idle, with code 1000:', (end) => {
  it.each(PROTOCOLS)('%s', async (name, protocol, path) => {
    const server = await referenceServer()
    const session = simpleJwt({
      obtain: `${server.url}/api/token/`,
      refresh: `${server.url}/api/token/refresh/`,
    })
    await session.login({ username: 'alice', password: 'correct-horse' })
    const { socket, states, events } = watched({
      url: server.wsUrl + path,
      auth: session,
      protocol: protocol(),
    })
    if (name === 'plain()') await socket.connect()
    else await socket.join('lobby')
    states.length = 0
    await (end === 'logout()' ? session.logout() : socket.disconnect())
    expect(states).toEqual(['idle'])
    const told = events.filter(([event]) => event === 'disconnected')
    expect(told).toEqual([['disconnected', { willRetry: false, code: 1000, reason: '' }]])
  })
})

it('a connection that is lost has the code of its close, and is dialed again', async () => {
  const server = await serveSockets((socket, nth) => {
    if (nth === 1) socket.once('message', () => socket.terminate())
  })
  const { socket, events } = watched({ url: server.url })
  await socket.connect()
  await socket.send({})
  await expect.poll(() => events.filter(([event]) => event === 'connected').length).toBe(2)
  expect(events.find(([event]) => event === 'disconnected')?.[1]).toEqual({
    willRetry: true,
    code: 1006,
    reason: '',
  })
})

describe('misuse is a TypeError:', () => {
  const URL_ = 'ws://127.0.0.1:9'
  it.each([
    ['no room', `${URL_}/chat/`],
    ['no room, in a URL', new URL(`${URL_}/chat/`)],
    ['another word', `${URL_}/chat/{roomName}/`],
    ['another word beside it', `${URL_}/chat/{room}/{id}/`],
    ['another word, in a URL', new URL(`${URL_}/chat/{roomName}/`)],
    ['a relative one', '/chat/'],
  ])('roomPerSocket() at a URL with %s', (_, url) => {
    expect(() => silent({ url, protocol: roomPerSocket() })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('{room}') }),
    )
  })

  it.each([
    ['the room', `${URL_}/chat/{room}/`],
    ['the room, in a URL', new URL(`${URL_}/chat/{room}/`)],
    ['the room, encoded', `${URL_}/chat/%7Broom%7D/`],
    ['the room in small letters of hex', `${URL_}/chat/%7broom%7d/`],
    ['the room in the query', `${URL_}/chat?room={room}`],
    ['a function, which cannot be looked at', () => `${URL_}/chat/`],
  ])('not at one with %s', (_, url) => {
    expect(() => silent({ url, protocol: roomPerSocket() })).not.toThrow()
  })

  it('not where the protocol has a URL of its own', () => {
    const protocol = roomPerSocket({ url: `${URL_}/{room}` })
    expect(() => silent({ url: `${URL_}/`, protocol })).not.toThrow()
    expect(() => roomPerSocket({ url: `${URL_}/{roomName}` })).toThrow(/\{room\}/)
  })

  it('an unknown event, with those that there are', () => {
    const { socket } = silent({ url: URL_, protocol: multiplexed() })
    const session = fixedToken('t')
    const room = socket.room('a')
    // As a program without types has it.
    for (const [target, known] of [
      [socket, 'statechange, connected, disconnected, signinrequired, message, gap, error'],
      [room, 'message, joined, left, gap, presence, error'],
      [session, 'signedin, signedout'],
    ] as [{ on: unknown; once?: unknown; off?: unknown }, string][])
      for (const verb of ['on', 'once', 'off'] as const)
        for (const event of ['mesage', 'close', 'open', '__proto__', 'constructor', ''])
          if (typeof target[verb] === 'function')
            expect(() =>
              Reflect.apply(target[verb] as () => void, target, [event, () => {}]),
            ).toThrow(
              expect.objectContaining({
                name: 'TypeError',
                message: expect.stringContaining(known),
              }),
            )
  })
})

describe('a send in the wrong moment names the right verb:', () => {
  it.each(PROTOCOLS.slice(1))('of a room that was not joined, on %s', async (_, protocol, path) => {
    const { socket } = silent({ url: `ws://127.0.0.1:9${path}`, protocol: protocol() })
    expect(String(await rejection(socket.room('a').send({})))).toContain('join the room first')
  })

  it('of the socket, where every room has its own', async () => {
    const { socket } = silent({ url: 'ws://127.0.0.1:9/{room}', protocol: roomPerSocket() })
    expect(String(await rejection(socket.send({})))).toContain('join the room first')
    expect(String(await rejection(socket.request('x', {})))).toContain('join the room first')
  })

  it('of a socket without rooms', async () => {
    const { socket } = silent({ url: 'ws://127.0.0.1:9/' })
    expect(String(await rejection(socket.send({})))).toContain('connect() first')
  })

  it('of a room that is wanted, after disconnect()', async () => {
    const { url } = await forgetful()
    const { socket } = silent({ url, protocol: house })
    const room = await socket.join('a')
    await socket.disconnect()
    expect(String(await rejection(room.send('x')))).toContain('connect() first')
  })
})
