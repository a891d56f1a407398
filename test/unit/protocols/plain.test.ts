import { describe, expect, it } from 'vitest'
import type { Envelope } from '../../../src/protocols/envelope.ts'
import { plain } from '../../../src/protocols/plain.ts'

const CONTEXT = { clientId: '00'.repeat(16) }
const codecOf = (envelope?: Envelope) => plain(envelope).codec(CONTEXT)

/** Frames as users see them: their functions read whatever they like. */
interface Frame {
  readonly type?: string
  readonly re?: number
  readonly why?: string
}
const asFrame = (frame: unknown): Frame =>
  typeof frame === 'object' && frame !== null ? frame : {}
const unreadable = (detail: string) => ({ kind: 'unreadable', detail })
const bomb = (): never => {
  throw new Error('secret content')
}

describe('plain()', () => {
  it('has no rooms, no greeting and no acknowledgements', () => {
    expect(plain()).toMatchObject({
      name: 'plain',
      rooms: { kind: 'none' },
      greets: false,
      acknowledges: false,
    })
    expect(Object.keys(codecOf()).sort()).toEqual(['read', 'send'])
  })

  it.each<[string, unknown, string]>([
    ['an object', { message: 'hi' }, '{"message":"hi"}'],
    ['a string, as JSON', 'hi', '"hi"'],
    ['an empty string', '', '""'],
    ['null', null, 'null'],
    ['a number', 0, '0'],
    ['an array', [1, 'a'], '[1,"a"]'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['half a surrogate pair, escaped', '\ud800', '"\\ud800"'],
    ['__proto__', JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  ])('sends %s', (_name, data, frame) => {
    expect(codecOf().send(undefined, data, 1)).toBe(frame)
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a BigInt', 1n],
    ['a cycle', cycle],
    ['what has no JSON by its own word', { toJSON: () => undefined }],
    [
      'a getter that throws',
      {
        get secret() {
          return bomb()
        },
      },
    ],
  ])('refuses to send %s', (_name, data) => {
    expect(() => codecOf().send(undefined, data, 1)).toThrow(TypeError)
    expect(() => codecOf().send(undefined, data, 1)).toThrow(/plain values/)
  })

  it('sends binary data as a binary frame, and of a view what it shows', () => {
    const { buffer } = new Uint8Array([1, 2, 3, 4])
    expect(codecOf().send(undefined, buffer, 1)).toBe(buffer)
    const frame = codecOf().send(undefined, new Uint8Array(buffer, 1, 2), 1)
    expect(frame).toEqual(new Uint8Array([2, 3]).buffer)
    expect(codecOf().send(undefined, new DataView(buffer, 3), 1)).toEqual(
      new Uint8Array([4]).buffer,
    )
  })

  it.each<[string, string, unknown]>([
    ['an object', '{"message":"hi"}', { message: 'hi' }],
    ['a string', '"hi"', 'hi'],
    ['null', 'null', null],
    ['false', ' false', false],
    ['a negative number', '-1', -1],
    ['an array', '\n[1]', [1]],
    ['the echo of FastAPI', 'Message from testuser: {"a":1}', 'Message from testuser: {"a":1}'],
    ['text that begins as JSON', '{oops', '{oops'],
    ['text that begins as a word of JSON', 'total: 1', 'total: 1'],
    ['nothing', '', ''],
    ['a BOM', '\ufeff{}', '\ufeff{}'],
    ['100,000 brackets', '['.repeat(100_000), '['.repeat(100_000)],
  ])('reads %s', (_name, frame, data) => {
    expect(codecOf().read(frame)).toEqual({ kind: 'message', data })
  })

  it('reads deep JSON', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
    const incoming = codecOf().read(deep)
    // Not toEqual, which recurses.
    expect(incoming.kind === 'message' && Array.isArray(incoming.data)).toBe(true)
  })

  it('reads __proto__ without touching a prototype', () => {
    const incoming = codecOf().read('{"__proto__":{"admin":true},"constructor":1}')
    expect(incoming).toMatchObject({ kind: 'message' })
    expect(Reflect.get({}, 'admin')).toBeUndefined()
  })

  it('gives binary frames as they are', () => {
    const { buffer } = new Uint8Array([0x7b, 0x7d])
    expect(codecOf().read(buffer)).toEqual({ kind: 'message', data: buffer })
  })
})

describe('an envelope', () => {
  it('encodes and decodes in its own way', () => {
    const codec = codecOf({ encode: (data) => `<${data}>`, decode: (text) => text.slice(1, -1) })
    expect(codec.send(undefined, 'hi', 1)).toBe('<hi>')
    expect(codec.read('<hi>')).toEqual({ kind: 'message', data: 'hi' })
  })

  it('sends bare text with `encode: String`', () => {
    expect(codecOf({ encode: String }).send(undefined, 'hi', 1)).toBe('hi')
  })

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a promise', Promise.resolve('x')],
    ['a view', new Uint8Array(1)],
    ['an array', ['x']],
  ])('whose encode returns %s is misuse', (_name, frame) => {
    const encode = new Function('frame', 'return () => frame')(frame)
    expect(() => codecOf({ encode }).send(undefined, 1, 1)).toThrow(
      /^envelope\.encode\(\) gave .*: give a string or an ArrayBuffer$/,
    )
  })

  it('lets send() throw what encode throws', () => {
    expect(() => codecOf({ encode: bomb }).send(undefined, 1, 1)).toThrow('secret content')
  })

  it.each<[string, unknown, unknown]>([
    ['a word', 'reauthenticate', { kind: 'verdict', verdict: 'reauthenticate' }],
    ['advice', { retryAfterMs: 5 }, { kind: 'verdict', verdict: { retryAfterMs: 5 } }],
    ['undefined', undefined, { kind: 'message', data: {} }],
    ['null', null, { kind: 'message', data: {} }],
    ['false', false, { kind: 'message', data: {} }],
    [
      'an unknown word',
      'reauth',
      unreadable('envelope.verdict() gave a value of type string: give a verdict, or undefined'),
    ],
    [
      'true',
      true,
      unreadable('envelope.verdict() gave a value of type boolean: give a verdict, or undefined'),
    ],
    [
      'bad advice',
      { retryAfterMs: -1 },
      unreadable('envelope.verdict() gave a value of type object: give a verdict, or undefined'),
    ],
    [
      'NaN advice',
      { retryAfterMs: NaN },
      unreadable('envelope.verdict() gave a value of type object: give a verdict, or undefined'),
    ],
    [
      'text advice',
      { retryAfterMs: '5' },
      unreadable('envelope.verdict() gave a value of type object: give a verdict, or undefined'),
    ],
    [
      'an object',
      {},
      unreadable('envelope.verdict() gave a value of type object: give a verdict, or undefined'),
    ],
  ])('whose verdict is %s', (_name, verdict, incoming) => {
    const returning = new Function('verdict', 'return () => verdict')(verdict)
    expect(codecOf({ verdict: returning }).read('{}')).toEqual(incoming)
  })

  it.each<[string, Envelope]>([
    ['envelope.decode', { decode: bomb }],
    ['envelope.verdict', { verdict: bomb }],
    ['correlate.answer', { correlate: { request: () => 1, answer: bomb } }],
    ['heartbeat.answer', { heartbeat: { frame: 1, everyMs: 1, timeoutMs: 1, answer: bomb } }],
  ])('whose %s() throws makes the frame unreadable, without its content', (name, envelope) => {
    expect(codecOf(envelope).read('{}')).toEqual({
      kind: 'unreadable',
      detail: `${name}() threw Error`,
    })
  })
})

describe('correlate', () => {
  const codec = codecOf({
    correlate: {
      request: (type, payload, id) => ({ cmd: type, args: payload, ref: id }),
      answer: (frame) => {
        const { re, why } = asFrame(frame)
        if (re === undefined) return undefined
        return why === undefined
          ? { id: re, ok: true, data: frame }
          : { id: re, ok: false, code: 'no', message: why }
      },
    },
  })

  it('writes a call', () => {
    expect(codec.call?.('order', [1], 7)).toBe('{"cmd":"order","args":[1],"ref":7}')
  })

  it.each<[string, unknown]>([
    ['{"re":7}', { kind: 'ok', id: 7, data: { re: 7 } }],
    ['{"re":7,"why":"full"}', { kind: 'error', id: 7, code: 'no', message: 'full' }],
    ['{"other":1}', { kind: 'message', data: { other: 1 } }],
    ['null', { kind: 'message', data: null }],
    [
      '{"re":"7"}',
      unreadable(
        'correlate.answer() gave a value of type object: give { id, ok, … } with the id of a request',
      ),
    ],
    [
      '{"re":1e400}',
      unreadable(
        'correlate.answer() gave a value of type object: give { id, ok, … } with the id of a request',
      ),
    ],
  ])('reads %s', (frame, incoming) => {
    expect(codec.read(frame)).toEqual(incoming)
  })

  it('has defaults for what an error does not say', () => {
    const bare = codecOf({ correlate: { request: () => 1, answer: () => ({ id: 1, ok: false }) } })
    expect(bare.read('{}')).toEqual({ kind: 'error', id: 1, code: 'error', message: '' })
  })

  it('needs text to call', () => {
    const binary = codecOf({
      encode: () => new ArrayBuffer(1),
      correlate: { request: () => 1, answer: () => undefined },
    })
    expect(() => binary.call?.('x', 1, 1)).toThrow(/gave .*: give text for heartbeats and requests/)
  })
})

describe('heartbeat', () => {
  const heartbeat = { frame: { type: 'ping' }, everyMs: 25_000, timeoutMs: 10_000 }

  it('is off unless given, and encoded once', () => {
    expect(codecOf().heartbeat).toBeUndefined()
    expect(codecOf({ heartbeat }).heartbeat).toEqual({ ...heartbeat, frame: '{"type":"ping"}' })
    expect(codecOf({ heartbeat, encode: () => 'PING' }).heartbeat?.frame).toBe('PING')
  })

  it('ignores the answers that it knows', () => {
    const answer = (frame: unknown) => asFrame(frame).type === 'pong'
    const codec = codecOf({ heartbeat: { ...heartbeat, answer } })
    expect(codec.read('{"type":"pong"}')).toEqual({ kind: 'ignored' })
    expect(codec.read('{"type":"x"}').kind).toBe('message')
  })

  it('must become text', () => {
    expect(() => plain({ heartbeat, encode: () => new ArrayBuffer(1) })).toThrow(
      /gave .*: give text for heartbeats and requests/,
    )
    expect(() => plain({ heartbeat: { ...heartbeat, frame: undefined } })).toThrow(TypeError)
  })
})
