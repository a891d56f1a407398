import { describe, expect, it } from 'vitest'
import { plain } from '../../../src/protocols/plain.ts'
import { roomPerSocket } from '../../../src/protocols/room-per-socket.ts'

const heartbeat = { frame: 1, everyMs: 1000, timeoutMs: 1000 }
const correlate = { request: () => 1, answer: () => undefined }

const ENVELOPES: [envelope: unknown, kind: typeof TypeError, says: string][] = [
  [null, TypeError, 'not null'],
  ['json', TypeError, 'not a value of type string'],
  [[], TypeError, 'not an array'],
  [{ url: '/ws/' }, TypeError, "envelope has no option 'url'"],
  [
    { encode: 'json' },
    TypeError,
    'envelope: encode must be a function, not a value of type string',
  ],
  [{ encode: null }, TypeError, 'envelope: encode must be a function, not null'],
  [{ decode: JSON }, TypeError, 'envelope: decode must be a function'],
  [{ verdict: 'retry' }, TypeError, 'envelope: verdict must be a function'],
  [{ correlate: true }, TypeError, 'envelope: correlate must be an object'],
  [{ correlate: null }, TypeError, 'envelope: correlate must be an object, not null'],
  [{ correlate: {} }, TypeError, 'correlate: request must be a function'],
  [{ correlate: { request: () => 1 } }, TypeError, 'correlate: answer must be a function'],
  [{ correlate: { ...correlate, id: 1 } }, TypeError, "correlate has no option 'id'"],
  [{ heartbeat: 25_000 }, TypeError, 'envelope: heartbeat must be an object'],
  [{ heartbeat: { ...heartbeat, everyMs: '1' } }, TypeError, 'everyMs must be a number from 1'],
  [{ heartbeat: { frame: 1, timeoutMs: 1 } }, TypeError, 'everyMs must be a number'],
  [{ heartbeat: { everyMs: 1, timeoutMs: 1 } }, TypeError, 'heartbeat: frame must be'],
  [{ heartbeat: { ...heartbeat, everyMs: 0 } }, RangeError, 'everyMs must be a number from 1 to'],
  [{ heartbeat: { ...heartbeat, everyMs: Number.NaN } }, RangeError, 'everyMs'],
  [{ heartbeat: { ...heartbeat, timeoutMs: -1 } }, RangeError, 'timeoutMs'],
  [{ heartbeat: { ...heartbeat, timeoutMs: 2 ** 31 } }, RangeError, 'timeoutMs'],
  [{ heartbeat: { ...heartbeat, timeoutMs: Infinity } }, RangeError, 'timeoutMs'],
  [
    { heartbeat: { ...heartbeat, answer: 'pong' } },
    TypeError,
    'heartbeat: answer must be a function',
  ],
  [{ heartbeat: { ...heartbeat, every: 1 } }, TypeError, "heartbeat has no option 'every'"],
]

const ROOMS: [options: unknown, kind: typeof TypeError, says: string][] = [
  [null, TypeError, 'roomPerSocket takes an object, not null'],
  ['/ws/{room}/', TypeError, 'roomPerSocket takes an object'],
  [
    { uri: '/ws/{room}/' },
    TypeError,
    "roomPerSocket has no option 'uri'; it has url, greeting, envelope",
  ],
  [
    { url: 1 },
    TypeError,
    'roomPerSocket: url must be a string with {room}, not a value of type number',
  ],
  [{ url: null }, TypeError, 'url must be a string with {room}, not null'],
  [{ url: '' }, TypeError, 'url must be a string with {room}'],
  [{ url: '/ws/chat/' }, TypeError, 'url must be a string with {room}'],
  [{ greeting: 'Welcome' }, TypeError, 'roomPerSocket: greeting must be a function'],
  [{ greeting: /Welcome/ }, TypeError, 'roomPerSocket: greeting must be a function'],
  [{ envelope: 1 }, TypeError, 'roomPerSocket: envelope must be an object'],
  [{ envelope: { encode: 1 } }, TypeError, 'envelope: encode must be a function'],
]

/** As JavaScript calls it. */
const call = (maker: unknown, options: unknown) =>
  typeof maker === 'function' && Reflect.apply(maker, undefined, [options])

describe('wrong options', () => {
  it.each(ENVELOPES)('plain(%j) is a %o', (envelope, kind, says) => {
    expect(() => call(plain, envelope)).toThrow(kind)
    expect(() => call(plain, envelope)).toThrow(says)
  })

  it.each(ENVELOPES)('roomPerSocket({ envelope: %j }) is a %o', (envelope, kind, says) => {
    expect(() => call(roomPerSocket, { envelope })).toThrow(kind)
    expect(() => call(roomPerSocket, { envelope })).toThrow(says)
  })

  it.each(ROOMS)('roomPerSocket(%j) is a %o', (options, kind, says) => {
    expect(() => call(roomPerSocket, options)).toThrow(kind)
    expect(() => call(roomPerSocket, options)).toThrow(says)
  })

  it.each([undefined, {}, { encode: undefined, heartbeat: undefined }])(
    'plain(%j) is right',
    (given) => {
      expect(() => call(plain, given)).not.toThrow()
      expect(() => call(roomPerSocket, given && { envelope: given })).not.toThrow()
    },
  )
})
