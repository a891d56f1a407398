import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { newClientId, RoomsClient } from '../../support/rooms-client.ts'
import { dial, dialInto, newRoom, onRedis, pause, type Stage, watch } from './support.ts'

let redis: TestRedis
let stage: Stage
beforeAll(async () => {
  redis = await startRedis()
  stage = await onRedis(redis)
})
afterAll(() => stage.close())

const PATIENCE = { timeout: 30_000 }
const UNAVAILABLE = {
  type: 'error',
  code: 'unavailable',
  retryAfterMs: expect.any(Number),
}

/** Redis was away; the servers have to find it again before anything can be asked. */
async function reachable(server: ReferenceServer): Promise<void> {
  const client = await dial(server)
  const room = newRoom()
  const join = () => client.ask({ type: 'join', rooms: [{ room }] })
  await expect.poll(async () => (await join()).type, PATIENCE).toBe('joined')
}

describe('a Redis that restarts', () => {
  it('gives rooms a new epoch, of which every member on every server is told', async () => {
    const room = newRoom()
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    const alice = await dialInto(stage.other, room)
    const quiet = await dialInto(stage.other, newRoom())
    await bob.sent(room, 'old')
    await alice.heard(1)
    const before = alice.told(room)
    await redis.restart()
    const told = await Promise.all([bob, alice].map((each) => each.take('joined')))
    for (const frame of told) {
      expect(frame).toEqual({
        type: 'joined',
        room,
        epoch: alice.told(room)?.epoch,
        seq: 0,
        recovered: false,
      })
    }
    expect(alice.told(room)?.epoch).not.toBe(before?.epoch)
    expect(await quiet.take('joined')).toMatchObject({ seq: 0, recovered: false })

    // A send that was written before may be in the lost part: nobody can know.
    const repeated = bob.say(room, 'old', { epoch: before?.epoch ?? '', n: 1 })
    expect(await bob.ask(repeated)).toMatchObject({ type: 'error', room, code: 'stale-epoch' })
    expect(await bob.sent(room, 'new')).toMatchObject({ seq: 1 })
    expect((await alice.heard(2)).map(({ data }) => data)).toEqual(['old', 'new'])

    const late = await dial(stage.server)
    const resume = { epoch: before?.epoch ?? '', seq: 1 }
    expect(await late.join(room, { resume })).toMatchObject({ seq: 1, recovered: false })
  })

  it('brings those back who are shown', async () => {
    const room = newRoom()
    const alice = await dial(stage.server, { client: newClientId() })
    await alice.join(room, { presence: { a: 1 } })
    await redis.restart()
    const { members, version } = await alice.take('joined')
    expect(members).toEqual([{ user: 'alice', clientId: alice.clientId, data: { a: 1 } }])
    const bob = await dial(stage.other, { user: 'bob', client: newClientId() })
    await reachable(stage.other)
    await bob.join(room, { presence: {} })
    expect(await alice.take('presence')).toMatchObject({ version: (version ?? 0) + 1 })
  })

  it('loses nothing that was said under the new epoch before a server noticed', async () => {
    const room = newRoom()
    const alice = await dialInto(stage.other, room)
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    // Nobody looks by himself now: the first that is noticed is the answer to a send.
    for (const server of [stage.server, stage.other]) server.settings({ catchUpMs: 60_000 })
    await redis.flush()
    expect(await bob.ask(bob.say(room, 'x'))).toMatchObject({ code: 'stale-epoch' })
    await bob.take('joined')
    for (const data of [1, 2, 3]) await bob.sent(room, data)
    expect(await alice.take('joined')).toMatchObject({ seq: 0, recovered: false })
    expect((await alice.heard(3)).map(({ data }) => data)).toEqual([1, 2, 3])
    for (const server of [stage.server, stage.other]) server.reset()
  })
})

describe('a Redis that keeps its data', () => {
  it('counts anew after a restart all the same: its disk may lack what was acknowledged', async () => {
    const own = await onRedis(await startRedis({ keepsData: true }))
    onTestFinished(() => own.close())
    const room = newRoom()
    const alice = await dialInto(own.server, room)
    const epoch = alice.told(room)?.epoch ?? ''
    await alice.sent(room, 'old')
    await own.redis?.restart()
    expect(await alice.take('joined')).toMatchObject({ room, seq: 0, recovered: false })
    expect(alice.told(room)?.epoch).not.toBe(epoch)
    await reachable(own.other)
    const late = await dial(own.other)
    const joined = await late.join(room, { resume: { epoch, seq: 0 } })
    expect(joined).toMatchObject({ seq: 0, recovered: false })
    expect(await late.ask({ type: 'history', room, limit: 9 })).toMatchObject({ messages: [] })
  })
})

describe('a Redis that does not answer', () => {
  it('is said so, and asked again later; connections stay', async () => {
    const room = newRoom()
    const alice = await dialInto(stage.server, room)
    await redis.kill('SIGKILL')
    expect(await alice.ask(alice.say(room, 'x'))).toMatchObject({ ...UNAVAILABLE, room })
    const join = () => alice.ask({ type: 'join', rooms: [{ room: newRoom() }] })
    expect(await join()).toMatchObject(UNAVAILABLE)
    expect(await alice.ask({ type: 'history', room, limit: 1 })).toMatchObject(UNAVAILABLE)
    await alice.settled()
    await redis.restart()
    await expect.poll(async () => (await join()).type, PATIENCE).toBe('joined')
    await alice.take('joined', (frame) => frame.room === room && frame.id === undefined)
    expect(await alice.sent(room, 'y')).toMatchObject({ seq: 1 })
  })

  it('lets no client in that has to be fenced, and closes it with 1013', async () => {
    await redis.kill('SIGKILL')
    const { access: token } = await stage.server.mint({ user: 'alice' })
    const caller = { token, client: newClientId(), connection: 1 }
    const client = watch(new RoomsClient(stage.server.wsUrl, caller))
    expect((await client.ended).code).toBe(1013)
    expect(client.frames).toEqual([])
    await redis.restart()
    await reachable(stage.server)
  })

  it('lets nothing be answered before the welcome', async () => {
    await redis.kill('SIGSTOP')
    const { access: token } = await stage.server.mint({ user: 'alice' })
    const caller = { token, client: newClientId(), connection: 1, join: [newRoom()] }
    const client = watch(new RoomsClient(stage.server.wsUrl, caller))
    const order: string[] = []
    client.socket.on('message', (data) => order.push(JSON.parse(String(data)).type))
    client.socket.once('open', () => client.send({ type: 'ping' }))
    await pause(300)
    expect(order).toEqual([])
    await redis.kill('SIGCONT')
    await client.take('joined')
    await client.take('pong')
    expect(order[0]).toBe('welcome')
  })

  it('fails what was asked when it is silent for too long, and nothing is stored twice after', async () => {
    const room = newRoom()
    const alice = await dialInto(stage.server, room)
    await redis.kill('SIGSTOP')
    const id = alice.send(alice.say(room, 'x', { n: 1 }))
    const answer = await alice.take('error', (frame) => frame.id === id)
    expect(answer).toMatchObject({ ...UNAVAILABLE, room })
    await redis.kill('SIGCONT')
    await reachable(stage.server)
    // It may have been carried out all the same; its repetition is the same message.
    expect(await alice.sent(room, 'x', { n: 1 })).toMatchObject({ seq: 1 })
    expect(await alice.sent(room, 'y', { n: 2 })).toMatchObject({ seq: 2 })
    expect((await alice.heard(2)).map(({ data }) => data)).toEqual(['x', 'y'])
  })
})

describe('a server that stood still for longer than messages are kept', () => {
  it('tells its members of the gap, and goes on behind it', async () => {
    const room = newRoom()
    const alice = await dialInto(stage.other, room)
    const bob = await dialInto(stage.server, room, { user: 'bob' })
    const epoch = alice.told(room)?.epoch
    // As if five messages had come and gone while nobody looked.
    await redis.command(`HINCRBY "rooms:room:${room}" seq 5`)
    await bob.sent(room, 'x')
    const gap = { type: 'joined', room, epoch, seq: 5, recovered: false }
    for (const client of [alice, bob]) {
      expect(await client.take('joined')).toEqual(gap)
      expect(await client.heard(1)).toMatchObject([{ seq: 6, data: 'x' }])
    }
  })
})

describe('a wake-up that gets lost', () => {
  it('delays a message until the next look', async () => {
    const room = newRoom()
    const alice = await dialInto(stage.server, room)
    const bob = await dialInto(stage.other, room, { user: 'bob' })
    await bob.sent(room, 1)
    await alice.heard(1)
    await redis.cutSubscribers()
    await bob.sent(room, 2)
    expect((await alice.heard(2)).map(({ data }) => data)).toEqual([1, 2])
  })
})
