/** What waits to be sent, and the rooms that are wanted. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Memberships } from '../../../src/core/membership.ts'
import { Outbox } from '../../../src/core/outbox.ts'

describe('the outbox', () => {
  it.each([
    ['the count', { count: 2, bytes: 100 }, [1, 1], 1, false],
    ['the bytes', { count: 9, bytes: 10 }, [6], 5, false],
    ['neither, to the last byte', { count: 9, bytes: 10 }, [6], 4, true],
    ['a bound of nothing', { count: 0, bytes: 0 }, [], 0, false],
  ] as const)('is bounded by %s', (_, bounds, sizes, next, fits) => {
    const outbox = new Outbox(bounds)
    for (const [id, bytes] of sizes.entries()) outbox.add({ id, bytes })
    expect(outbox.fits(next)).toBe(fits)
  })

  it('keeps the order, gives each entry once, and makes room again', () => {
    const outbox = new Outbox<{ id: number; bytes: number }>({ count: 3, bytes: 10 })
    for (const id of [7, 3, 5]) outbox.add({ id, bytes: 3 })
    expect(outbox.entries().map(({ id }) => id)).toEqual([7, 3, 5])
    expect([outbox.size, outbox.fits(1)]).toEqual([3, false])
    expect(outbox.take(3)).toEqual({ id: 3, bytes: 3 })
    expect(outbox.take(3)).toBeUndefined()
    expect([outbox.size, outbox.fits(4), outbox.fits(5)]).toEqual([2, true, false])
  })

  it('never holds more than its bounds, and is as empty after as before', () => {
    const sizes = fc.array(fc.record({ bytes: fc.nat(9), take: fc.boolean() }), { maxLength: 50 })
    const property = fc.property(sizes, (steps) => {
      const outbox = new Outbox<{ id: number; bytes: number }>({ count: 5, bytes: 20 })
      for (const [id, { bytes, take }] of steps.entries()) {
        if (outbox.fits(bytes)) outbox.add({ id, bytes })
        const [oldest] = outbox.entries()
        if (take && oldest) outbox.take(oldest.id)
        const held = outbox.entries().reduce((sum, entry) => sum + entry.bytes, 0)
        expect(outbox.size <= 5 && held <= 20).toBe(true)
      }
      for (const { id } of outbox.entries()) outbox.take(id)
      expect([outbox.size, outbox.fits(20)]).toEqual([0, true])
    })
    fc.assert(property, { seed: 1 })
  })
})

describe('memberships', () => {
  const wanting = (...rooms: string[]) => {
    const memberships = new Memberships()
    for (const room of rooms) memberships.want({ room })
    return memberships
  }

  it('are wanted, asked for once, joined, and wanted again after an interruption', () => {
    const rooms = wanting('a')
    expect(rooms.stateOf('a')).toBe('wanted')
    expect(rooms.ask(10)).toEqual([[{ room: 'a' }]])
    expect([rooms.ask(10), rooms.stateOf('a')]).toEqual([[], 'asked'])
    expect([rooms.joined('a'), rooms.stateOf('a')]).toEqual([true, 'joined'])
    rooms.interrupted()
    expect(rooms.ask(10)).toEqual([[{ room: 'a' }]])
  })

  it('are not left or forgotten by an interruption', () => {
    const rooms = wanting('a', 'b')
    rooms.joined('b')
    rooms.interrupted()
    rooms.forget('a')
    expect([rooms.rooms(), rooms.stateOf('a'), rooms.stateOf('b')]).toEqual([
      ['b'],
      undefined,
      'wanted',
    ])
  })

  it('are joined only where somebody wants them', () => {
    const rooms = wanting()
    expect([rooms.joined('x'), rooms.stateOf('x')]).toEqual([false, undefined])
  })

  it('keep what they were first wanted with', () => {
    const rooms = wanting()
    rooms.want({ room: 'a', params: 1 })
    rooms.want({ room: 'a', params: 2 })
    expect(rooms.ask(1)).toEqual([[{ room: 'a', params: 1 }]])
  })

  it.each([
    [1, [1, 1, 1, 1, 1]],
    [2, [2, 2, 1]],
    [5, [5]],
    [99, [5]],
  ])('are asked for in batches of %d', (perFrame, sizes) => {
    const batches = wanting('a', 'b', 'c', 'd', 'e').ask(perFrame)
    expect(batches.map(({ length }) => length)).toEqual(sizes)
    expect(batches.flat().map(({ room }) => room)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it.each(['__proto__', 'constructor', '', 'ä/…'])('take the name %j as any other', (name) => {
    const rooms = wanting()
    expect(rooms.stateOf(name)).toBeUndefined()
    rooms.want({ room: name })
    expect([rooms.stateOf(name), rooms.rooms()]).toEqual(['wanted', [name]])
  })
})
