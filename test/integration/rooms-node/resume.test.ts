import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RoomsClient } from '../../support/rooms-client.ts'
import { dial, dialInto, newRoom, openStage, pause, STORES, type Stage } from './support.ts'

const PATIENCE = { timeout: 30_000 }

const dataOf = (messages: readonly { data: unknown }[] | undefined): unknown[] | undefined =>
  messages?.map(({ data }) => data)

const numbers = (count: number, first = 1): number[] =>
  Array.from({ length: count }, (_, index) => first + index)

describe.each(STORES)('with rooms in %s, a join that resumes', (store) => {
  let stage: Stage
  let room: string
  let bob: RoomsClient
  let epoch: string

  /** bob says 1, 2, 3 …, so that each is its own `seq`. */
  const say = async (...data: number[]): Promise<void> => {
    for (const each of data) await bob.sent(room, each)
  }

  beforeAll(async () => {
    stage = await openStage(store)
  })
  beforeEach(async () => {
    stage.server.reset()
    stage.other.reset()
    room = newRoom()
    bob = await dialInto(stage.server, room, { user: 'bob' })
    epoch = bob.told(room)?.epoch ?? ''
  })
  afterAll(() => stage.close())

  it('gets what it missed, in order, and then what is new', async () => {
    await say(...numbers(5))
    const alice = await dial(stage.other)
    const joined = await alice.join(room, { resume: { epoch, seq: 2 } })
    expect(joined).toMatchObject({ epoch, seq: 5, recovered: true })
    expect(dataOf(joined.messages)).toEqual([3, 4, 5])
    expect(joined.messages?.[0]).toEqual({
      seq: 3,
      from: 'bob',
      clientId: bob.clientId,
      n: 3,
      at: expect.any(Number),
      data: 3,
    })
    await say(6)
    expect(dataOf(await alice.heard(1))).toEqual([6])
  })

  it('that missed nothing is recovered, however long ago', async () => {
    await say(1)
    stage.other.settings({ resumeWindowMs: 0 })
    await pause(20)
    const alice = await dial(stage.other)
    const joined = await alice.join(room, { resume: { epoch, seq: 1 } })
    expect(joined).toMatchObject({ seq: 1, recovered: true, messages: [] })
  })

  it('beyond the window is not recovered', async () => {
    await say(1, 2, 3)
    stage.other.settings({ resumeWindowMs: 300 })
    await pause(400)
    const alice = await dial(stage.other)
    const joined = await alice.join(room, { resume: { epoch, seq: 1 } })
    expect(joined).toMatchObject({ epoch, seq: 3, recovered: false })
    expect(joined.messages).toBeUndefined()
    await say(4)
    expect(dataOf(await alice.heard(1))).toEqual([4])
  })

  it.each([
    ['of another epoch', () => ({ epoch: 'of yesterday', seq: 1 })],
    ['beyond the last message', () => ({ epoch, seq: 4 })],
    ['far beyond', () => ({ epoch, seq: Number.MAX_SAFE_INTEGER })],
  ])('%s is not recovered', async (_, resumeOf) => {
    await say(1, 2, 3)
    const alice = await dial(stage.other)
    const joined = await alice.join(room, { resume: resumeOf() })
    expect(joined).toMatchObject({ epoch, seq: 3, recovered: false })
    expect(joined.messages).toBeUndefined()
    await say(4)
    expect(dataOf(await alice.heard(1))).toEqual([4])
  })

  it('gets the rest as messages where it does not fit, while the room goes on', async () => {
    const filler = 'x'.repeat(20_000)
    const count = 250
    stage.server.settings({ inFlight: 1_000 })
    await Promise.all(numbers(count).map((n) => bob.sent(room, { n, filler })))
    const alice = await dial(stage.other)
    const more = Promise.all(numbers(50, count + 1).map((n) => bob.sent(room, { n, filler })))
    const joined = await alice.join(room, { resume: { epoch, seq: 0 } })
    expect(joined.recovered).toBe(true)
    const first = joined.messages ?? []
    expect(joined.seq).toBe(first.length)
    expect(JSON.stringify(joined).length).toBeLessThan(400_000)
    await more
    const rest = await alice.heard(count + 50 - first.length)
    const all = [...first, ...rest].map(({ data }) => (data as { n: number }).n)
    expect(all).toEqual(numbers(count + 50))
  })

  it('gets many small ones whole as well', async () => {
    stage.server.settings({ inFlight: 1_000 })
    await Promise.all(numbers(700).map((n) => bob.sent(room, n)))
    const alice = await dial(stage.other)
    const { messages = [] } = await alice.join(room, { resume: { epoch, seq: 0 } })
    const rest = await alice.heard(700 - messages.length)
    expect(dataOf([...messages, ...rest])).toEqual(numbers(700))
  })

  it('of a room that it is in starts from the given point', async () => {
    await say(1, 2, 3)
    // Its own copies may come after the answers, and what has not come yet stands in `joined`.
    await bob.heard(3)
    const joined = await bob.join(room, { resume: { epoch, seq: 1 } })
    expect(joined).toMatchObject({ seq: 3, recovered: true })
    expect(dataOf(joined.messages)).toEqual([2, 3])
    await say(4)
    expect(dataOf(await bob.heard(4))).toEqual([1, 2, 3, 4])
  })

  it('and several others in one frame are answered one by one', async () => {
    await say(1)
    const alice = await dial(stage.other)
    const id = alice.send({
      type: 'join',
      rooms: [{ room: newRoom() }, { room: 'forbidden' }, { room, resume: { epoch, seq: 0 } }],
    })
    const refused = await alice.take('error', (frame) => frame.room === 'forbidden')
    expect(refused).toMatchObject({ id, code: 'forbidden' })
    expect(await alice.take('joined', (frame) => frame.room === room)).toMatchObject({ id, seq: 1 })
    expect(await alice.take('joined')).toMatchObject({ id, seq: 0, recovered: false })
    await alice.settled()
    expect(alice.frames).toEqual([])
  })
})

describe.each(STORES)('with rooms in %s, a member', (store) => {
  let stage: Stage
  let room: string
  beforeAll(async () => {
    stage = await openStage(store)
  })
  beforeEach(() => {
    stage.server.reset()
    stage.other.reset()
    room = newRoom()
  })
  afterAll(() => stage.close())

  it.each([
    ['', {}],
    [', as if it resumed an epoch that is over,', { resume: { epoch: 'over', seq: 5 } }],
  ])(
    'that joins again%s while others write misses nothing and gets nothing twice',
    async (_, how) => {
      stage.server.settings({ inFlight: 1_000 })
      const alice = await dialInto(stage.other, room)
      const bob = await dialInto(stage.server, room, { user: 'bob' })
      const writing = Promise.all(numbers(300).map((n) => bob.sent(room, n)))
      for (const _ of numbers(20)) expect((await alice.join(room, how)).recovered).toBe(false)
      await writing
      expect(dataOf(await alice.heard(300))).toEqual(numbers(300))
    },
  )

  it('that comes while others write hears all that follows its number', async () => {
    stage.server.settings({ inFlight: 1_000 })
    const first = await dialInto(stage.other, room)
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    const comers = await Promise.all(numbers(20).map(() => dial(stage.other)))
    const writing = Promise.all(numbers(400).map((n) => bob.sent(room, n)))
    for (const comer of comers) {
      const { seq } = await comer.join(room)
      const [next] = await Promise.race([comer.heard(1), writing.then(() => [])])
      if (next) expect(next.seq).toBe(seq + 1)
    }
    await writing
    await first.heard(400)
    for (const comer of comers) await expect.poll(() => comer.told(room)?.seq, PATIENCE).toBe(400)
  })

  it('is woken for what others say, and need not look', async () => {
    stage.other.settings({ catchUpMs: 60_000 })
    const alice = await dialInto(stage.other, room)
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    await bob.sent(room, 1)
    expect(dataOf(await alice.heard(1))).toEqual([1])
  })

  it('that left hears nothing more', async () => {
    stage.server.settings({ inFlight: 1_000 })
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    const alice = await dialInto(stage.other, room)
    const writing = Promise.all(numbers(200).map((n) => bob.sent(room, n)))
    await alice.heard(1)
    expect(await alice.ask({ type: 'leave', room })).toMatchObject({ type: 'ok' })
    const heard = alice.messages.length
    await writing
    await alice.settled()
    expect(alice.messages.length).toBe(heard)
  })

  it('is told when the room counts anew, and goes on there', async () => {
    const alice = await dialInto(stage.other, room)
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    await bob.sent(room, 'old')
    await alice.heard(1)
    const before = bob.told(room)?.epoch
    await stage.server.forgetRooms()
    const anew = await Promise.all([bob.take('joined'), alice.take('joined')])
    const epoch = anew[0].epoch
    expect(epoch).not.toBe(before)
    for (const frame of anew) {
      expect(frame).toEqual({ type: 'joined', room, epoch, seq: 0, recovered: false })
    }
    expect(await bob.ask(bob.say(room, 'x', { epoch: before ?? '', n: 1 }))).toMatchObject({
      code: 'stale-epoch',
    })
    expect(await bob.sent(room, 'new')).toMatchObject({ seq: 1 })
    expect(dataOf(await alice.heard(2))).toEqual(['old', 'new'])
  })
})

describe.each(STORES)('with rooms in %s, history', (store) => {
  let stage: Stage
  let room: string
  let alice: RoomsClient
  beforeAll(async () => {
    stage = await openStage(store)
  })
  beforeEach(async () => {
    stage.server.reset()
    room = newRoom()
    alice = await dialInto(stage.server, room)
  })
  afterAll(() => stage.close())

  const history = async (limit: number, before?: number) => {
    const answer = await alice.ask({ type: 'history', room, limit, before })
    if (answer.type !== 'history') return answer
    const { messages, ...rest } = answer
    return { ...rest, data: dataOf(messages) }
  }

  it.each<[string, [limit: number, before?: number], unknown[], boolean]>([
    ['the newest', [2], [4, 5], true],
    ['all there are', [5], [1, 2, 3, 4, 5], false],
    ['no more than there are', [100], [1, 2, 3, 4, 5], false],
    ['those before a number', [2, 4], [2, 3], true],
    ['the oldest', [2, 3], [1, 2], false],
    ['none before the first', [2, 1], [], false],
    ['none before 0', [2, 0], [], false],
    ['the newest before a number that was never given', [1, Number.MAX_SAFE_INTEGER], [5], true],
  ])('is %s, oldest first', async (_, [limit, before], data, more) => {
    for (const each of numbers(5)) await alice.sent(room, each)
    const { epoch } = alice.told(room) ?? {}
    expect(await history(limit, before)).toMatchObject({ type: 'history', room, epoch, data, more })
  })

  it('of an empty room is empty', async () => {
    expect(await history(10)).toMatchObject({ data: [], more: false })
  })

  it('needs a join, and keeps its limit', async () => {
    expect(await history(101)).toMatchObject({ type: 'error', room, code: 'bad-frame' })
    await alice.ask({ type: 'leave', room })
    expect(await history(1)).toMatchObject({ type: 'error', room, code: 'not-joined' })
  })
})
