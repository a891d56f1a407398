import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { multiplexed } from '../../../src/protocols/multiplexed.ts'
import type { Codec } from '../../../src/protocols/protocol.ts'

const clientId = '0123456789abcdef'.repeat(2)
const codecOf = (): Codec => multiplexed().codec({ clientId })
const written = (frame: string | ArrayBuffer | undefined): unknown => JSON.parse(String(frame))

describe('multiplexed()', () => {
  it.each<[string, (codec: Codec) => string | ArrayBuffer | undefined, unknown]>([
    [
      'send',
      (codec) => codec.send('lobby', { text: 'hi' }, 7),
      { type: 'send', id: 7, room: 'lobby', clientId, n: 7, data: { text: 'hi' } },
    ],
    [
      'send to a room that needs escapes',
      (codec) => codec.send('"}\n\ud800\u2028', null, 7),
      { type: 'send', id: 7, room: '"}\n\ud800\u2028', clientId, n: 7, data: null },
    ],
    [
      'join',
      (codec) => codec.join?.([{ room: 'a', params: { since: 1 } }, { room: '__proto__' }], 1),
      { type: 'join', id: 1, rooms: [{ room: 'a', params: { since: 1 } }, { room: '__proto__' }] },
    ],
    [
      'join that resumes and shows itself',
      (codec) => codec.join?.([{ room: 'a', presence: {}, resume: { epoch: 'e"', seq: 3 } }], 1),
      {
        type: 'join',
        id: 1,
        rooms: [{ room: 'a', presence: {}, resume: { epoch: 'e"', seq: 3 } }],
      },
    ],
    [
      'send as it goes out',
      (codec) => codec.complete?.(String(codec.send('a', {}, 7)), '"e"'),
      { type: 'send', id: 7, room: 'a', clientId, n: 7, data: {}, epoch: '"e"' },
    ],
    [
      'history',
      (codec) => codec.history?.('a', { limit: 5, before: 9 }, 3),
      { type: 'history', id: 3, room: 'a', before: 9, limit: 5 },
    ],
    [
      'history from now on',
      (codec) => codec.history?.('a', { limit: 5 }, 3),
      { type: 'history', id: 3, room: 'a', limit: 5 },
    ],
    ['leave', (codec) => codec.leave?.('a', 2), { type: 'leave', id: 2, room: 'a' }],
    [
      'call',
      (codec) => codec.call?.('order.place', [1], 4),
      { type: 'call', id: 4, method: 'order.place', data: [1] },
    ],
    [
      'call of nothing',
      (codec) => codec.call?.('now', undefined, 4),
      { type: 'call', id: 4, method: 'now' },
    ],
  ])('writes %s', (_name, write, frame) => {
    expect(written(write(codecOf()))).toEqual(frame)
  })

  it('numbers its dials, and names itself', () => {
    const codec = codecOf()
    const dialed = [1, 2].map(() => {
      const url = new URL('wss://x.test/ws?a=1')
      codec.address?.(url, ['lobby'])
      return url.search
    })
    expect(dialed).toEqual([1, 2].map((n) => `?a=1&client=${clientId}&connection=${n}`))
  })

  it.each<[string, string[], string[]]>([
    ['names', ['a', 'b&c', 'ä'], ['a', 'b&c', 'ä']],
    [
      'as many as fit into 1,024 bytes',
      ['a'.repeat(500), 'b'.repeat(512), 'c'],
      ['a'.repeat(500), 'b'.repeat(512)],
    ],
    ['no more', ['a'.repeat(500), 'b'.repeat(513), 'c'], ['a'.repeat(500)]],
  ])('joins rooms in the URL: %s', (_, rooms, named) => {
    const codec = multiplexed({ joinInUrl: true }).codec({ clientId })
    const url = new URL('wss://x.test/ws')
    expect(codec.address?.(url, rooms)).toEqual(named)
    expect(url.searchParams.getAll('join')).toEqual(named)
  })

  it('writes any data as JSON.stringify would', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.nat(), (room, data, id) => {
        const plainly = JSON.stringify({ type: 'send', id, room, clientId, n: id, data })
        expect(codecOf().send(room, data, id)).toBe(plainly)
      }),
    )
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a BigInt', 1n],
    ['a cycle', cycle],
    ['a buffer, which would arrive as {}', new ArrayBuffer(1)],
    ['a view', new Uint8Array(1)],
  ])('refuses to send %s', (_name, data) => {
    expect(() => codecOf().send('lobby', data, 1)).toThrow(TypeError)
  })

  it('refuses to send without a room, and params and calls that have no JSON', () => {
    expect(() => codecOf().send(undefined, 1, 1)).toThrow(/socket\.room\(name\)/)
    expect(() => codecOf().join?.([{ room: 'a', params: cycle }], 1)).toThrow(TypeError)
    expect(() => codecOf().call?.('a', 1n, 1)).toThrow(TypeError)
  })
})
