import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/core/outbox.ts'

const idsOf = (entries: readonly { id: number }[]) => entries.map(({ id }) => id)
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
    expect(outbox.fits(next)).toBe(fits)
  })

  it('keeps the order, gives each entry once, and makes room again', () => {
    const outbox = filled(1, 2, 3)
    expect(idsOf(outbox.waiting())).toEqual([1, 2, 3])
    expect(outbox.take(2)).toEqual({ id: 2, bytes: 3 })
    expect([outbox.take(2), outbox.find(2)]).toEqual([undefined, undefined])
    expect([outbox.size, outbox.fits(94), outbox.fits(95)]).toEqual([2, true, false])
  })

  it('counts what was sent against its bounds until it is answered', () => {
    const outbox = new Outbox({ count: 1, bytes: 9 })
    const entry = { id: 1, bytes: 1 }
    outbox.add(entry)
    outbox.sent(entry)
    expect([outbox.inFlight, outbox.waiting(), outbox.fits(1)]).toEqual([1, [], false])
    outbox.take(1)
    expect([outbox.inFlight, outbox.fits(1)]).toEqual([0, true])
  })

  it('recalls what was sent to the place that it had', () => {
    const outbox = filled(1, 2, 3, 4)
    for (const entry of outbox.waiting().slice(0, 3)) outbox.sent(entry)
    outbox.recall(outbox.unanswered().filter(({ id }) => id !== 2))
    expect([idsOf(outbox.waiting()), idsOf(outbox.unanswered())]).toEqual([[1, 3, 4], [2]])
  })

  it('never holds more than its bounds, and is as empty after as before', () => {
    const step = fc.record({ bytes: fc.nat(9), act: fc.constantFrom('send', 'take', 'recall') })
    const property = fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const outbox = new Outbox<{ id: number; bytes: number }>({ count: 5, bytes: 20 })
      for (const [id, { bytes, act }] of steps.entries()) {
        if (outbox.fits(bytes)) outbox.add({ id, bytes })
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
      expect([outbox.size, outbox.fits(20)]).toEqual([0, true])
    })
    fc.assert(property, { seed: 1 })
  })
})
