import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchesOf, type Joined, Membership } from '../../../src/core/membership.ts'

const joinedAt = (seq: number, epoch = 'e') => {
  const membership = new Membership('lobby', undefined)
  membership.joined({ epoch, seq })
  return membership
}

describe('a membership', () => {
  it('is new the first time, wherever the room stands', () => {
    const membership = new Membership('lobby', undefined)
    expect(membership.joined({ epoch: 'e', seq: 41 })).toBe('new')
    expect([membership.state, membership.epoch, membership.seq]).toEqual(['joined', 'e', 41])
  })

  it.each<[string, Joined, unknown, number]>([
    ['nothing was sent', { epoch: 'e', seq: 5 }, 'recovered', 5],
    ['the missed messages come along', { epoch: 'e', seq: 9, recovered: true }, 'recovered', 5],
    ['the server keeps less', { epoch: 'e', seq: 9 }, { reason: 'window', missed: 4 }, 9],
    ['the room counts anew', { epoch: 'f', seq: 9 }, { reason: 'epoch' }, 9],
    [
      'it counts anew and says recovered',
      { epoch: 'f', seq: 9, recovered: true },
      { reason: 'epoch' },
      9,
    ],
    ['it has less than was seen', { epoch: 'e', seq: 4, recovered: true }, { reason: 'epoch' }, 4],
    ['the server does not count', {}, { reason: 'no-recovery' }, 5],
  ])('that comes back, %s', (_, joined, comes, seq) => {
    const membership = joinedAt(5)
    expect(membership.joined(joined)).toEqual(comes)
    expect([membership.state, membership.seq]).toEqual(['joined', seq])
  })

  it('of a server that does not count misses messages at every return', () => {
    const membership = new Membership('lobby', undefined)
    expect([membership.joined({}), membership.joined({})]).toEqual([
      'new',
      { reason: 'no-recovery' },
    ])
  })

  it('takes each message once, and sees what was left out', () => {
    const membership = joinedAt(5)
    expect([6, 6, 5, 7, 9, 8, 10].map((seq) => membership.received(seq))).toEqual([
      'next',
      'seen',
      'seen',
      'next',
      'hole',
      'seen',
      'next',
    ])
  })
})

describe('joins', () => {
  const sized = (entries: readonly number[], count: number, bytes: number) => [
    ...batchesOf(entries, { count, bytes }, (size) => size),
  ]

  it.each([
    [1, 99, [[1], [2], [3], [4]]],
    [
      2,
      99,
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [9, 99, [[1, 2, 3, 4]]],
    [9, 6, [[1, 2, 3], [4]]],
    [9, 5, [[1, 2], [3], [4]]],
    [9, 2, [[1], [2], [3], [4]]],
  ])('of %d rooms and %d bytes a frame', (count, bytes, batches) => {
    expect(sized([1, 2, 3, 4], count, bytes)).toEqual(batches)
  })

  it('hold every room once, in order, and are as few as fit in order', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 1, max: 9 })),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 9, max: 30 }),
      (entries, count, bytes) => {
        const batches = sized(entries, count, bytes)
        expect(batches.flat()).toEqual(entries)
        const total = (batch: readonly number[]) => batch.reduce((sum, size) => sum + size, 0)
        for (const [i, batch] of batches.entries()) {
          expect(batch.length <= count && total(batch) <= bytes).toBe(true)
          const next = batches[i + 1]?.[0]
          if (next !== undefined)
            expect(batch.length === count || total(batch) + next > bytes).toBe(true)
        }
      },
    )
    fc.assert(property, { seed: 1 })
  })
})

describe('the answer to a join', () => {
  it.each([
    ['its own', 7, true, true],
    ['one that was asked before it was left and wanted again', 6, false, false],
    ['one of a server that tells no ids', undefined, true, true],
    ['what nobody asked for', 0, false, false],
  ])('is %s', (_, id, answered, refused) => {
    const membership = new Membership('lobby', undefined)
    membership.state = 'asked'
    membership.askedBy = 7
    expect([membership.isAnsweredBy(id), membership.isRefusedBy(id)]).toEqual([answered, refused])
  })

  it('that changes a joined room is taken, whoever asked; an error about a send there is no refusal', () => {
    const membership = joinedAt(5)
    expect([membership.isAnsweredBy(3), membership.isRefusedBy(3)]).toEqual([true, false])
  })
})
