import { describe, expect, it, onTestFinished } from 'vitest'
import { multiplexed, type Protocol, plain, roomPerSocket, viaQuery } from '../../src/index.ts'
import type { ReferenceServer } from '../servers/node/server.ts'
import { startFront } from '../support/front.ts'
import {
  misuse,
  pause,
  referenceServer,
  rejection,
  unhandled,
  type Watched,
  watched,
  watchedOn,
} from './bad-input-support.ts'

const PROTOCOLS: { name: string; make: () => Protocol }[] = [
  { name: 'plain', make: () => plain() },
  { name: 'room-per-socket', make: () => roomPerSocket() },
  { name: 'multiplexed', make: () => multiplexed() },
]

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

const NO_JSON: [what: string, data: unknown][] = [
  ['undefined', undefined],
  ['a function', () => {}],
  ['a symbol', Symbol('x')],
  ['a BigInt', 1n],
  ['a BigInt within', { message: [1n] }],
  ['a cycle', cyclic],
  [
    'an object whose toJSON throws',
    {
      toJSON: () => {
        throw new Error('secret')
      },
    },
  ],
  ['an object whose toJSON is undefined', { toJSON: () => undefined }],
  [
    'an object with a getter that throws',
    Object.defineProperty({}, 'message', {
      enumerable: true,
      get: () => {
        throw new Error('secret')
      },
    }),
  ],
]

const HAS_JSON: [what: string, text: string][] = [
  ['an empty string', ''],
  ['a lone high surrogate', '\ud800'],
  ['a lone low surrogate', 'x\udc00y'],
  ['a NUL', '\0'],
  ['a line separator', '\u2028'],
  ['an emoji', '👩‍👩‍👧'],
  ['something that looks like a frame', '{"type":"leave","id":1,"room":"lobby"}'],
]

interface Speaker {
  client: Watched
  server: ReferenceServer
  send(data: unknown): Promise<unknown>
}

/** Connected, and in the room where there are rooms. */
async function speakerOn(protocol: Protocol): Promise<Speaker> {
  const server = await referenceServer()
  const client = await watchedOn(server, protocol)
  await client.socket.connect()
  if (protocol.name === 'plain') return { client, server, send: (data) => client.socket.send(data) }
  const room = await client.socket.join('lobby')
  return { client, server, send: (data) => room.send(data) }
}

describe.each(PROTOCOLS)('on $name', ({ make }) => {
  it.each(NO_JSON)('%s is not sent, and is a TypeError', async (_, data) => {
    const { client, server, send } = await speakerOn(make())
    const before = server.received().length
    const error = await rejection(send(data))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).not.toContain('secret')
    expect(client.errors).toContain(error)
    await send({ message: 'after it' })
    await expect.poll(() => server.received().length).toBe(before + 1)
    expect(client.socket.state).toBe('connected')
  })

  it.each(HAS_JSON)('%s arrives as it is', async (_, text) => {
    const { client, server, send } = await speakerOn(make())
    await send({ message: text })
    const last = () => String(server.received().at(-1)?.data)
    await expect.poll(last).toContain(JSON.stringify(text))
    expect(client.errors).toEqual([])
    expect(client.socket.state).toBe('connected')
  })

  it('17 MiB end the socket or are refused, and the next message arrives', async () => {
    const { client, server, send } = await speakerOn(make())
    await send({ message: 'x'.repeat(17 * 2 ** 20) }).catch(() => {})
    await expect
      .poll(
        async () => {
          await send({ message: 'after it' }).catch(() => {})
          return String(server.received().at(-1)?.data)
        },
        { timeout: 30_000 },
      )
      .toContain('after it')
    expect(client.socket.state).toBe('connected')
  })
})

describe('on multiplexed', () => {
  it('a frame above the limit of the outbox, where nothing waits, is judged by that of the server', async () => {
    const { send, server } = await speakerOn(multiplexed())
    const before = server.received().length
    expect(await rejection(send('x'.repeat(2 ** 20)))).toMatchObject({ serverCode: 'too-large' })
    expect(server.received().length).toBe(before)
  })

  it('a frame above the limit of the server is refused by it, by its own code', async () => {
    const { send } = await speakerOn(multiplexed())
    expect(await rejection(send('x'.repeat(70_000)))).toMatchObject({
      code: 'REQUEST_FAILED',
      serverCode: 'too-large',
    })
  })

  // `undefined` is a call without data.
  it.each(NO_JSON.slice(1))('a request with %s is a TypeError', async (_, data) => {
    const { client } = await speakerOn(multiplexed())
    expect(await rejection(client.socket.request('echo', data))).toBeInstanceOf(TypeError)
    expect(await client.socket.request('echo', 'still here')).toBe('still here')
  })

  it('a room that is closed to the user is refused, and the others are not', async () => {
    const { client, send } = await speakerOn(multiplexed())
    expect(await rejection(client.socket.join('forbidden'))).toMatchObject({
      code: 'ROOM',
      room: 'forbidden',
    })
    expect(client.socket.room('forbidden').state).toBe('refused')
    await send('hello')
  })
})

const NAMES: [what: string, name: string][] = [
  ['a slash', 'a/b'],
  ['dots', '..'],
  ['one dot', '.'],
  ['an escape', '%2e%2e'],
  ['a question mark', 'a?token=x'],
  ['a fragment', 'a#b'],
  ['a space', 'a b'],
  ['a line break', 'a\r\nb'],
  ['a brace', '{room}'],
  ['dollars', "$&$`$'"],
  ['a property of every object', '__proto__'],
  ['a method of every object', 'constructor'],
  ['letters from everywhere', 'Zażółć 你好 😀'],
]

describe('a room whose name holds', () => {
  it.each(NAMES)('%s is that room, or none, on room-per-socket', async (_, name) => {
    const server = await referenceServer()
    const client = await watchedOn(server, roomPerSocket())
    client.socket.join(name)
    await expect.poll(() => client.socket.state).toMatch(/connected|failed/)
    const paths = server.dials().map(({ path }) => path)
    // Never another endpoint: a name stays within its segment of the path.
    for (const path of paths) expect(path).toMatch(/^\/ws\/chat\/[^/]+\/$/)
    if (client.socket.state === 'connected')
      expect(paths).toEqual([`/ws/chat/${encodeURIComponent(name)}/`])
  })

  it.each(NAMES)('%s is that room on multiplexed', async (_, name) => {
    const server = await referenceServer()
    const client = await watchedOn(server, multiplexed())
    const room = await client.socket.join(name)
    const heard: unknown[] = []
    room.on('message', ({ data }) => heard.push(data))
    await room.send('hello')
    await expect.poll(() => heard).toEqual(['hello'])
    expect(client.socket.room(name)).toBe(room)
  })

  it.each([undefined, null, '', 0, 7, {}, [], Symbol('x')])('%o is misuse', async (name) => {
    const server = await referenceServer()
    for (const protocol of [roomPerSocket(), multiplexed()]) {
      const { socket } = await watchedOn(server, protocol)
      expect(() => socket.room(name as never)).toThrow(TypeError)
      expect(await misuse(() => socket.join(name as never))).toBeInstanceOf(TypeError)
    }
    expect(server.counts().dials).toBe(0)
  })

  it('anything is misuse where there are no rooms', async () => {
    const { socket } = await watchedOn(await referenceServer(), plain())
    expect(() => socket.room('lobby')).toThrow(TypeError)
    expect(await misuse(() => socket.join('lobby'))).toBeInstanceOf(TypeError)
  })
})

/** A connection that has begun and does not end: what is sent waits. */
async function waitingSpeaker(outbox?: { count?: number; bytes?: number }) {
  const server = await referenceServer()
  const front = await startFront({ target: server.port })
  onTestFinished(() => front.close())
  await front.setMode('bad-gateway')
  const { access } = await server.mint({ user: 'alice' })
  const client = watched({
    url: `${front.wsUrl}/ws/plain`,
    auth: () => access,
    ...(outbox && { outbox }),
  })
  client.socket.connect()
  await expect.poll(() => client.socket.state).toBe('waiting')
  const send = (message: unknown, options?: object) => client.socket.send({ message }, options)
  const received = () =>
    server.received().map(({ data }) => (JSON.parse(String(data)) as { message: unknown }).message)
  return { client, server, front, send, received }
}

describe('the outbox', () => {
  it('refuses what is one too many, and keeps the others in order', async () => {
    const { front, send, received } = await waitingSpeaker({ count: 3 })
    const kept = [send(1), send(2), send(3)]
    expect(await rejection(send(4))).toMatchObject({ code: 'OUTBOX_FULL' })
    await front.setMode('pass')
    await Promise.all(kept)
    await expect.poll(received).toEqual([1, 2, 3])
  })

  it('refuses what is too many bytes, and takes what still fits', async () => {
    const { front, send, received } = await waitingSpeaker({ bytes: 100 })
    const long = send('x'.repeat(60))
    expect(await rejection(send('y'.repeat(60)))).toMatchObject({ code: 'OUTBOX_FULL' })
    const short = send('z')
    await front.setMode('pass')
    await Promise.all([long, short])
    await expect.poll(received).toEqual(['x'.repeat(60), 'z'])
  })

  it('counts bytes, not characters', async () => {
    const { send } = await waitingSpeaker({ bytes: 100 })
    // 40 characters that JSON does not escape, of 3 bytes each.
    const sent = rejection(send('€'.repeat(40)))
    expect(await Promise.race([sent, pause(50)])).toMatchObject({ code: 'OUTBOX_FULL' })
  })

  it('has room again once something was given up', async () => {
    const { front, send, received } = await waitingSpeaker({ count: 1 })
    const controller = new AbortController()
    const given = rejection(send('given up', { signal: controller.signal }))
    controller.abort(new Error('mine'))
    expect(await given).toMatchObject({ message: 'mine' })
    const next = send('next')
    await front.setMode('pass')
    await next
    await expect.poll(received).toEqual(['next'])
  })

  it('takes nothing at all when it is told so', async () => {
    const { send } = await waitingSpeaker({ count: 0 })
    expect(await rejection(send(1))).toMatchObject({ code: 'OUTBOX_FULL' })
  })

  it('rejects what waits when the socket is disconnected', async () => {
    const { client, send } = await waitingSpeaker()
    const sent = rejection(send(1))
    await client.socket.disconnect()
    expect(await sent).toMatchObject({ code: 'NOT_CONNECTED' })
  })

  it.each([0, 300])('gives up a send of %i ms that cannot leave', async (timeoutMs) => {
    const { send, front, received } = await waitingSpeaker()
    expect(await rejection(send('late', { timeoutMs }))).toMatchObject({ code: 'NOT_CONNECTED' })
    await front.setMode('pass')
    await send('in time')
    await expect.poll(received).toEqual(['in time'])
  })
})

describe('an AbortSignal', () => {
  const reason = new Error('my own reason')
  const ABORTED = { signal: AbortSignal.abort(reason) }

  it('that is aborted before stops everything before any I/O', async () => {
    const server = await referenceServer()
    const { socket } = await watchedOn(server, multiplexed())
    expect(await rejection(socket.connect(ABORTED))).toBe(reason)
    expect(await rejection(socket.join('lobby', ABORTED))).toBe(reason)
    expect(socket.state).toBe('idle')
    expect(server.counts().dials).toBe(0)
    await socket.connect()
    const room = await socket.join('lobby')
    const before = server.received().length
    expect(await rejection(room.send(1, ABORTED))).toBe(reason)
    expect(await rejection(socket.request('echo', 1, ABORTED))).toBe(reason)
    expect(server.received().length).toBe(before)
  })

  it('ends connect() and join() while they wait', async () => {
    const server = await referenceServer()
    for (const verb of ['connect', 'join'] as const) {
      server.fault({ kind: 'hang' })
      const { socket } = await watchedOn(server, multiplexed())
      const controller = new AbortController()
      const { signal } = controller
      const ended = rejection(
        verb === 'connect' ? socket.connect({ signal }) : socket.join('lobby', { signal }),
      )
      await expect.poll(() => socket.state).toBe('connecting')
      controller.abort(reason)
      expect(await ended).toBe(reason)
      if (verb === 'join') expect(socket.room('lobby').state).toBe('idle')
      await socket.disconnect()
    }
  })

  it('of one join does not end another of the same room', async () => {
    const server = await referenceServer()
    server.fault({ kind: 'late', ms: 100 })
    const { socket } = await watchedOn(server, multiplexed())
    const controller = new AbortController()
    const stays = socket.join('lobby')
    const ends = rejection(socket.join('lobby', { signal: controller.signal }))
    await pause(10)
    controller.abort(reason)
    expect(await ends).toBe(reason)
    expect((await stays).state).toBe('joined')
  })
})

describe('a verb at the wrong time', () => {
  const verbs = ({ socket }: Watched) => ({
    send: () => socket.room('lobby').send(1),
    request: () => socket.request('echo', 1),
  })

  it.each(['send', 'request'] as const)('%s before connect() is refused', async (verb) => {
    const server = await referenceServer()
    const client = await watchedOn(server, multiplexed())
    expect(await rejection(verbs(client)[verb]())).toMatchObject({ code: 'NOT_CONNECTED' })
    expect(client.socket.state).toBe('idle')
    expect(server.counts().dials).toBe(0)
  })

  it.each(['send', 'request'] as const)('%s after disconnect() is refused', async (verb) => {
    const server = await referenceServer()
    const client = await watchedOn(server, multiplexed())
    await client.socket.join('lobby')
    await client.socket.disconnect()
    expect(await rejection(verbs(client)[verb]())).toMatchObject({ code: 'NOT_CONNECTED' })
    expect(client.socket.state).toBe('idle')
    expect(server.counts().dials).toBe(1)
  })

  it('plain send() before connect() and after disconnect() is refused', async () => {
    const { socket } = await watchedOn(await referenceServer())
    expect(await rejection(socket.send(1))).toMatchObject({ code: 'NOT_CONNECTED' })
    await socket.connect()
    await socket.disconnect()
    expect(await rejection(socket.send(1))).toMatchObject({ code: 'NOT_CONNECTED' })
  })

  it('join() connects by itself, before connect() and after disconnect()', async () => {
    const server = await referenceServer()
    const { socket } = await watchedOn(server, multiplexed())
    expect((await socket.join('lobby')).state).toBe('joined')
    await socket.disconnect()
    expect((await socket.join('lobby')).state).toBe('joined')
    expect(server.counts().dials).toBe(2)
  })

  it.each(['send', 'request', 'join'] as const)(
    '%s in failed rejects with the stored error, without any I/O',
    async (verb) => {
      const server = await referenceServer()
      let asked = 0
      const client = await watchedOn(server, multiplexed(), {
        url: `${server.wsUrl}/no/such/path`,
        auth: () => {
          asked += 1
          return 'token'
        },
      })
      const error = await rejection(client.socket.connect())
      expect(client.socket.status).toMatchObject({ state: 'failed', error })
      const before = [server.counts().dials, asked]
      const run = { ...verbs(client), join: () => client.socket.join('lobby') }[verb]
      expect(await rejection(run())).toBe(error)
      await pause(30)
      expect([server.counts().dials, asked]).toEqual(before)
      expect(client.socket.state).toBe('failed')
    },
  )

  it('disconnect() does nothing twice, nor before connect()', async () => {
    const client = await watchedOn(await referenceServer())
    await Promise.all([client.socket.disconnect(), client.socket.disconnect()])
    expect(client.events).toEqual([])
    await client.socket.connect()
    await Promise.all([client.socket.disconnect(), client.socket.disconnect()])
    expect(client.events.filter(([name]) => name === 'disconnected')).toEqual([
      ['disconnected', expect.objectContaining({ willRetry: false })],
    ])
  })

  it('connect() twice is one connection', async () => {
    const server = await referenceServer()
    const { socket } = await watchedOn(server)
    await Promise.all([socket.connect(), socket.connect()])
    await socket.connect()
    expect(server.counts().dials).toBe(1)
  })

  it('request() on a protocol without answers is misuse', async () => {
    const { socket } = await watchedOn(await referenceServer())
    await socket.connect()
    expect(await rejection(socket.request('echo', 1))).toBeInstanceOf(TypeError)
  })
})

describe('a promise that nobody awaits', () => {
  it.each(PROTOCOLS)('is never an unhandled rejection ($name)', async ({ make }) => {
    const reasons = unhandled()
    const server = await referenceServer()
    const hasRooms = make().name !== 'plain'
    const signal = AbortSignal.abort(new Error('mine'))
    const everything = ({ socket }: Watched) => {
      socket.connect()
      socket.connect({ signal })
      socket.reconnect()
      socket.send(1n)
      socket.send({ message: 1 }, { signal })
      socket.request('nope', cyclic)
      socket.request('nope', 1)
      if (hasRooms) {
        socket.join('forbidden')
        socket.join('lobby', { signal })
      }
      socket.reauthenticate()
      socket.tokenChanged()
      if (!hasRooms) return
      const room = socket.room('lobby')
      room.send(1)
      room.join()
      room.send(undefined)
      room.leave()
      room.send(1)
      room.join()
    }
    const clients = [
      await watchedOn(server, make()),
      await watchedOn(server, make(), { auth: () => null }),
      await watchedOn(server, make(), { url: `${server.wsUrl}/no/such/path/{room}` }),
      await watchedOn(server, make(), { url: 'ws://127.0.0.1:1/{room}' }),
      await watchedOn(server, make(), { auth: () => Promise.reject(new Error('mine')) }),
      await watchedOn(server, make(), { auth: () => 'not\na token' }),
    ]
    for (const client of clients) everything(client)
    await pause(150)
    for (const client of clients) {
      everything(client)
      client.socket.disconnect()
      everything(client)
      await client.socket.disconnect()
    }
    await pause(50)
    expect(reasons).toEqual([])
    expect(clients.every(({ errors }) => errors.length > 0)).toBe(true)
  })

  it('tells its error to the error event, once', async () => {
    const client = await watchedOn(await referenceServer())
    client.socket.send(1)
    await pause(5)
    expect(client.errors).toEqual([expect.objectContaining({ code: 'NOT_CONNECTED' })])
  })
})

const LEGAL: Record<string, string[]> = {
  // Once more the same: what a status tells beside its state may change.
  idle: ['authenticating', 'connecting', 'idle'],
  authenticating: ['authenticating', 'connecting', 'waiting', 'failed', 'idle'],
  connecting: ['connected', 'waiting', 'authenticating', 'failed', 'idle'],
  connected: ['authenticating', 'connecting', 'waiting', 'failed', 'idle', 'connected'],
  waiting: ['authenticating', 'connecting', 'failed', 'idle', 'waiting'],
  failed: ['authenticating', 'connecting', 'idle'],
}

/** Every step is one that a status may take, and each begins where the last one ended. */
function expectLegal({ events }: Watched): void {
  let last = 'idle'
  for (const [name, payload] of events) {
    if (name !== 'statechange') continue
    const { status, previous } = payload as Record<'status' | 'previous', { state: string }>
    expect(previous.state).toBe(last)
    expect(LEGAL[previous.state]).toContain(status.state)
    last = status.state
  }
}

describe('a listener that', () => {
  const failure = new Error('of the user')
  it.each([
    [
      'throws',
      () => {
        throw failure
      },
    ],
    ['is async and rejects', () => Promise.reject(failure)],
  ])('%s breaks nobody, whatever it listens to', async (_, listener) => {
    const reasons = unhandled()
    const server = await referenceServer()
    const { access } = await server.mint({ user: 'alice' })
    const client = watched({
      url: `${server.wsUrl}/ws/rooms`,
      protocol: multiplexed(),
      auth: () => access,
    })
    const { socket } = client
    for (const name of ['statechange', 'connected', 'disconnected', 'gap', 'error'] as const)
      socket.on(name, listener)
    const room = socket.room('lobby')
    for (const name of ['message', 'joined', 'left', 'gap', 'error'] as const)
      room.on(name, listener)
    socket.subscribe(listener)
    await room.join()
    await room.send('one')
    server.closeSockets({ code: 1012 })
    await expect.poll(() => server.counts().dials).toBe(2)
    await expect.poll(() => room.state).toBe('joined')
    await room.send('two')
    room.leave()
    await socket.disconnect()
    expect(socket.state).toBe('idle')
    await pause(20)
    expect(reasons).toEqual([])
    expect(client.errors.filter((error) => error === failure).length).toBeGreaterThan(5)
    expectLegal(client)
  })

  it('disconnects inside `connected` is obeyed, and connect() rejects or has resolved', async () => {
    const server = await referenceServer()
    const client = await watchedOn(server)
    client.socket.on('connected', () => {
      client.socket.disconnect()
    })
    const outcome = await client.socket.connect().catch((error: unknown) => error)
    if (outcome !== undefined) expect(outcome).toMatchObject({ code: 'NOT_CONNECTED' })
    expect(client.socket.state).toBe('idle')
    await expect.poll(() => server.openSockets()).toBe(0)
    expectLegal(client)
    const names = client.events.map(([name]) => name).filter((name) => name !== 'statechange')
    expect(names.filter((name) => name !== 'error' && name !== 'message')).toEqual([
      'connected',
      'disconnected',
    ])
  })

  it('connects inside `disconnected` is obeyed', async () => {
    const server = await referenceServer()
    const client = await watchedOn(server)
    client.socket.once('disconnected', () => client.socket.connect())
    await client.socket.connect()
    client.socket.disconnect()
    await expect.poll(() => server.counts().accepted).toBe(2)
    await expect.poll(() => client.socket.state).toBe('connected')
    expectLegal(client)
  })

  it.each(['authenticating', 'connecting', 'connected'] as const)(
    'disconnects inside `statechange` to %s leaves nothing open',
    async (state) => {
      const server = await referenceServer()
      const client = await watchedOn(server, multiplexed())
      client.socket.on('statechange', ({ status }) => {
        if (status.state === state) client.socket.disconnect()
      })
      await rejection(client.socket.connect())
      expect(client.socket.state).toBe('idle')
      await pause(30)
      await expect.poll(() => server.openSockets()).toBe(0)
      expectLegal(client)
    },
  )

  it('joins, sends and leaves inside `message` is obeyed', async () => {
    const server = await referenceServer()
    const client = await watchedOn(server, multiplexed())
    const first = client.socket.room('first')
    const second = client.socket.room('second')
    const heard: unknown[] = []
    first.on('message', ({ data }) => {
      heard.push(data)
      first.leave()
      second.join()
      second.send('from within')
    })
    second.on('message', ({ data }) => heard.push(data))
    await first.join()
    first.send('go')
    await expect.poll(() => heard).toEqual(['go', 'from within'])
    expect([first.state, second.state]).toEqual(['idle', 'joined'])
    expect(client.errors).toEqual([])
  })

  it('sends inside `connected` and `joined` is the first to be heard', async () => {
    const server = await referenceServer()
    const client = await watchedOn(server)
    client.socket.on('connected', () => client.socket.send({ message: 'inside' }))
    await client.socket.connect()
    await client.socket.send({ message: 'after' })
    await expect
      .poll(() => server.received().map(({ data }) => data))
      .toEqual(['{"message":"inside"}', '{"message":"after"}'])
  })

  it('throws inside `error` is heard by nobody, for ever', async () => {
    const client = await watchedOn(await referenceServer())
    let calls = 0
    client.socket.on('error', () => {
      calls += 1
      throw failure
    })
    client.socket.on('error', async () => {
      calls += 1
      throw failure
    })
    await rejection(client.socket.send(1))
    await pause(20)
    expect(calls).toBe(2)
  })

  it('was taken off is not called, and a signal takes it off', async () => {
    const client = await watchedOn(await referenceServer())
    const calls: string[] = []
    const controller = new AbortController()
    client.socket.on('connected', () => calls.push('signal'), { signal: controller.signal })
    client.socket.on('connected', () => calls.push('off'))()
    client.socket.once('connected', () => calls.push('once'))
    const listener = () => calls.push('once, taken off')
    client.socket.once('connected', listener)
    client.socket.off('connected', listener)
    await client.socket.connect()
    controller.abort()
    await client.socket.reconnect()
    expect(calls.sort()).toEqual(['once', 'signal'])
  })
})

describe('1,000 cycles of connect() and disconnect()', () => {
  it('leave no timer, no listener and no socket', async () => {
    const server = await referenceServer()
    const client = await watchedOn(server, multiplexed())
    const { socket } = client
    const controller = new AbortController()
    let held = 0
    const { signal } = controller
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      held += 1
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      held -= 1
      removeEventListener.apply(signal, args)
    }
    let connected = 0
    socket.on('connected', () => {
      connected += 1
    })
    const room = socket.room('lobby')
    let joined = 0
    room.on('joined', () => {
      joined += 1
    })
    const before = process.getActiveResourcesInfo().sort()
    for (let cycle = 0; cycle < 1_000; cycle += 1) {
      if (cycle % 4 === 3) {
        // In the middle of a dial, at another point each time.
        socket.connect({ signal })
        await pause(cycle % 3)
      } else {
        await socket.connect({ signal })
        await room.join({ signal })
      }
      await socket.disconnect()
      room.leave()
    }
    await expect.poll(() => server.openSockets()).toBe(0)
    // One listener hears each connection once.
    expect(connected).toBe(client.events.filter(([name]) => name === 'connected').length)
    expect(joined).toBeGreaterThanOrEqual(750)
    expect(held).toBe(0)
    expect(socket.state).toBe('idle')
    await expect
      .poll(() => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length)
      .toBeLessThanOrEqual(before.filter((name) => name === 'Timeout').length + 1)
    const sockets = () =>
      process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocket')).length
    await expect.poll(sockets).toBe(before.filter((name) => name.startsWith('TCPSocket')).length)
    expectLegal(client)
  })
})

describe('a hundred sockets of one page', () => {
  it('connect and go, each on its own', async () => {
    const server = await referenceServer()
    const { access } = await server.mint({ user: 'alice' })
    const clients = Array.from({ length: 100 }, () =>
      watched({
        url: `${server.wsUrl}/ws/plain`,
        auth: () => access,
        transmission: viaQuery({ acceptLogging: true }),
      }),
    )
    await Promise.all(clients.map(({ socket }) => socket.connect()))
    expect(server.openSockets()).toBe(100)
    await Promise.all(clients.map(({ socket }) => socket.disconnect()))
    await expect.poll(() => server.openSockets()).toBe(0)
  })
})
