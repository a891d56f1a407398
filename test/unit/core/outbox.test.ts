import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/core/outbox.ts'

const idsOf = (entries: Iterable<{ id: number }>) => [...entries].map(({ id }) => id)
const filled = (...ids: number[]) => {
  const outbox = new Outbox<{ id: number; bytes: number }>({ count: 9, bytes: 100 })
  for (const id of ids) outbox.add({ id, bytes: 3 })
  return outbox
}

describe('the outbox', () => {
  it.each([
    ['the count', { count: 2, bytes: 100 }, [1, 1], 1, false],
    ['the bytes', { count: 9, bytes: 10 }, [6], 5, false],
    ['neither, to the last byte', { count: 9, bytes: 10 }, [6], 4, true],
    ['a bound of nothing', { count: 0, bytes: 0 }, [], 0, false],
  ] as const)('is bounded by %s', (_, bounds, sizes, next, fits) => {
    const outbox = new Outbox(bounds)
    for (const [id, bytes] of sizes.entries()) outbox.add({ id, bytes })
    expect(outbox.fits(next, 0)).toBe(fits)
  })

  it.each([
    ['nothing waits: the first one always may', [], 60, 90, true],
    ['something waits, and all together is within the bound', [10], 60, 30, true],
    ['something waits, and all together is not', [10], 60, 31, false],
    ['far too much is buffered, which counts as three quarters', [10], 9_999, 15, true],
    ['far too much is buffered, and the rest is taken', [10], 9_999, 16, false],
  ] as const)('counts what the socket has buffered where %s', (_, sizes, buffered, next, fits) => {
    const outbox = new Outbox({ count: 9, bytes: 100 })
    for (const [id, bytes] of sizes.entries()) outbox.add({ id, bytes })
    expect(outbox.fits(next, buffered)).toBe(fits)
  })

  it.each([
    ['one that is larger than all', { count: 9, bytes: 0 }, [], true],
    ['one beside what is within its bounds', { count: 9, bytes: 5 }, [5], true],
    ['none beside what is not', { count: 9, bytes: 5 }, [6], false],
    ['none that is one too many', { count: 1, bytes: 99 }, [1], false],
    ['any number where nothing is to wait', { count: 0, bytes: 99 }, [1, 1], true],
  ] as const)('keeps for its answer %s', (_, bounds, sizes, keeps) => {
    const outbox = new Outbox<{ id: number; bytes: number }>(bounds)
    for (const [id, bytes] of sizes.entries()) {
      const entry = { id, bytes }
      outbox.add(entry)
      outbox.sent(entry)
    }
    expect(outbox.keeps()).toBe(keeps)
  })

  it('knows in which rooms something waits', () => {
    const outbox = new Outbox<{ id: number; bytes: number; room: string }>({ count: 9, bytes: 9 })
    const [a, b] = [
      { id: 1, bytes: 1, room: 'a' },
      { id: 2, bytes: 1, room: 'b' },
    ] as const
    const behind = () => ['a', 'b', undefined].map((room) => outbox.isBehind(room))
    outbox.add(a)
    outbox.add(b)
    expect(behind()).toEqual([true, true, false])
    outbox.sent(a)
    outbox.take(2)
    expect(behind()).toEqual([false, false, false])
    outbox.recall([a])
    expect([behind(), idsOf(outbox.waiting())]).toEqual([[true, false, false], [1]])
    outbox.take(1)
    expect(behind()).toEqual([false, false, false])
  })

  it('keeps the order, gives each entry once, and makes room again', () => {
    const outbox = filled(1, 2, 3)
    expect(idsOf(outbox.waiting())).toEqual([1, 2, 3])
    expect(outbox.take(2)).toEqual({ id: 2, bytes: 3 })
    expect([outbox.take(2), outbox.find(2)]).toEqual([undefined, undefined])
    expect([outbox.size, outbox.fits(94, 0), outbox.fits(95, 0)]).toEqual([2, true, false])
  })

  it('counts what was sent against its bounds until it is answered', () => {
    const outbox = new Outbox({ count: 1, bytes: 9 })
    const entry = { id: 1, bytes: 1 }
    outbox.add(entry)
    outbox.sent(entry)
    expect([outbox.inFlight, [...outbox.waiting()], outbox.fits(1, 0)]).toEqual([1, [], false])
    outbox.take(1)
    expect([outbox.inFlight, outbox.fits(1, 0)]).toEqual([0, true])
  })

  it('recalls what was sent to the place that it had', () => {
    const outbox = filled(1, 2, 3, 4)
    for (const entry of [...outbox.waiting()].slice(0, 3)) outbox.sent(entry)
    outbox.recall(outbox.unanswered().filter(({ id }) => id !== 2))
    expect([idsOf(outbox.waiting()), idsOf(outbox.unanswered())]).toEqual([[1, 3, 4], [2]])
  })

  it('never holds more than its bounds, and is as empty after as before', () => {
    const step = fc.record({ bytes: fc.nat(9), act: fc.constantFrom('send', 'take', 'recall') })
    const property = fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const outbox = new Outbox<{ id: number; bytes: number }>({ count: 5, bytes: 20 })
      for (const [id, { bytes, act }] of steps.entries()) {
        if (outbox.fits(bytes, 0)) outbox.add({ id, bytes })
        const [oldest] = outbox.waiting()
        if (oldest && act === 'send') outbox.sent(oldest)
        if (oldest && act === 'take') outbox.take(oldest.id)
        if (act === 'recall') outbox.recall(outbox.unanswered())
        const all = [...outbox.waiting(), ...outbox.unanswered()]
        const held = all.reduce((sum, entry) => sum + entry.bytes, 0)
        expect([all.length, outbox.size <= 5 && held <= 20]).toEqual([outbox.size, true])
        expect(idsOf(outbox.waiting())).toEqual(idsOf(outbox.waiting()).sort((a, b) => a - b))
      }
      for (const { id } of [...outbox.waiting(), ...outbox.unanswered()]) outbox.take(id)
      expect([outbox.size, outbox.fits(20, 0)]).toEqual([0, true])
    })
    fc.assert(property, { seed: 1 })
  })
})
