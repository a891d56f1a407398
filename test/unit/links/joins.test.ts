import { describe, expect, it } from 'vitest'
import { Membership } from '../../../src/core/membership.ts'
import { Joins } from '../../../src/links/joins.ts'
import { multiplexed } from '../../../src/protocols/multiplexed.ts'
import { pass, SECOND, sleep, tellStories } from '../../support/story.ts'

tellStories()

const ANSWER_MS = 10 * SECOND

/** The joins of one socket, whose server takes one room a frame, and what became of each. */
const joinsOf = (names: readonly string[]) => {
  const given = new Map<string, number>()
  const unwritten: [room: string, cause: unknown][] = []
  const frames: string[] = []
  const start = Date.now()
  let id = 0
  const joins = new Joins({
    codec: multiplexed().codec({ clientId: '0'.repeat(32) }),
    answerMs: ANSWER_MS,
    nextId: () => ++id,
    write: (frame) => frames.push(frame) > 0,
    unanswered: ({ room }) => given.set(room, (Date.now() - start) / SECOND),
    unwritten: (membership, cause) => {
      joins.forget(membership)
      unwritten.push([membership.room, cause])
    },
  })
  joins.limits = { count: 1, bytes: Number.POSITIVE_INFINITY }
  const rooms = names.map((name) => new Membership(name, undefined))
  for (const room of rooms) joins.want(room)
  const answer = (name: string) => {
    const room = rooms.find((each) => each.room === name)
    if (room) joins.forget(room)
  }
  return { joins, rooms, frames, given, unwritten, answer }
}

/** The thread works for so long: the clock goes on, and neither timers nor frames get a turn. */
const block = sleep

describe('the server has not answered a join', () => {
  it('when its time is over, each by itself', async () => {
    const { joins, given } = joinsOf(['a', 'b'])
    joins.ask()
    await pass(ANSWER_MS - 1)
    expect([...given]).toEqual([])
    await pass(1)
    expect([...given]).toEqual([
      ['a', 10],
      ['b', 10],
    ])
  })

  it('when only later ones are answered: its turn was over', async () => {
    const { joins, given, answer } = joinsOf(['a', 'b', 'c'])
    joins.ask()
    await pass(9 * SECOND)
    answer('c')
    answer('b')
    await pass(SECOND)
    expect([...given]).toEqual([['a', 10]])
  })

  it('when its time is over after a block, and it is silent for a moment more', async () => {
    const { joins, given } = joinsOf(['a'])
    joins.ask()
    await pass(SECOND)
    block(20 * SECOND)
    await pass(9 * SECOND)
    expect([...given]).toEqual([])
    await pass(4 * SECOND)
    expect(given.has('a')).toBe(true)
  })
})

describe('the server may still answer a join', () => {
  it.each([1, 5, 60, 8 * 3_600])(
    'when this thread was blocked for %d s meanwhile',
    async (seconds) => {
      const { joins, given, answer } = joinsOf(['a', 'b'])
      joins.ask()
      await pass(9.5 * SECOND)
      block(seconds * SECOND)
      // What was due rings first. Only then the frames that came meanwhile are read.
      await pass(600)
      answer('a')
      await pass(0)
      answer('b')
      await pass(60 * SECOND)
      expect([...given]).toEqual([])
    },
  )

  it('when this thread is blocked again and again', async () => {
    const { joins, given, answer } = joinsOf(['a'])
    joins.ask()
    for (let n = 0; n < 20; n++) {
      await pass(100)
      block(4 * SECOND)
    }
    await pass(100)
    answer('a')
    await pass(60 * SECOND)
    expect([...given]).toEqual([])
  })

  it('as long as it answers earlier ones: it answers in order', async () => {
    const names = Array.from({ length: 30 }, (_, n) => `room ${n}`)
    const { joins, given, answer } = joinsOf(names)
    joins.ask()
    for (const name of names) {
      await pass(SECOND)
      answer(name)
    }
    await pass(60 * SECOND)
    expect([...given]).toEqual([])
  })

  it('as long as it answers others of the same frame', async () => {
    const names = Array.from({ length: 30 }, (_, n) => `room ${n}`)
    const { joins, given, answer } = joinsOf(names)
    joins.limits = { count: 100, bytes: Number.POSITIVE_INFINITY }
    joins.ask()
    for (const name of names.slice(0, -1)) {
      await pass(SECOND)
      answer(name)
    }
    await pass(9 * SECOND)
    expect([...given]).toEqual([])
    await pass(SECOND)
    expect([...given]).toEqual([['room 29', 39]])
  })
})

describe('a join that cannot be written', () => {
  it('is told with its cause, and holds up no other', () => {
    const { joins, rooms, frames, unwritten } = joinsOf(['a', 'b', 'c'])
    joins.limits = { count: 100, bytes: 10_000 }
    const [, b] = rooms
    // It could be written when it was asked for, and was changed since.
    if (b) b.wish = { params: { since: 1n } }
    joins.ask()
    expect(unwritten).toMatchObject([['b', { message: expect.stringContaining('params.since') }]])
    expect(frames.map((frame) => JSON.parse(frame).rooms)).toEqual([
      [{ room: 'a' }],
      [{ room: 'c' }],
    ])
    expect(joins.wanted.size).toBe(0)
  })
})
