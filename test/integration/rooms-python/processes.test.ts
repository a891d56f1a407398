/** Several processes on one Redis, and what happens when one of them, or Redis, dies. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../../scripts/python-env.mjs'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { type StartableName, startServer, type TestServer } from '../../support/servers.ts'
import { type DialOptions, enter, newClientId, type Peer } from './peer.ts'

const START_MS = 60_000

const PAIRS: readonly (readonly [StartableName, StartableName])[] = [
  ['fastapi-websockets', 'fastapi-wsproto'],
  ['channels-daphne', 'channels-uvicorn-wsproto'],
]

describe.each(PAIRS)('%s and %s on one Redis', (first, second) => {
  let redis: TestRedis
  let one: TestServer
  let other: TestServer
  let peers: Peer[]
  let lobby: string

  beforeAll(async () => {
    ;[redis] = await Promise.all([startRedis(), ensurePythonEnv()])
    const options = { redis: redis.url }
    ;[one, other] = await Promise.all([startServer(first, options), startServer(second, options)])
  }, START_MS)
  afterAll(() => Promise.all([one?.stop(), other?.stop(), redis?.stop()]))
  beforeEach(async () => {
    peers = []
    lobby = `lobby ${newClientId()}`
    await settings({})
  })
  afterEach(() => Promise.all(peers.map((peer) => peer.vanish())))

  const settings = async (changes: object) => {
    for (const server of [one, other]) {
      await server.control('reset')
      await server.control('settings', changes)
    }
  }
  const come = async (server: TestServer, options: DialOptions = {}): Promise<Peer> => {
    const peer = await enter(server, options)
    peers.push(peer)
    return peer
  }
  const joined = async (server: TestServer, options: DialOptions = {}): Promise<Peer> => {
    const peer = await come(server, options)
    await peer.join(lobby)
    return peer
  }

  it('hear each other, in one counting', async () => {
    const [alice, bob] = [await joined(one), await joined(other, { user: 'bob' })]
    for (let n = 1; n <= 20; n += 1) {
      alice.say(alice.draft(lobby, `a${n}`))
      bob.say(bob.draft(lobby, `b${n}`))
    }
    await Promise.all([alice.heard(lobby, 'b20'), bob.heard(lobby, 'a20')])
    await Promise.all([alice.send(lobby, 'end'), bob.heard(lobby, 'end')])
    await alice.heard(lobby, 'end')
    expect(alice.messagesIn(lobby)).toEqual(bob.messagesIn(lobby))
    expect(bob.seqsIn(lobby)).toEqual(Array.from({ length: 41 }, (_, i) => i + 1))
    const own = bob.messagesIn(lobby).filter(({ from }) => from === 'alice')
    expect(own.map(({ data }) => data).slice(0, 20)).toEqual(
      Array.from({ length: 20 }, (_, i) => `a${i + 1}`),
    )
  })

  it('know a repetition and a fence of each other, and resume what the other has stored', async () => {
    const before = await joined(one)
    const draft = before.draft(lobby, 'once')
    expect(await before.ask(draft)).toMatchObject({ seq: 1 })
    const epoch = before.epochOf(lobby)
    const after = await come(other, { client: before.client, connection: 2 })
    const resumed = await after.join(lobby, { resume: { epoch, seq: 0 } })
    expect(resumed).toMatchObject({ epoch, seq: 1, recovered: true, messages: [{ data: 'once' }] })
    expect(await after.ask(draft)).toMatchObject({ type: 'ok', seq: 1 })
    expect(await before.ask({ ...draft, n: 2 })).toMatchObject({ code: 'superseded' })
    await after.ask({ ...draft, n: 3, data: 'twice' })
    await before.heard(lobby, 'twice')
    expect(before.seqsIn(lobby)).toEqual([1, 2])
  })

  it.each([
    ['with the subscription', 60_000],
    ['and the room looks by itself', 300],
  ])('lose nothing where a wake was lost, %s', async (_, catchUpMs) => {
    await settings({ catchUpMs })
    const [alice, bob] = [await joined(one), await joined(other, { user: 'bob' })]
    await redis.cutSubscribers()
    await alice.send(lobby, 'unannounced')
    await bob.heard(lobby, 'unannounced')
    expect(bob.seqsIn(lobby)).toEqual([1])
  })

  it.each([
    ['', {}],
    [', as if it resumed an epoch that is over,', { resume: { epoch: 'over', seq: 5 } }],
  ])('leave nothing out for who joins again%s while others write', async (_, how) => {
    const [alice, bob] = [await joined(one), await joined(other, { user: 'bob' })]
    const writing = (async () => {
      for (let n = 1; n <= 100; n += 1) await alice.send(lobby, n)
    })()
    for (let n = 1; n <= 20; n += 1)
      expect(await bob.join(lobby, how)).toMatchObject({ recovered: false })
    await writing
    await bob.heard(lobby, 100)
    expect(bob.seqsIn(lobby)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  })

  it('show each other who is present, until the leases of a killed process end', async () => {
    // Renewed three times in a lease, so that a process that stands still for a moment ends none.
    const leaseMs = 3_000
    await settings({ leaseMs })
    const alice = await come(one)
    await alice.join(lobby, { presence: {} })
    const bob = await come(other, { user: 'bob' })
    expect((await bob.join(lobby, { presence: { at: 'other' } })).members).toHaveLength(2)
    await alice.presence(lobby, ({ joins }) => joins[0]?.user === 'bob')
    await delay(leaseMs * 1.2)
    expect((await alice.join(lobby, { presence: {} })).members).toHaveLength(2)
    await other.kill('SIGKILL')
    const left = await alice.presence(lobby, ({ leaves }) => leaves.length > 0)
    expect(left.leaves).toEqual([{ user: 'bob', clientId: bob.client }])
    await other.restart()
  })

  it('announce a gap to the members of a process that slept beyond the window', async () => {
    // Long enough for a busy process to read what it is still to be told.
    await settings({ resumeWindowMs: 2_000, keepMessages: 0, catchUpMs: 300 })
    const [alice, bob] = [await joined(one), await joined(other, { user: 'bob' })]
    await alice.send(lobby, 'heard')
    await bob.heard(lobby, 'heard')
    await other.kill('SIGSTOP')
    for (const data of ['lost', 'lost too']) await alice.send(lobby, data)
    await delay(2_200)
    await alice.send(lobby, 'kept')
    await other.kill('SIGCONT')
    await bob.heard(lobby, 'kept')
    const told = bob.frames.filter(({ type }) => type === 'joined' || type === 'message')
    expect(told.map(({ type, seq, recovered }) => [type, seq, recovered])).toEqual([
      ['joined', 0, false],
      ['message', 1, undefined],
      ['joined', 3, false],
      ['message', 4, undefined],
    ])
    expect(told[2]).not.toHaveProperty('id')
    expect(told[2]?.epoch).toBe(told[0]?.epoch)
  })

  it('say unavailable while Redis is silent, and go on afterwards', async () => {
    const alice = await joined(one)
    const draft = alice.draft(lobby, 'patient')
    await redis.kill('SIGKILL')
    expect(await alice.ask(draft)).toMatchObject({ code: 'unavailable', room: lobby })
    expect(await alice.join('elsewhere')).toMatchObject({ code: 'unavailable', room: 'elsewhere' })
    expect(await alice.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    await redis.restart()
    expect(await alice.join('elsewhere')).toMatchObject({ type: 'joined' })
  })

  const anew = (peer: Peer, epoch: string) =>
    peer.until(
      'unasked joined',
      (frame) => frame.type === 'joined' && frame.room === lobby && frame.epoch !== epoch,
    )

  it.each<[string, (redis: TestRedis) => Promise<unknown>]>([
    ['was flushed', (server) => server.flush()],
    ['lost one key of a room', (server) => server.command(`DEL "rooms:ids:${lobby}"`)],
    ['was restarted', (server) => server.restart()],
    [
      'came back with an old snapshot',
      async (server) => {
        await server.command('SAVE')
        const [alice] = peers
        await alice?.send(lobby, 'after the snapshot')
        await server.restart()
      },
    ],
  ])('say so to every member when Redis %s', async (_, harm) => {
    await settings({ catchUpMs: 300 })
    const [alice, bob] = [await come(one), await joined(other, { user: 'bob' })]
    await alice.join(lobby, { presence: { mood: 'calm' } })
    await alice.send(lobby, 'before')
    await bob.heard(lobby, 'before')
    const epoch = bob.epochOf(lobby)
    await harm(redis)
    for (const peer of [alice, bob]) {
      const frame = await anew(peer, epoch)
      expect(frame).toMatchObject({ recovered: false, seq: 0 })
      expect(frame).not.toHaveProperty('id')
    }
    const shown = await anew(alice, epoch)
    expect(shown.members).toEqual([
      { user: 'alice', clientId: alice.client, data: { mood: 'calm' } },
    ])
    expect(alice.epochOf(lobby)).toBe(bob.epochOf(lobby))
    expect(await bob.ask(bob.draft(lobby, 'stale', { epoch }))).toMatchObject({
      code: 'stale-epoch',
    })
    expect(await bob.send(lobby, 'again')).toMatchObject({ seq: 1 })
    await Promise.all([alice.heard(lobby, 'again'), bob.heard(lobby, 'again')])
    const carol = await come(other)
    const late = await carol.join(lobby, { resume: { epoch, seq: 1 } })
    expect(late).toMatchObject({ recovered: false, seq: 1, epoch: bob.epochOf(lobby) })
  })
})

describe.each<StartableName>([
  'fastapi-websockets-sansio',
  'fastapi-wsproto',
  'channels-daphne',
  'channels-uvicorn-websockets',
])('a client of %s that does not read', (name) => {
  let server: TestServer
  let peers: Peer[]
  beforeAll(async () => {
    server = await startServer(name)
    peers = []
  }, START_MS)
  afterAll(() => server?.stop())
  afterEach(() => Promise.all(peers.map((peer) => peer.vanish())))

  const joined = async (room: string): Promise<Peer> => {
    const peer = await enter(server)
    peers.push(peer)
    await peer.join(room)
    return peer
  }
  /** A megabyte, and then a word. */
  const flood = async (talker: Peer, room: string, word: unknown) => {
    for (let n = 0; n < 20; n += 1) talker.say(talker.draft(room, 'x'.repeat(50_000)))
    await talker.send(room, word)
  }
  const seqs = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

  it('gets all of it, without a hole, when it reads again in time', async () => {
    await server.control('settings', { bufferedBytes: 200_000, inFlight: 1_000 })
    const [talker, slow] = [await joined('in time'), await joined('in time')]
    slow.socket.pause()
    // More than the kernel takes for it.
    const rounds = 13
    for (let round = 1; round <= rounds; round += 1) await flood(talker, 'in time', round)
    slow.socket.resume()
    await slow.heard('in time', rounds)
    expect(slow.seqsIn('in time')).toEqual(seqs(21 * rounds))
    await talker.send('in time', 'and on')
    await slow.heard('in time', 'and on')
  })

  it('is told the gap when it is slower than the window', async () => {
    const settings = {
      bufferedBytes: 200_000,
      inFlight: 1_000,
      resumeWindowMs: 300,
      keepMessages: 0,
    }
    await server.control('settings', settings)
    const [talker, slow] = [await joined('too slow'), await joined('too slow')]
    slow.socket.pause()
    for (let round = 1; round <= 13; round += 1) await flood(talker, 'too slow', round)
    await delay(400)
    await talker.send('too slow', 'kept')
    slow.socket.resume()
    await slow.heard('too slow', 'kept')
    const [, gap, ...more] = slow.frames.filter(({ type }) => type === 'joined')
    expect(more).toEqual([])
    expect(gap).toMatchObject({ recovered: false, epoch: slow.epochOf('too slow') })
    const read = slow.seqsIn('too slow')
    const before = read.filter((seq) => seq <= (gap?.seq ?? 0))
    expect(before).toEqual(seqs(before.length))
    expect(read.slice(before.length)).toEqual(
      seqs(21 * 13 + 1).filter((seq) => seq > (gap?.seq ?? 0)),
    )
    expect(before.length).toBeLessThan(gap?.seq ?? 0)
  })

  it('is closed with 1013 when it takes nothing any more, and costs the others nothing', async () => {
    await server.control('settings', { bufferedBytes: 200_000, stallMs: 700, inFlight: 1_000 })
    const [talker, slow, reader] = [
      await joined('late'),
      await joined('late'),
      await joined('late'),
    ]
    slow.socket.pause()
    const open = async () => (await server.control<{ open: number }>('sockets')).open
    let rounds = 0
    while ((await open()) > 2 && rounds < 60) {
      rounds += 1
      await flood(talker, 'late', rounds)
      await reader.heard('late', rounds)
      if (rounds > 12) await delay(100)
    }
    expect(await open()).toBe(2)
    expect(reader.seqsIn('late')).toEqual(seqs(21 * rounds))
    // What it reads in the end is the beginning, without a hole.
    slow.socket.resume()
    const { code } = await slow.ended
    expect([1013, 1006]).toContain(code)
    const read = slow.seqsIn('late')
    expect(read).toEqual(seqs(read.length))
    expect(read.length).toBeLessThan(21 * rounds)
  })
})
