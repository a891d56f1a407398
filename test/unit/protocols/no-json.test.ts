import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { multiplexed } from '../../../src/protocols/multiplexed.ts'
import { plain } from '../../../src/protocols/plain.ts'
import type { Codec } from '../../../src/protocols/protocol.ts'
import { viaFirstMessage } from '../../../src/transmissions/via-first-message.ts'
import { handshake, JWT, quotes, textsOf, thrownBy } from '../transmissions/handshake.ts'
import { WITH_JSON, WITHOUT_JSON } from './no-json.ts'

const CONTEXT = { clientId: '00'.repeat(16) }
const envelope = plain({
  correlate: { request: (type, payload) => ({ type, payload }), answer: () => undefined },
}).codec(CONTEXT)
const rooms = multiplexed().codec(CONTEXT)

type Written = string | ArrayBuffer | undefined

const firstFrame = (made: object): Written => {
  const first = viaFirstMessage({ frame: () => made, accepted: () => true })
  const { firstFrame: frame } = first.carry(handshake(), JWT)
  // A function only where the server says something first.
  return typeof frame === 'function' ? undefined : frame
}

/** Every place that data goes to, what its text is around it, and what the path begins with. */
const PLACES: readonly (readonly [
  name: string,
  write: (data: never) => Written,
  around: (json: string) => string,
  path: string,
])[] = [
  ['send', (data) => envelope.send(undefined, data, 1), (json) => json, 'data'],
  [
    'request',
    (data) => envelope.call?.('t', data, 1),
    (json) => `{"type":"t","payload":${json}}`,
    'data.payload',
  ],
  [
    'heartbeat',
    (frame) =>
      plain({ heartbeat: { frame, everyMs: 1, timeoutMs: 1 } }).codec(CONTEXT).heartbeat?.frame,
    (json) => json,
    'data',
  ],
  [
    'send of multiplexed()',
    (data) => rooms.send('a', data, 7),
    (json) =>
      `{"type":"send","id":7,"room":"a","clientId":"${CONTEXT.clientId}","n":7,"data":${json}}`,
    'data',
  ],
  [
    'request of multiplexed()',
    (data) => rooms.call?.('t', data, 7),
    (json) => `{"type":"call","id":7,"method":"t","data":${json}}`,
    'data',
  ],
  [
    'params',
    (params) => rooms.join?.([{ room: 'a' }, { room: 'b', params }], 7),
    (json) => `{"type":"join","id":7,"rooms":[{"room":"a"},{"room":"b","params":${json}}]}`,
    'rooms[1].params',
  ],
  [
    'presence',
    (presence) => rooms.join?.([{ room: 'b', presence }], 7),
    (json) => `{"type":"join","id":7,"rooms":[{"room":"b","presence":${json}}]}`,
    'rooms[0].presence',
  ],
  ['the first frame', firstFrame, (json) => json, 'frame'],
]

/** Each way in which data can hold a value, and where the value is then. */
const HOLDERS: readonly (readonly [
  name: string,
  hold: (value: unknown) => object,
  path: string,
])[] = [
  ['in an object', (value) => ({ text: 'hi', value, last: 1 }), '.value'],
  ['in a list', (value) => [1, 'a', null, value], '[3]'],
  ['in a list in an object', (value) => ({ meta: {}, files: [value] }), '.files[0]'],
  [
    'in an object of a class',
    (value) =>
      new (class {
        file = value
      })(),
    '.file',
  ],
  [
    'in one without a prototype',
    (value) => Object.assign(Object.create(null), { value }),
    '.value',
  ],
  [
    'in one of another realm',
    (value) => Object.assign(Object(runInNewContext('({})')), { value }),
    '.value',
  ],
  [
    'in what toJSON gives',
    (value) => ({ at: { toJSON: () => ({ value, empty: new Map() }) } }),
    '.at.value',
  ],
  [
    'a thousand deep',
    (value) => Array.from({ length: 1000 }).reduce<object>((inner) => ({ a: inner }), [value]),
    `${'.a'.repeat(1000)}[0]`,
  ],
  [
    'after ten thousand others',
    (value) => [...Array.from({ length: 10_000 }, () => ({})), value],
    '[10000]',
  ],
]

describe('what has no JSON', () => {
  for (const [place, write, , path] of PLACES)
    it.each(WITHOUT_JSON)(`in ${place} is refused with its path: %s`, (_name, value) => {
      const error = thrownBy(() => write({ a: [{ value }] } as never))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain(` ${path}.a[0].value `)
    })

  for (const [name, hold, where] of HOLDERS)
    it.each(WITHOUT_JSON)(`${name} is refused with its path: %s`, (_name, value) => {
      for (const codec of [envelope, rooms])
        expect(thrownBy(() => codec.send('a', hold(value), 1)).message).toContain(` data${where} `)
    })

  it.each(WITHOUT_JSON)('alone is refused, or is bytes and sent as bytes: %s', (name, value) => {
    expect(() => rooms.send('a', value, 1)).toThrow(/ data /)
    expect(() => rooms.join?.([{ room: 'a', presence: Object(value) }], 1)).toThrow(/presence /)
    const isBytes = /Array|View|Buffer|memory/.test(name)
    const send = () => envelope.send(undefined, value, 1)
    if (!isBytes) expect(send).toThrow(/ data /)
    else {
      expect(send()).toBeInstanceOf(ArrayBuffer)
      expect(send()).toHaveProperty('byteLength', Object(value).byteLength)
    }
  })

  it('is named by its kind', () => {
    expect(() => envelope.send(undefined, { a: new Blob() }, 1)).toThrow('data.a (Blob)')
    expect(() => envelope.send(undefined, { a: new Uint8Array(1) }, 1)).toThrow('(Uint8Array)')
    expect(() => envelope.send(undefined, undefined, 1)).toThrow('data (undefined)')
    expect(() => envelope.send(undefined, { a: { b: 1n } }, 1)).toThrow('data.a.b (bigint)')
  })

  it('is found once for a value that stands in two places', () => {
    const shared = { at: 1, files: [new Blob()] }
    expect(() => envelope.send(undefined, { a: 1, b: shared, c: shared }, 1)).toThrow(
      'data.b.files[0]',
    )
  })

  it('shows nothing of a value, nor what a getter threw', () => {
    const error = thrownBy(() => envelope.send(undefined, { a: new Error(JWT) }, 1))
    expect(quotes(textsOf(error), JWT)).toBe(false)
  })
})

describe('what has JSON', () => {
  for (const [place, write, around] of PLACES.filter(([name]) => name !== 'the first frame'))
    it.each(WITH_JSON)(`in ${place} is sent as it is: %s`, (_name, value) => {
      expect(write({ a: [value] } as never)).toBe(around(JSON.stringify({ a: [value] })))
      expect(write(value as never)).toBe(around(JSON.stringify(value)))
    })

  it.each(WITH_JSON)('in the first frame is sent as it is: %s', (_name, value) => {
    expect(firstFrame({ a: [value] })).toBe(JSON.stringify({ a: [value] }))
  })

  it('is asked for its word once', () => {
    let asked = 0
    const word = { toJSON: () => ({ asked: ++asked }) }
    expect(envelope.send(undefined, { word, at: new Date(0), meta: { a: 1 } }, 1)).toContain(
      '{"asked":1}',
    )
    expect(asked).toBe(1)
  })
})

describe('bytes', () => {
  const shared = new SharedArrayBuffer(3)
  new Uint8Array(shared).set([1, 2, 3])
  it.each<[string, unknown]>([
    ['a buffer', new Uint8Array([1, 2, 3]).buffer],
    ['a view', new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4)],
    ['a Buffer of a pool', Buffer.from([1, 2, 3])],
    ['shared memory', shared],
    ['a view of shared memory', new Uint8Array(shared)],
    ['a buffer of another realm', runInNewContext('new Uint8Array([1, 2, 3]).buffer')],
    ['a view of another realm', runInNewContext('new Uint8Array([0, 1, 2, 3]).subarray(1)')],
    [
      'shared memory of another realm',
      runInNewContext('const b = new SharedArrayBuffer(3); new Uint8Array(b).set([1, 2, 3]); b'),
    ],
  ])('are sent as bytes, alone and in the first frame: %s', (_name, value) => {
    const expected = new Uint8Array([1, 2, 3]).buffer
    for (const frame of [envelope.send(undefined, value, 1), firstFrame(Object(value))]) {
      expect(frame).toBeInstanceOf(ArrayBuffer)
      expect(frame).toEqual(expected)
    }
    const codec: Codec = plain({ encode: new Function('it', 'return () => it')(value) }).codec(
      CONTEXT,
    )
    if (ArrayBuffer.isView(value)) expect(() => codec.send(undefined, 1, 1)).toThrow(TypeError)
    else expect(codec.send(undefined, 1, 1)).toEqual(expected)
  })

  it('of shared memory are copied: what is written there later is not sent', () => {
    const memory = new SharedArrayBuffer(1)
    const frame = envelope.send(undefined, memory, 1)
    new Uint8Array(memory)[0] = 9
    expect(frame).toEqual(new ArrayBuffer(1))
  })

  it('that were given away are refused: nothing is left of them', () => {
    const buffer = new ArrayBuffer(3)
    const view = new Uint8Array(buffer)
    structuredClone(buffer, { transfer: [buffer] })
    for (const data of [buffer, view])
      expect(() => envelope.send(undefined, data, 1)).toThrow(TypeError)
  })

  it('are not what only says that it is bytes', () => {
    const said = { [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 3 }
    expect(() => envelope.send(undefined, said, 1)).toThrow(TypeError)
  })
})

describe('the first frame', () => {
  it('never names a key that holds the token', () => {
    for (const made of [
      { [JWT]: new Map() },
      { a: { [`Bearer ${JWT}`]: [new Map()] } },
      new Map(),
    ]) {
      const error = thrownBy(() => firstFrame(made))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain('viaFirstMessage: frame')
      expect(quotes(textsOf(error), JWT)).toBe(false)
    }
  })

  it('shows nothing of what a getter or toJSON threw', () => {
    const toJSON = () => {
      throw new Error(JWT)
    }
    const error = thrownBy(() => firstFrame({ toJSON, a: new Map() }))
    expect(quotes(textsOf(error), JWT)).toBe(false)
  })

  it.each([
    ['no bytes', new ArrayBuffer(0)],
    ['a view of no bytes', new Uint8Array()],
  ])('is not of %s', (_name, made) => {
    expect(() => firstFrame(made)).toThrow('viaFirstMessage: frame')
  })
})
