import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import type { WebSocket } from 'ws'
import { multiplexed, type Protocol, plain, roomPerSocket } from '../../src/index.ts'
import { startBareServer } from '../shell/dialing.ts'
import { pause, type Watched, watched } from './bad-input-support.ts'

const WELCOME = {
  type: 'welcome',
  version: 1,
  user: 'alice',
  session: 's',
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
  heartbeatMs: 25_000,
  features: [],
}

/** A connected client, and the server's end of its socket, to say anything with. */
async function connectedTo(
  protocol: Protocol = plain(),
): Promise<Watched & { server: WebSocket; connections: () => number }> {
  const bare = await startBareServer()
  onTestFinished(() => bare.close())
  const client = watched({ url: `${bare.url}{room}`, protocol })
  const connecting = client.socket.connect()
  if (protocol.name === 'room-per-socket') await client.socket.join('lobby')
  await expect.poll(() => bare.sockets.length).toBe(1)
  const [server] = bare.sockets
  if (server === undefined) throw new Error('no socket')
  if (protocol.greets) server.send(JSON.stringify(WELCOME))
  await connecting
  return { ...client, server, connections: () => bare.sockets.length }
}

const namesOf = ({ events }: Watched): string[] =>
  events.map(([name]) => name).filter((name) => name !== 'statechange' && name !== 'connected')

const PROTOTYPE_KEYS = Object.getOwnPropertyNames(Object.prototype).join()
afterEach(() => {
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(PROTOTYPE_KEYS)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

const DEEP = 50_000
const MEBIBYTE = 2 ** 20

/** Whatever a server says on a protocol without frames of its own is a message. */
const MESSAGES: [what: string, frame: string | Buffer, data: unknown][] = [
  ['text that is no JSON', 'hello', 'hello'],
  ['an empty frame', '', ''],
  ['half a JSON text', '{"a":', '{"a":'],
  ['null', 'null', null],
  ['a number', '17', 17],
  ['NaN', 'NaN', 'NaN'],
  ['markup', '<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['a lone surrogate in JSON', '"\\ud800"', '\ud800'],
  ['an object whose toJSON is a string', '{"toJSON":"x"}', { toJSON: 'x' }],
  ['a thenable', '{"then":"x"}', JSON.parse('{"then":"x"}')],
]

describe.each([plain(), roomPerSocket()])('on $name, the server says', (protocol) => {
  async function hearing(frames: (string | Buffer)[]): Promise<unknown[]> {
    const client = await connectedTo(protocol)
    const heard: unknown[] = []
    const hear = ({ data }: { data: unknown }) => heard.push(data)
    if (protocol.name === 'plain') client.socket.on('message', hear)
    else client.socket.room('lobby').on('message', hear)
    for (const frame of frames) client.server.send(frame)
    await expect.poll(() => heard.length).toBe(frames.length)
    expect(client.socket.state).toBe('connected')
    expect(client.errors).toEqual([])
    expect(client.connections()).toBe(1)
    return heard
  }

  it.each(MESSAGES)('%s: a message', async (_, frame, data) => {
    expect(await hearing([frame])).toEqual([data])
  })

  it('a __proto__: a message with a property of that name, and nothing else changes', async () => {
    const frames = [
      '{"__proto__":{"polluted":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      '{"type":"__proto__","room":"__proto__","__proto__":{"data":1}}',
    ]
    const [first] = await hearing(frames)
    expect(Object.getOwnPropertyNames(first)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(first)).toBe(Object.prototype)
  })

  it(`${DEEP} nested arrays: a message, or text, and no crash`, async () => {
    const [data] = await hearing(['['.repeat(DEEP) + ']'.repeat(DEEP)])
    expect(['object', 'string']).toContain(typeof data)
  })

  it('16 MiB: a message', async () => {
    const [data] = await hearing([JSON.stringify('x'.repeat(16 * MEBIBYTE))])
    expect(String(data)).toHaveLength(16 * MEBIBYTE)
  })

  it('bytes: an ArrayBuffer', async () => {
    expect(await hearing([Buffer.from([0, 255])])).toEqual([new Uint8Array([0, 255]).buffer])
  })
})

describe('on plain, the server breaks the rules of WebSocket with', () => {
  /** A frame as it is on the wire, unmasked. */
  const raw = (opcode: number, ...payload: number[]): Buffer =>
    Buffer.from([0x80 | opcode, payload.length, ...payload])

  it.each([
    ['invalid UTF-8', raw(1, 0xc3, 0x28)],
    ['an unknown opcode', raw(3)],
    ['a close code that nobody may send', raw(8, 0x03, 0xed)],
    ['a close reason of invalid UTF-8', raw(8, 0x0f, 0xa3, 0xff)],
    ['a masked frame', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x41])],
    ['a frame of 2^63 bytes', Buffer.from([0x81, 127, 255, 255, 255, 255, 255, 255, 255, 255])],
  ])('%s: the socket ends and comes back', async (_, bytes) => {
    const client = await connectedTo()
    // The TCP socket below it, which its type hides.
    const tcp: unknown = Reflect.get(client.server, '_socket')
    if (!(tcp instanceof Object && 'write' in tcp && typeof tcp.write === 'function'))
      throw new Error('no TCP socket')
    tcp.write(bytes)
    await expect.poll(() => client.connections()).toBe(2)
    await expect.poll(() => client.socket.state).toBe('connected')
    expect(namesOf(client)).toEqual(['disconnected', 'gap'])
    expect(client.events).toContainEqual(['gap', { reason: 'no-recovery' }])
  })

  it('reasons that look like code or markup: plain text in an event', async () => {
    const reason = '<img onerror=x> {"code":4003} \u202e'
    const client = await connectedTo()
    client.server.close(4999, reason)
    await expect.poll(() => client.connections()).toBe(2)
    expect(client.events).toContainEqual(['disconnected', { willRetry: true, code: 4999, reason }])
  })
})

/** Not of the rooms protocol v1, each an `error` event and nothing more. */
const UNREADABLE: [what: string, frame: string | Buffer][] = [
  ['text that is no JSON', 'hello'],
  ['an empty frame', ''],
  ['null', 'null'],
  ['a number', '1'],
  ['an array', '[{"type":"message"}]'],
  ['no type', '{}'],
  ['a type that is no text', '{"type":1}'],
  ['bytes', Buffer.from('{"type":"message"}')],
  ['a message without anything', '{"type":"message"}'],
  [
    'a message whose seq is no number',
    '{"type":"message","room":"a","seq":"1","from":"b","clientId":"c","n":1,"at":1,"data":1}',
  ],
  [
    'a message whose seq is beyond 2^53',
    '{"type":"message","room":"a","seq":9007199254740993,"from":"b","clientId":"c","n":1,"at":1,"data":1}',
  ],
  ['an answer without an id', '{"type":"ok"}'],
  ['an answer with a negative id', '{"type":"ok","id":-1}'],
  ['a joined without its room', '{"type":"joined","id":1,"epoch":"e","seq":0}'],
  ['an error without a code', '{"type":"error","message":"x"}'],
  ['a welcome of another version', JSON.stringify({ ...WELCOME, version: 2 })],
  [
    'a welcome that allows no rooms at all',
    JSON.stringify({ ...WELCOME, limits: { frameBytes: 1, roomsPerJoin: 0 } }),
  ],
  ['16 MiB of text', 'x'.repeat(16 * MEBIBYTE)],
  ['nested arrays', '['.repeat(DEEP) + ']'.repeat(DEEP)],
]

/** Nothing for the user, and no mistake either. */
const IGNORED: [what: string, frame: object][] = [
  ['a type of a later version', { type: 'hologram', room: 'a' }],
  ['a type named like a property of every object', { type: '__proto__' }],
  ['a type named like a method of every object', { type: 'toString' }],
  ['a pong that nobody asked for', { type: 'pong', id: 0 }],
  ['an answer to nothing', { type: 'ok', id: 4_711 }],
  ['a reply to nothing', { type: 'reply', id: 4_711, data: 1 }],
  [
    'a joined for a room that nobody wants',
    { type: 'joined', id: 9, room: 'x', epoch: 'e', seq: 0 },
  ],
  [
    'a message of a room that nobody wants',
    { type: 'message', room: '__proto__', seq: 1, from: 'b', clientId: 'c', n: 1, at: 1, data: 1 },
  ],
  ['a second welcome', WELCOME],
]

describe('on multiplexed, the server says', () => {
  it.each(UNREADABLE)('%s: an error, and the socket stays', async (_, frame) => {
    const client = await connectedTo(multiplexed())
    client.server.send(frame)
    await expect.poll(() => client.errors.length).toBe(1)
    expect(client.errors[0]).toBeInstanceOf(TypeError)
    expect(String(client.errors[0])).toContain('a frame could not be read')
    expect(String(client.errors[0]).length).toBeLessThan(200)
    await pause(20)
    expect(namesOf(client)).toEqual(['error'])
    expect(client.socket.state).toBe('connected')
    expect(client.connections()).toBe(1)
  })

  it.each(IGNORED)('%s: nothing', async (_, frame) => {
    const client = await connectedTo(multiplexed())
    client.server.send(JSON.stringify(frame))
    // What comes behind it shows that it was read.
    client.server.send('end')
    await expect.poll(() => client.errors.length).toBe(1)
    expect(namesOf(client)).toEqual(['error'])
    expect(client.socket.state).toBe('connected')
  })

  it('an error to nobody: an error event with its code', async () => {
    const client = await connectedTo(multiplexed())
    client.server.send(
      JSON.stringify({ type: 'error', code: 'overloaded', message: '<b>busy</b>' }),
    )
    await expect.poll(() => client.errors.length).toBe(1)
    expect(client.errors[0]).toMatchObject({ code: 'REQUEST_FAILED', serverCode: 'overloaded' })
    expect(client.socket.state).toBe('connected')
  })

  it.each([
    ['before the welcome', 'hello'],
    ['instead of the welcome', JSON.stringify({ ...WELCOME, user: 7 })],
  ])('nonsense %s: no connection, until a welcome comes', async (_, frame) => {
    const bare = await startBareServer()
    onTestFinished(() => bare.close())
    const client = watched({ url: bare.url, protocol: multiplexed() })
    const connecting = client.socket.connect()
    await expect.poll(() => bare.sockets.length).toBe(1)
    bare.sockets[0]?.send(frame)
    await expect.poll(() => client.errors.length).toBe(1)
    await pause(20)
    expect(client.socket.state).toBe('connecting')
    bare.sockets[0]?.send(JSON.stringify(WELCOME))
    await connecting
    expect(client.socket.identity).toBe('alice')
  })
})

describe('an envelope of the user', () => {
  const secret = 'what-the-frame-says'
  const explode = () => {
    throw new Error(secret)
  }
  const answer = (reply: object) => ({
    correlate: { request: () => ({}), answer: () => reply as never },
  })
  it.each([
    ['decode throws', { decode: explode }],
    ['verdict throws', { verdict: explode }],
    ['verdict is nonsense', { verdict: () => 'reauth' as never }],
    ['verdict is nonsense of another kind', { verdict: () => ({ retryAfterMs: 'soon' }) as never }],
    ['correlate throws', { correlate: { request: () => ({}), answer: explode } }],
    ['correlate answers nonsense', answer({ id: 'x', ok: true })],
    ['correlate answers NaN', answer({ id: Number.NaN, ok: true })],
  ])('%s: an error event without the frame, and the socket stays', async (_, envelope) => {
    const client = await connectedTo(plain(envelope))
    client.server.send(secret)
    await expect.poll(() => client.errors.length).toBe(1)
    expect(client.errors[0]).toBeInstanceOf(TypeError)
    expect(String(client.errors[0])).not.toContain(secret)
    expect((client.errors[0] as Error).cause).toBeUndefined()
    expect(client.socket.state).toBe('connected')
    expect(client.connections()).toBe(1)
  })
})

describe('a policy of the user', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
    ],
    ['answers a word that is no verdict', () => 'reauth' as never],
    ['answers a number', () => 7 as never],
    ['answers an empty object', () => ({}) as never],
    ['answers advice that is no number', () => ({ retryAfterMs: 'soon' }) as never],
    ['answers advice without end', () => ({ retryAfterMs: Number.POSITIVE_INFINITY })],
    ['answers null', () => null as never],
    ['is async', async () => 'stop' as never],
  ])('that %s does not stop the socket: the defaults decide', async (_, closePolicy) => {
    const bare = await startBareServer()
    onTestFinished(() => bare.close())
    const client = watched({ url: bare.url, closePolicy: closePolicy as never })
    await client.socket.connect()
    bare.sockets[0]?.close(4999, 'go')
    await expect.poll(() => bare.sockets.length).toBe(2)
    await expect.poll(() => client.socket.state).toBe('connected')
  })
})
