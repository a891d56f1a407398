import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newClientId } from '../../support/rooms-client.ts'
import { type Caller, dial, dialInto, newRoom, openStage, STORES, type Stage } from './support.ts'

describe.each(STORES)('a send, with rooms in %s', (store) => {
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

  it('is numbered and goes to everybody, the sender too', async () => {
    const alice = await dialInto(stage.server, room)
    const bob = await dialInto(stage.other, room, { user: 'bob' })
    const data = { text: 'hi', nothing: null, 'ünï/"\\': [1, 0.1, '\u2028', '\ud800'] }
    expect(await alice.sent(room, data, { n: 7 })).toEqual({
      type: 'ok',
      id: expect.any(Number),
      seq: 1,
    })
    const message = {
      type: 'message',
      room,
      seq: 1,
      from: 'alice',
      clientId: alice.clientId,
      n: 7,
      at: expect.any(Number),
      data,
    }
    expect(await alice.heard(1)).toEqual([message])
    expect(await bob.heard(1)).toEqual([message])
    const at = bob.messages[0]?.at ?? 0
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000)
    expect((await dial(stage.server).then((late) => late.join(room))).seq).toBe(1)
  })

  it.each([
    ['null', null],
    ['', ''],
    ['__proto__', JSON.parse('{"__proto__":1}')],
  ])('carries %j as it is', async (_, data) => {
    const alice = await dialInto(stage.server, room)
    await alice.sent(room, data)
    const [message] = await alice.heard(1)
    expect(JSON.stringify(message?.data)).toBe(JSON.stringify(data))
  })

  it('that is volatile is numbered and delivered like every other', async () => {
    const alice = await dialInto(stage.server, room)
    const bob = await dialInto(stage.other, room, { user: 'bob' })
    await alice.ask({ ...alice.say(room, 'cursor'), volatile: true } as never)
    expect(await bob.heard(1)).toMatchObject([{ seq: 1, data: 'cursor' }])
  })

  it('that is repeated is delivered once, over reconnects and on another server too', async () => {
    const client = newClientId()
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    const first = await dialInto(stage.server, room, { client, connection: 1 })
    await first.sent(room, 'x', { n: 1 })
    expect(await first.sent(room, 'x', { n: 1 })).toMatchObject({ seq: 1 })
    first.cut()
    for (const connection of [2, 3]) {
      const next = await dialInto(stage.other, room, { client, connection })
      // `data` is not compared: it is the same message by its id alone.
      expect(await next.sent(room, 'something else', { n: 1 })).toMatchObject({ seq: 1 })
    }
    const last = await dialInto(stage.other, room, { client, connection: 4 })
    expect(await last.sent(room, 'y', { n: 2 })).toMatchObject({ seq: 2 })
    expect((await bob.heard(2)).map(({ data }) => data)).toEqual(['x', 'y'])
  })

  it('that is repeated on two connections at once gets one number', async () => {
    const client = newClientId()
    const both = await Promise.all([
      dialInto(stage.server, room, { client }),
      dialInto(stage.other, room, { client }),
    ])
    const numbers = Array.from({ length: 50 }, (_, n) => n)
    for (const n of numbers) {
      const answers = await Promise.all(both.map((each) => each.sent(room, n, { n })))
      expect(answers.map(({ seq }) => seq)).toEqual([n + 1, n + 1])
    }
    expect((await both[0].heard(50)).map(({ data }) => data)).toEqual(numbers)
  })

  it('may skip and go back in its numbers: only the same one is a repetition', async () => {
    const alice = await dialInto(stage.server, room)
    for (const [index, n] of [5, 9_007_199_254_740_991, 3, 0].entries()) {
      expect(await alice.sent(room, n, { n })).toMatchObject({ seq: index + 1 })
    }
    expect(await alice.sent(room, 0, { n: 3 })).toMatchObject({ seq: 3 })
  })

  it("does not let one user occupy another's message ids", async () => {
    const client = newClientId()
    const bob = await dialInto(stage.server, room, { user: 'bob', client })
    const alice = await dialInto(stage.server, room, { client })
    await bob.sent(room, 'stolen', { n: 1 })
    expect(await alice.sent(room, 'mine', { n: 1 })).toMatchObject({ seq: 2 })
  })

  it('that was refused may be tried again under the same id', async () => {
    const alice = await dialInto(stage.server, room)
    stage.server.settings({ sendsPerSecond: 0 })
    expect(await alice.ask(alice.say(room, 'x', { n: 1 }))).toMatchObject({ code: 'rate-limited' })
    stage.server.settings({ sendsPerSecond: null })
    expect(await alice.sent(room, 'x', { n: 1 })).toMatchObject({ seq: 1 })
    await alice.heard(1)
  })

  it('needs a join before, and the clientId of the handshake', async () => {
    const client = newClientId()
    const alice = await dial(stage.server, { client })
    const where = { room, id: expect.any(Number) }
    const early = await alice.ask(alice.say(room, 'x', { epoch: 'e' }))
    expect(early).toMatchObject({ ...where, code: 'not-joined' })
    await alice.join(room)
    const foreign = await alice.ask({ ...alice.say(room, 'x'), clientId: newClientId() } as never)
    expect(foreign).toMatchObject({ ...where, code: 'bad-frame' })
    await alice.ask({ type: 'leave', room })
    const late = await alice.ask(alice.say(room, 'x', { epoch: 'e' }))
    expect(late).toMatchObject({ ...where, code: 'not-joined' })
  })

  it('under another epoch is stale, and not stored', async () => {
    const alice = await dialInto(stage.server, room)
    const stale = await alice.ask(alice.say(room, 'x', { epoch: 'of yesterday', n: 1 }))
    expect(stale).toMatchObject({ type: 'error', room, code: 'stale-epoch' })
    expect(await alice.sent(room, 'x', { n: 1 })).toMatchObject({ seq: 1 })
  })

  it('follows the join before it, and those before it, without waiting for any answer', async () => {
    stage.server.settings({ inFlight: 1_000 })
    const { epoch } = await dial(stage.server).then((each) => each.join(room))
    const alice = await dial(stage.server)
    const join = alice.send({ type: 'join', rooms: [{ room }] })
    const sends = Array.from({ length: 300 }, (_, n) => alice.send(alice.say(room, n, { epoch })))
    const leave = alice.send({ type: 'leave', room })
    expect(await alice.take('joined')).toMatchObject({ id: join, seq: 0 })
    const isLeft = (frame: { id: number }): boolean => frame.id === leave
    await alice.take('ok', isLeft)
    for (const [index, id] of sends.entries()) {
      expect(await alice.take('ok', (frame) => frame.id === id)).toMatchObject({ seq: index + 1 })
    }
  })
})

describe.each(STORES)('the fence, with rooms in %s', (store) => {
  let stage: Stage
  let room: string
  beforeAll(async () => {
    stage = await openStage(store)
  })
  beforeEach(() => {
    room = newRoom()
  })
  afterAll(() => stage.close())

  it('refuses sends of an earlier connection once a later one is welcomed, on any server', async () => {
    const client = newClientId()
    const first = await dialInto(stage.server, room, { client, connection: 1 })
    await first.sent(room, 'a', { n: 1 })
    const second = await dialInto(stage.other, room, { client, connection: 2 })
    const refusal = { type: 'error', room, code: 'superseded' }
    expect(await first.ask(first.say(room, 'b', { n: 2 }))).toMatchObject(refusal)
    // A repetition too: what it is told must come on the connection that asks now.
    expect(await first.ask(first.say(room, 'a', { n: 1 }))).toMatchObject(refusal)
    expect(await second.sent(room, 'b', { n: 2 })).toMatchObject({ seq: 2 })
    // It still hears, and may do everything else.
    expect((await first.heard(2)).map(({ data }) => data)).toEqual(['a', 'b'])
    expect(await first.ask({ type: 'leave', room })).toMatchObject({ type: 'ok' })
  })

  it('does not fall when a lower number comes later', async () => {
    const client = newClientId()
    const later = await dialInto(stage.server, room, { client, connection: 10 })
    const late = await dialInto(stage.other, room, { client, connection: 9 })
    expect(await late.ask(late.say(room, 'x'))).toMatchObject({ code: 'superseded' })
    expect(await later.sent(room, 'x', { n: 1 })).toMatchObject({ seq: 1 })
  })

  it.each<[string, (client: string) => Caller]>([
    ['another client of the user', () => ({ client: newClientId(), connection: 1 })],
    ['another user with the same client', (client) => ({ user: 'bob', client, connection: 1 })],
    ['a connection that says no number', (client) => ({ client })],
  ])('is no matter of %s', async (_, callerWith) => {
    const client = newClientId()
    const bystander = await dialInto(stage.server, room, callerWith(client))
    await dial(stage.server, { client, connection: 2 })
    expect(await bystander.sent(room, 'x')).toMatchObject({ seq: 1 })
  })

  it.each(['0', '-1', '1.5', 'x', ''])('takes connection=%s for none', async (connection) => {
    const client = newClientId()
    await dial(stage.server, { client, connection: 2 })
    const alice = await dialInto(stage.server, room, {
      client,
      connection,
    })
    expect(await alice.sent(room, 'x')).toMatchObject({ seq: 1 })
  })
})
