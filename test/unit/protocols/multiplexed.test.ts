import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { multiplexed } from '../../../src/protocols/multiplexed.ts'
import type { Codec } from '../../../src/protocols/protocol.ts'

const clientId = '0123456789abcdef'.repeat(2)
const codecOf = (): Codec => multiplexed().codec({ clientId })
/** As after the welcome of alice. */
const read = (frame: unknown) => {
  const codec = codecOf()
  codec.read(JSON.stringify(welcome))
  return codec.read(JSON.stringify(frame))
}

const message = {
  type: 'message',
  room: 'lobby',
  seq: 12,
  from: 'alice',
  clientId,
  n: 7,
  at: 1.76e12,
  data: { a: 1 },
}
const joined = { type: 'joined', id: 1, room: 'lobby', epoch: 'e1', seq: 11 }
const error = {
  type: 'error',
  id: 1,
  room: 'lobby',
  code: 'forbidden',
  message: 'not yours',
  retryAfterMs: 5,
}
const stored = { seq: 12, from: 'bob', clientId: 'f'.repeat(32), n: 7, at: 1.76e12, data: null }
const readStored = {
  data: null,
  meta: { id: `${'f'.repeat(32)}:7`, seq: 12, sender: 'bob', own: false, at: 1.76e12 },
}
const entry = { user: 'bob', clientId: 'f'.repeat(32), data: { mood: 'calm' } }
const resumed = {
  ...joined,
  recovered: true,
  messages: [stored],
  members: [entry],
  version: 3,
}
const presence = { type: 'presence', room: 'lobby', version: 4, joins: [entry], leaves: [entry] }
const drain = { type: 'drain', withinMs: 5 }
const history = {
  type: 'history',
  id: 5,
  room: 'lobby',
  epoch: 'e',
  messages: [stored],
  more: true,
}
const okOfSend = { type: 'ok', id: 3, seq: 12 }
const reply = { type: 'reply', id: 4, data: null }
const welcome = {
  type: 'welcome',
  version: 1,
  user: 'alice',
  session: 's1',
  limits: { frameBytes: 65536, roomsPerJoin: 100 },
  heartbeatMs: 25_000,
  resumeWindowMs: 120_000,
  features: ['call'],
}
describe('multiplexed()', () => {
  it('is rooms protocol v1', () => {
    expect(multiplexed()).toMatchObject({
      name: 'multiplexed',
      rooms: { kind: 'shared' },
      subprotocols: ['authed-rooms.v1'],
      greets: true,
      acknowledges: true,
    })
  })

  it.each<[string, unknown, unknown]>([
    [
      'welcome',
      welcome,
      {
        kind: 'welcome',
        user: 'alice',
        limits: { frameBytes: 65536, roomsPerJoin: 100 },
        resumeWindowMs: 120_000,
        features: ['call'],
        renewable: false,
      },
    ],
    [
      'a welcome with members of later versions',
      { ...welcome, limits: { ...welcome.limits, rate: null, inFlight: 8 }, hello: 'x' },
      {
        kind: 'welcome',
        user: 'alice',
        limits: { ...welcome.limits, inFlight: 8 },
        resumeWindowMs: 120_000,
        features: ['call'],
        renewable: false,
      },
    ],
    [
      'joined that no frame asked for',
      { ...joined, id: undefined },
      { kind: 'joined', room: 'lobby', id: 0, epoch: 'e1', seq: 11 },
    ],
    [
      'joined again',
      resumed,
      {
        kind: 'joined',
        room: 'lobby',
        id: 1,
        epoch: 'e1',
        seq: 11,
        recovered: true,
        messages: [readStored],
        members: [entry],
        version: 3,
      },
    ],
    [
      'presence',
      presence,
      {
        kind: 'presence',
        room: 'lobby',
        version: 4,
        joins: [entry],
        leaves: [{ user: 'bob', clientId: 'f'.repeat(32) }],
      },
    ],
    ['history', history, { kind: 'ok', id: 5, data: { messages: [readStored], more: true } }],
    ['drain', drain, { kind: 'drain', withinMs: 5 }],
    [
      'superseded, as the end of the connection',
      { ...error, code: 'superseded' },
      { kind: 'verdict', verdict: 'retry', id: 1 },
    ],
    ['joined', joined, { kind: 'joined', room: 'lobby', id: 1, epoch: 'e1', seq: 11 }],
    ['ok', { type: 'ok', id: 2 }, { kind: 'ok', id: 2 }],
    ['ok to a send', { type: 'ok', id: 3, seq: 12 }, { kind: 'ok', id: 3, seq: 12 }],
    ['reply', { type: 'reply', id: 4, data: null }, { kind: 'ok', id: 4, data: null }],
    ['pong', { type: 'pong', id: 5 }, { kind: 'ignored' }],
    [
      'own message',
      message,
      {
        kind: 'message',
        room: 'lobby',
        data: { a: 1 },
        meta: { id: `${clientId}:7`, seq: 12, sender: 'alice', own: true, at: 1.76e12 },
      },
    ],
    [
      'message of another client of the same user',
      { ...message, clientId: 'f'.repeat(32) },
      {
        kind: 'message',
        room: 'lobby',
        data: { a: 1 },
        meta: { id: `${'f'.repeat(32)}:7`, seq: 12, sender: 'alice', own: false, at: 1.76e12 },
      },
    ],
    [
      'message of another user who took the clientId',
      { ...message, from: 'mallory' },
      {
        kind: 'message',
        room: 'lobby',
        data: { a: 1 },
        meta: { id: `${clientId}:7`, seq: 12, sender: 'mallory', own: false, at: 1.76e12 },
      },
    ],
    [
      'message in __proto__',
      { ...message, room: '__proto__', data: 0 },
      expect.objectContaining({ kind: 'message', room: '__proto__', data: 0 }),
    ],
    [
      'error',
      error,
      {
        kind: 'error',
        id: 1,
        room: 'lobby',
        code: 'forbidden',
        message: 'not yours',
        retryAfterMs: 5,
      },
    ],
    [
      'error about everything',
      { type: 'error', code: 'internal', message: '' },
      { kind: 'error', code: 'internal', message: '' },
    ],
    ['a frame of later versions', { type: 'later', room: 1 }, { kind: 'ignored' }],
    ['a type that objects have', { type: 'constructor' }, { kind: 'ignored' }],
    ['a type named __proto__', { type: '__proto__' }, { kind: 'ignored' }],
  ])('reads %s', (_name, frame, incoming) => {
    expect(read(frame)).toEqual(incoming)
  })

  it.each<[string, string | ArrayBuffer, string]>([
    ['nothing', '', 'not JSON'],
    ['plain text', 'hello', 'not JSON'],
    ['half a frame', '{"type":"ok"', 'not JSON'],
    ['two frames', '{"type":"ok","id":1}{}', 'not JSON'],
    ['100,000 brackets', '['.repeat(100_000), 'not JSON'],
    ['deep JSON', `${'['.repeat(5000)}${']'.repeat(5000)}`, 'no frame type'],
    ['binary', new ArrayBuffer(4), 'binary frame'],
    ['null', 'null', 'no frame type'],
    ['a number', '1', 'no frame type'],
    ['a string', '"welcome"', 'no frame type'],
    ['an array', '[{"type":"ok"}]', 'no frame type'],
    ['no type', '{"id":1}', 'no frame type'],
    ['a type of the wrong type', '{"type":["ok"]}', 'no frame type'],
    ['a type by inheritance', '{"__proto__":{"type":"ok","id":1}}', 'no frame type'],
  ])('finds %s unreadable', (_name, frame, detail) => {
    expect(codecOf().read(frame)).toEqual({ kind: 'unreadable', detail })
  })

  const nonTexts = [null, 1, true, [], {}]
  const nonCounts = [null, '1', true, [], {}, -1, 1.5, 2 ** 53]
  const nonSizes = [...nonCounts, 0, undefined]
  const MALFORMED: [frame: { type: string }, key: string, values: unknown[]][] = [
    [message, 'room', [...nonTexts, undefined]],
    [message, 'seq', [...nonCounts, undefined]],
    [message, 'data', [undefined]],
    [message, 'from', [...nonTexts, undefined]],
    [message, 'clientId', [...nonTexts, undefined]],
    [message, 'n', [...nonCounts, undefined]],
    [message, 'at', [...nonCounts, undefined]],
    [joined, 'room', [...nonTexts, undefined]],
    [joined, 'id', nonCounts],
    [joined, 'epoch', [...nonTexts, undefined]],
    [joined, 'seq', [...nonCounts, undefined]],
    [resumed, 'recovered', [null, 1, 'true']],
    [resumed, 'messages', [1, {}, [1], [{ ...stored, seq: -1 }], [{ ...stored, from: null }]]],
    [resumed, 'members', [1, {}, [1], [{ ...entry, user: 1 }], [{ ...entry, data: null }]]],
    [resumed, 'version', nonCounts],
    [presence, 'room', [...nonTexts, undefined]],
    [presence, 'version', [...nonCounts, undefined]],
    [presence, 'joins', [undefined, {}, [{ ...entry, clientId: 1 }]]],
    [presence, 'leaves', [undefined, {}, [null]]],
    [history, 'id', [...nonCounts, undefined]],
    [history, 'messages', [undefined, {}, [stored, {}]]],
    [history, 'more', [undefined, 1]],
    [drain, 'withinMs', [...nonCounts, undefined]],
    [okOfSend, 'id', [...nonCounts, undefined]],
    [okOfSend, 'seq', nonCounts],
    [reply, 'id', [...nonCounts, undefined]],
    [reply, 'data', [undefined]],
    [error, 'code', [...nonTexts, undefined]],
    [error, 'message', [...nonTexts, undefined]],
    [error, 'id', nonCounts],
    [error, 'room', nonTexts],
    [error, 'retryAfterMs', nonCounts],
    [welcome, 'version', [...nonTexts.filter((value) => value !== 1), 2, '1', undefined]],
    [welcome, 'user', [...nonTexts, undefined]],
    [welcome, 'heartbeatMs', [...nonCounts, undefined]],
    [welcome, 'limits', [null, 1, 'x', [], {}, undefined]],
    [
      welcome,
      'limits',
      nonSizes.flatMap((size) => [
        { ...welcome.limits, frameBytes: size },
        { ...welcome.limits, roomsPerJoin: size },
        ...(size === undefined ? [] : [{ ...welcome.limits, inFlight: size }]),
      ]),
    ],
    [welcome, 'resumeWindowMs', nonCounts],
    [welcome, 'features', [null, 'call', [1]]],
  ]
  const malformed = MALFORMED.flatMap(([frame, key, values]) =>
    values.map((value) => ({ ...frame, [key]: value })),
  )
  it.each(malformed.map((frame) => [frame]))('finds %j malformed', (frame) => {
    expect(read(frame)).toEqual({ kind: 'unreadable', detail: `malformed ${frame.type}` })
  })

  it('never throws, never pollutes, and never quotes', () => {
    const value = fc.jsonValue({ maxDepth: 2 })
    const type = fc.constantFrom(
      ...['welcome', 'joined', 'ok', 'reply', 'message', 'error', 'pong', 'presence', 'history'],
    )
    const keys = ['id', 'room', 'seq', 'data', 'code', 'limits', 'version', '__proto__']
    const frame = fc
      .dictionary(fc.constantFrom(...keys), value)
      .chain((rest) => type.map((name) => JSON.stringify({ ...rest, type: name })))
    const codec = codecOf()
    fc.assert(
      fc.property(fc.oneof(frame, fc.json(), fc.string({ unit: 'binary' })), (text) => {
        const incoming = codec.read(text)
        if (incoming.kind === 'unreadable') {
          expect(incoming.detail).toMatch(/^(not JSON|no frame type|malformed [a-z]+)$/)
        }
      }),
      { numRuns: 2000 },
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it.each([
    ['of the server', 25_000, 25_000],
    ['of at least a second', 0, 1000],
    ['that a timer can hold', 2 ** 50, 2 ** 31 - 1],
  ])('pings after the welcome, in a rhythm %s', (_name, heartbeatMs, everyMs) => {
    const codec = codecOf()
    expect(codec.heartbeat).toBeUndefined()
    codec.read(JSON.stringify({ ...welcome, heartbeatMs }))
    expect(codec.heartbeat).toEqual({ frame: '{"type":"ping","id":0}', everyMs, timeoutMs: 10_000 })
  })
})
