/** docs/protocol.md, sentence by sentence, on both Python servers and both stores. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../../scripts/python-env.mjs'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { type StartableName, startServer, type TestServer } from '../../support/servers.ts'
import { typesOf } from './frames.ts'
import {
  type DialOptions,
  dial,
  enter,
  mint,
  newClientId,
  type Peer,
  PROTOCOL,
  seen,
} from './peer.ts'

const SERVERS: readonly (readonly [StartableName, 'memory' | 'redis'])[] = [
  ['fastapi-websockets-sansio', 'memory'],
  ['fastapi-wsproto', 'redis'],
  ['channels-daphne', 'redis'],
  ['channels-uvicorn-websockets', 'memory'],
]
const START_MS = 60_000

let redis: TestRedis
beforeAll(async () => {
  ;[redis] = await Promise.all([startRedis(), ensurePythonEnv()])
}, START_MS)
afterAll(() => redis?.stop())

describe.each(SERVERS)('%s, rooms in %s', (name, store) => {
  let server: TestServer
  let peers: Peer[]
  /** Of this test alone: Redis keeps the rooms of the others. */
  let lobby: string

  beforeAll(async () => {
    server = await startServer(name, store === 'redis' ? { redis: redis.url } : {})
  }, START_MS)
  afterAll(() => server?.stop())
  beforeEach(async () => {
    peers = []
    lobby = `lobby ${newClientId()}`
    await server.control('reset')
  })
  afterEach(() => Promise.all(peers.map((peer) => peer.vanish())))

  const keep = (peer: Peer): Peer => {
    peers.push(peer)
    return peer
  }
  const come = async (options: DialOptions = {}): Promise<Peer> =>
    keep(await enter(server, options))
  const knock = async (options: DialOptions = {}): Promise<Peer> =>
    keep(await dial(server, options))
  const joined = async (options: DialOptions = {}): Promise<Peer> => {
    const peer = await come(options)
    await peer.join(lobby)
    return peer
  }

  describe('the handshake', () => {
    it('answers with the protocol and no other word, and greets with what it can do', async () => {
      const peer = await come({ user: 'bob', lifetimeMs: 60_000 })
      expect(peer.socket.protocol).toBe(PROTOCOL)
      const welcome = await peer.welcome
      expect(welcome).toMatchObject({
        version: 1,
        user: 'bob',
        limits: {
          frameBytes: 65_536,
          roomsPerJoin: 100,
          rooms: 10_000,
          inFlight: 64,
          history: 100,
        },
        heartbeatMs: 25_000,
        resumeWindowMs: 120_000,
      })
      expect(welcome.features.sort()).toEqual([
        'auth',
        'call',
        'history',
        'join-in-url',
        'presence',
      ])
      expect(welcome.expiresInMs).toBeGreaterThan(50_000)
    })

    const bearer = (token: string) =>
      `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`

    it.each<[string, (token: string) => DialOptions]>([
      ['the bearer subprotocol', (token) => ({ protocols: [PROTOCOL, bearer(token)] })],
      ['the query', (token) => ({ protocols: [PROTOCOL], query: { token } })],
      [
        'a header',
        (token) => ({ protocols: [PROTOCOL], headers: { authorization: `Bearer ${token}` } }),
      ],
      [
        'a cookie',
        (token) => ({ protocols: [PROTOCOL], headers: { cookie: `access_token=${token}` } }),
      ],
    ])('takes the token from %s', async (_, carry) => {
      const peer = await come(carry(await mint(server)))
      expect(peer.socket.protocol).toBe(PROTOCOL)
    })

    it('accepts, and closes with 4003 in place of a welcome: garbage, expired, revoked', async () => {
      await server.control('revoke', { user: 'bob' })
      const tokens = [
        'garbage',
        await mint(server, 'alice', { kind: 'expired' }),
        await mint(server, 'bob'),
      ]
      for (const token of tokens) {
        const peer = await knock({ token })
        expect((await peer.ended).code).toBe(4003)
        expect(peer.frames).toEqual([])
      }
    })

    it('closes with 4003 for two tokens in one handshake', async () => {
      const token = await mint(server)
      const peer = await knock({ token, query: { token } })
      expect((await peer.ended).code).toBe(4003)
    })

    it('closes with 1002 where the protocol was not offered', async () => {
      const peer = await knock({ protocols: [], query: { token: await mint(server) } })
      expect((await peer.ended).code).toBe(1002)
    })

    it('takes the token from the first message, and reads nothing else before', async () => {
      const peer = await knock({ protocols: [PROTOCOL] })
      peer.say({ type: 'auth', token: await mint(server) })
      expect((await peer.welcome).user).toBe('alice')
      const impatient = await knock({ protocols: [PROTOCOL] })
      impatient.say({ type: 'ping' })
      expect((await impatient.ended).code).toBe(4003)
      expect(impatient.frames).toEqual([])
    })

    it('waits a few seconds for that message, no longer', async () => {
      await server.control('settings', { firstMessageMs: 200 })
      const peer = await knock({ protocols: [PROTOCOL] })
      expect((await peer.ended).code).toBe(4003)
    })

    it('refuses a cookie that comes with the page of another site', async () => {
      const cookie = `access_token=${await mint(server)}`
      const from = (origin: string) => knock({ protocols: [PROTOCOL], headers: { cookie, origin } })
      expect((await (await from('https://evil.example')).ended).code).toBe(4403)
      expect((await (await from('null')).ended).code).toBe(4403)
      expect((await (await from(server.url)).welcome).user).toBe('alice')
      await server.control('settings', { origins: ['https://app.example'] })
      expect((await (await from('https://app.example')).welcome).user).toBe('alice')
      expect((await (await from(server.url)).ended).code).toBe(4403)
      // What a page cannot send by itself needs no such check.
      const pair = await knock({ headers: { origin: 'https://evil.example' } })
      expect((await pair.welcome).user).toBe('alice')
    })
  })

  if (name.startsWith('channels'))
    it('takes the session cookie for a token, from its own pages only', async () => {
      const response = await fetch(`${server.url}/login/`, {
        method: 'POST',
        body: JSON.stringify({ username: 'bob', password: 'correct-horse' }),
      })
      const cookie = response.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ')
      const from = (origin: string) => knock({ protocols: [PROTOCOL], headers: { cookie, origin } })
      expect((await (await from(server.url)).welcome).user).toBe('bob')
      expect((await (await from('https://evil.example')).ended).code).toBe(4403)
    })

  describe('a token', () => {
    it('is renewed on the live connection, by its own user only', async () => {
      const peer = await joined()
      expect(await peer.ask({ type: 'auth', token: 'garbage' })).toMatchObject({
        type: 'error',
        code: 'token-refused',
      })
      expect(await peer.ask({ type: 'auth', token: await mint(server, 'bob') })).toMatchObject({
        type: 'error',
        code: 'other-user',
      })
      const token = await mint(server, 'alice', { lifetimeMs: 90_000 })
      const renewed = await peer.ask({ type: 'auth', token })
      expect(renewed.type).toBe('ok')
      expect(renewed.expiresInMs).toBeGreaterThan(80_000)
      expect(await peer.send(lobby, 'still here')).toMatchObject({ type: 'ok', seq: 1 })
    })

    it('is announced to expire, and ends the connection unless it is renewed', async () => {
      await server.control('settings', { expiringAheadMs: 800 })
      const [renewing, silent] = await Promise.all([
        come({ lifetimeMs: 1_000 }),
        come({ lifetimeMs: 1_000 }),
      ])
      const { inMs } = await renewing.until('expiring', ({ type }) => type === 'expiring')
      expect(inMs).toBeLessThanOrEqual(800)
      const token = await mint(server, 'alice', { lifetimeMs: 60_000 })
      expect(await renewing.ask({ type: 'auth', token })).toMatchObject({ type: 'ok' })
      expect((await silent.ended).code).toBe(4003)
      expect(await renewing.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
    })
  })

  describe('joining', () => {
    it('tells each room its own answer, and a refused one leaves the others alone', async () => {
      const peer = await come()
      const id = peer.say({
        type: 'join',
        rooms: [
          { room: lobby, params: { lang: 'en' } },
          { room: 'forbidden' },
          { room: `${lobby} 2` },
        ],
      })
      await peer.until('last answer', ({ room }) => room === `${lobby} 2`)
      const answers = peer.frames.filter((frame) => frame.id === id)
      expect(answers.map(({ type, room, code }) => [type, room, code]).sort()).toEqual(
        [
          ['error', 'forbidden', 'forbidden'],
          ['joined', lobby, undefined],
          ['joined', `${lobby} 2`, undefined],
        ].sort(),
      )
      const first = answers.find(({ room }) => room === lobby)
      expect(first).toMatchObject({ seq: 0, recovered: false })
      expect(first).not.toHaveProperty('messages')
      expect(first).not.toHaveProperty('members')
    })

    it('works in the URL, answered without an id', async () => {
      const peer = await come({ join: [lobby, 'forbidden', 'ü&='] })
      const answer = await peer.until('joined', ({ room }) => room === 'ü&=')
      expect(answer).not.toHaveProperty('id')
      expect(answer.type).toBe('joined')
      const refused = await peer.until('refusal', ({ room }) => room === 'forbidden')
      expect(refused).toMatchObject({ type: 'error', code: 'forbidden' })
      expect(refused).not.toHaveProperty('id')
      expect(await peer.send(lobby, 1)).toMatchObject({ seq: 1 })
      const wordy = await come({
        join: ['a'.repeat(200), ...'bcdef'].map((c) => c.repeat(200).slice(0, 250)),
      })
      const long = await wordy.until('refusal', ({ type }) => type === 'error')
      expect(long).toMatchObject({ code: 'too-large', room: 'a'.repeat(250) })
    })

    it('again goes on where the connection stands', async () => {
      const peer = await joined()
      await peer.send(lobby, 'one')
      await peer.heard(lobby, 'one')
      expect(await peer.join(lobby)).toMatchObject({ type: 'joined', seq: 1, recovered: false })
      await peer.send(lobby, 'two')
      await peer.heard(lobby, 'two')
      expect(peer.seqsIn(lobby)).toEqual([1, 2])
    })

    it('ends with leave, after whose answer nothing of the room follows', async () => {
      const [stays, leaves] = [await joined(), await joined()]
      expect(await leaves.ask({ type: 'leave', room: lobby })).toMatchObject({ type: 'ok' })
      expect(await leaves.ask({ type: 'leave', room: lobby })).toMatchObject({ code: 'not-joined' })
      await stays.send(lobby, 'unheard')
      await stays.heard(lobby, 'unheard')
      await leaves.ask({ type: 'ping' })
      expect(leaves.messagesIn(lobby)).toEqual([])
      const late = leaves.draft(lobby, 'late')
      expect(await leaves.ask(late)).toMatchObject({ code: 'not-joined', room: lobby })
    })
  })

  describe('a send', () => {
    it('is numbered without holes and comes to all members, the sender included', async () => {
      const [alice, bob] = [await joined(), await joined({ user: 'bob' })]
      expect(await alice.send(lobby, { text: 'hé' })).toMatchObject({ type: 'ok', seq: 1 })
      expect(await bob.send(lobby, null)).toMatchObject({ seq: 2 })
      expect(await alice.ask(alice.draft(lobby, 'typing', { volatile: true }))).toMatchObject({
        seq: 3,
      })
      await Promise.all([alice.heard(lobby, 'typing'), bob.heard(lobby, 'typing')])
      expect(alice.messagesIn(lobby)).toEqual(bob.messagesIn(lobby))
      expect(bob.messagesIn(lobby)).toMatchObject([
        { seq: 1, from: 'alice', clientId: alice.client, n: 1, data: { text: 'hé' } },
        { seq: 2, from: 'bob', clientId: bob.client, n: 1, data: null },
        { seq: 3, from: 'alice', n: 2, data: 'typing' },
      ])
      expect(Math.abs((bob.messagesIn(lobby)[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000)
    })

    it('keeps its data as it was: every kind of JSON, half a surrogate pair included', async () => {
      const peer = await joined()
      const data = [
        0.1,
        -0,
        1e21,
        'é\u2028\u0000',
        '\ud800',
        { __proto__: null, 'a"b': [true, null] },
      ]
      await peer.send(lobby, data)
      await peer.heard(lobby, data)
      expect(JSON.stringify(peer.messagesIn(lobby)[0]?.data)).toBe(JSON.stringify(data))
    })

    it('that is repeated is delivered once, over a reconnect too', async () => {
      const first = await joined()
      const watcher = await joined({ user: 'bob' })
      const draft = first.draft(lobby, 'once')
      expect(await first.ask(draft)).toMatchObject({ type: 'ok', seq: 1 })
      expect(await first.ask(draft)).toMatchObject({ type: 'ok', seq: 1 })
      await first.vanish()
      const second = await joined({ client: first.client, connection: 2 })
      expect(await second.ask({ ...draft, data: 'changed' })).toMatchObject({ type: 'ok', seq: 1 })
      await second.ask({ ...draft, n: 99, data: 'after' })
      await watcher.heard(lobby, 'after')
      expect(watcher.messagesIn(lobby)).toMatchObject([{ data: 'once' }, { seq: 2, data: 'after' }])
    })

    it('of another user under the same id is another message', async () => {
      const alice = await joined()
      const thief = await joined({ user: 'bob', client: alice.client })
      const draft = alice.draft(lobby, 'mine')
      expect(await thief.ask({ ...draft, data: 'stolen' })).toMatchObject({ seq: 1 })
      expect(await alice.ask(draft)).toMatchObject({ seq: 2 })
    })

    it('of a fenced connection is superseded, and not stored', async () => {
      const old = await joined({ connection: 1 })
      await old.send(lobby, 'before')
      const young = await joined({ client: old.client, connection: 2 })
      const draft = old.draft(lobby, 'late')
      expect(await old.ask(draft)).toMatchObject({ type: 'error', code: 'superseded', room: lobby })
      expect(await young.ask(draft)).toMatchObject({ type: 'ok', seq: 2 })
      // A lower number is welcome to read, and nothing else.
      const older = await joined({ client: old.client, connection: 1 })
      expect(await older.ask({ ...draft, n: 7 })).toMatchObject({ code: 'superseded' })
      // Another user with the same client is not fenced.
      const bob = await joined({ user: 'bob', client: old.client, connection: 1 })
      expect(await bob.ask({ ...draft, n: 8 })).toMatchObject({ type: 'ok', seq: 3 })
    })

    it('written under another epoch is stale', async () => {
      const peer = await joined()
      const draft = peer.draft(lobby, 'old', { epoch: 'gone' })
      expect(await peer.ask(draft)).toMatchObject({
        type: 'error',
        code: 'stale-epoch',
        room: lobby,
      })
      expect(await peer.send(lobby, 'new')).toMatchObject({ seq: 1 })
    })

    it('keeps the order of one connection', async () => {
      const [alice, bob] = [await joined(), await joined({ user: 'bob' })]
      for (let n = 1; n <= 50; n += 1) alice.say(alice.draft(lobby, n))
      await bob.heard(lobby, 50)
      expect(bob.messagesIn(lobby).map(({ data }) => data)).toEqual(
        Array.from({ length: 50 }, (_, i) => i + 1),
      )
      expect(bob.seqsIn(lobby)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    })
  })

  describe('a room that was left by accident', () => {
    const leaveBehind = async (count: number) => {
      const [talker, other] = [await joined(), await joined({ user: 'bob' })]
      await talker.send(lobby, 0)
      await other.heard(lobby, 0)
      const epoch = other.epochOf(lobby)
      await other.vanish()
      for (let n = 1; n < count; n += 1) talker.say(talker.draft(lobby, n))
      await talker.send(lobby, count)
      return { talker, resume: { epoch, seq: 1 } }
    }

    it('is resumed whole', async () => {
      const { talker, resume } = await leaveBehind(3)
      const back = await come({ user: 'bob' })
      const frame = await back.join(lobby, { resume })
      expect(frame).toMatchObject({ epoch: resume.epoch, seq: 4, recovered: true })
      expect(frame.messages.map(({ seq, data }) => [seq, data])).toEqual([
        [2, 1],
        [3, 2],
        [4, 3],
      ])
      await talker.send(lobby, 'next')
      await back.heard(lobby, 'next')
      expect(back.seqsIn(lobby)).toEqual([2, 3, 4, 5])
      const nothing = await (await come()).join(lobby, { resume: { ...resume, seq: 5 } })
      expect(nothing).toMatchObject({ seq: 5, recovered: true, messages: [] })
    })

    it('is resumed in parts where one frame would be too large, without a hole', async () => {
      await server.control('settings', { inFlight: 1_000 })
      const { talker, resume } = await leaveBehind(260)
      const back = await come({ user: 'bob' })
      const frame = await back.join(lobby, { resume })
      expect(frame.recovered).toBe(true)
      expect(frame.seq).toBeLessThan(261)
      await talker.send(lobby, 'next')
      await back.heard(lobby, 'next')
      expect(back.seqsIn(lobby)).toEqual(Array.from({ length: 261 }, (_, i) => i + 2))
    })

    it('is not resumed beyond the window, in another epoch, or from the future', async () => {
      await server.control('settings', { resumeWindowMs: 300, keepMessages: 0 })
      const { talker, resume } = await leaveBehind(2)
      const back = await come({ user: 'bob' })
      for (const wrong of [
        { epoch: 'gone', seq: 1 },
        { ...resume, seq: 99 },
      ]) {
        const frame = await back.join(lobby, { resume: wrong })
        expect(frame).toMatchObject({ seq: 3, recovered: false })
        expect(frame).not.toHaveProperty('messages')
      }
      await delay(400)
      await talker.send(lobby, 'much later')
      expect(await (await come()).join(lobby, { resume })).toMatchObject({
        seq: 4,
        recovered: false,
      })
    })
  })

  describe('presence', () => {
    it('shows who wants to be shown, to those who do', async () => {
      const alice = await come()
      const mood = { mood: 'calm' }
      const first = await alice.join(lobby, { presence: mood })
      const self = { user: 'alice', clientId: alice.client, data: mood }
      expect(first).toMatchObject({ members: [self], version: 1 })
      const [bob, carol] = [await come({ user: 'bob' }), await joined()]
      const second = await bob.join(lobby, { presence: {} })
      expect(second.members).toHaveLength(2)
      expect(second.version).toBe(2)
      const change = await alice.presence(lobby, ({ version }) => version === 2)
      expect(change).toMatchObject({
        joins: [{ user: 'bob', clientId: bob.client, data: {} }],
        leaves: [],
      })
      await bob.join(lobby, { presence: { mood: 'odd' } })
      const changed = await alice.presence(lobby, ({ version }) => version === 3)
      expect(changed.joins).toMatchObject([{ user: 'bob', data: { mood: 'odd' } }])
      await bob.ask({ type: 'leave', room: lobby })
      const left = await alice.presence(lobby, ({ version }) => version === 4)
      expect(left).toMatchObject({ joins: [], leaves: [{ user: 'bob', clientId: bob.client }] })
      await carol.ask({ type: 'ping' })
      expect(carol.frames.filter(({ type }) => type === 'presence')).toEqual([])
    })

    it('ends with a join that has none', async () => {
      const [watcher, bob] = [await come(), await come({ user: 'bob' })]
      await watcher.join(lobby, { presence: {} })
      await bob.join(lobby, { presence: {} })
      expect(await bob.join(lobby)).not.toHaveProperty('members')
      const left = await watcher.presence(lobby, ({ leaves }) => leaves.length > 0)
      expect(left.leaves).toEqual([{ user: 'bob', clientId: bob.client }])
      expect(await watcher.join(lobby, { presence: { a: 1 } })).toMatchObject({ version: 4 })
      await bob.ask({ type: 'call', method: 'echo' })
      const told = bob.frames.filter(({ type }) => type === 'presence')
      expect(told.filter(({ version }) => version > 3)).toEqual([])
    })

    it('takes off at once who closes, and shows once who is here twice', async () => {
      const watcher = await come()
      await watcher.join(lobby, { presence: {} })
      const bob = await come({ user: 'bob', connection: 1 })
      await bob.join(lobby, { presence: {} })
      const again = await come({ user: 'bob', client: bob.client, connection: 2 })
      const both = await again.join(lobby, { presence: {} })
      expect(both).toMatchObject({ version: 2 })
      expect(both.members).toHaveLength(2)
      await bob.close()
      await again.close()
      const left = await watcher.presence(lobby, ({ leaves }) => leaves.length > 0)
      expect(left).toMatchObject({ version: 3, leaves: [{ user: 'bob', clientId: bob.client }] })
    })

    it('keeps the place of a lost connection for its lease, so that who returns was never away', async () => {
      // Long enough to come back in time, on any machine.
      await server.control('settings', { leaseMs: 3_000 })
      const watcher = await come()
      await watcher.join(lobby, { presence: {} })
      const [returns, stays] = [await come({ user: 'bob' }), await come({ user: 'bob' })]
      await returns.join(lobby, { presence: {} })
      await stays.join(lobby, { presence: {} })
      await Promise.all([returns.vanish(), stays.vanish()])
      const back = await come({ user: 'bob', client: returns.client, connection: 2 })
      expect((await back.join(lobby, { presence: {} })).members).toHaveLength(3)
      const left = await watcher.presence(lobby, ({ leaves }) => leaves.length > 0)
      expect(left.leaves).toEqual([{ user: 'bob', clientId: stays.client }])
      // The other one would have gone at the same time.
      await delay(300)
      await watcher.ask({ type: 'ping' })
      const changes = watcher.frames.filter(({ type }) => type === 'presence')
      expect(changes.flatMap(({ leaves }) => leaves)).toHaveLength(1)
      expect(changes.map(({ version }) => version)).toEqual([2, 3, 4])
    })
  })

  describe('other requests', () => {
    it('call answers', async () => {
      const peer = await come()
      expect(await peer.ask({ type: 'call', method: 'echo', data: [1] })).toMatchObject({
        type: 'reply',
        data: [1],
      })
      expect(await peer.ask({ type: 'call', method: 'echo' })).toMatchObject({
        type: 'reply',
        data: null,
      })
      expect(await peer.ask({ type: 'call', method: 'order.place', data: 12 })).toMatchObject({
        data: { placed: true, by: 'alice', order: 12 },
      })
      expect(await peer.ask({ type: 'call', method: 'toString' })).toMatchObject({
        type: 'error',
        code: 'unknown-method',
      })
    })

    it('history goes back page by page', async () => {
      const peer = await joined()
      for (const data of [1, 2, 3, 4, 5]) await peer.send(lobby, data)
      const newest = await peer.ask({ type: 'history', room: lobby, limit: 2 })
      expect(newest).toMatchObject({ room: lobby, epoch: peer.epochOf(lobby), more: true })
      expect(newest.messages.map(({ seq }) => seq)).toEqual([4, 5])
      const older = await peer.ask({ type: 'history', room: lobby, before: 4, limit: 3 })
      expect(older.messages.map(({ seq, data }) => [seq, data])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ])
      expect(older.more).toBe(false)
      for (const before of [1, 0]) {
        const none = await peer.ask({ type: 'history', room: lobby, before, limit: 3 })
        expect(none).toMatchObject({ messages: [], more: false })
      }
      expect(await peer.ask({ type: 'history', room: 'elsewhere', limit: 1 })).toMatchObject({
        code: 'not-joined',
      })
    })
  })

  it('cuts an answer with many long messages, and the rest follows', async () => {
    const peer = await joined()
    const long = 'é'.repeat(30_000)
    for (let n = 1; n <= 8; n += 1) await peer.send(lobby, `${n}${long}`)
    const newest = await peer.ask({ type: 'history', room: lobby, limit: 8 })
    expect(newest.more).toBe(true)
    const seqs = newest.messages.map(({ seq }) => seq)
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8].slice(-seqs.length))
    const back = await come()
    const resume = { epoch: peer.epochOf(lobby), seq: 0 }
    expect((await back.join(lobby, { resume })).seq).toBeLessThan(8)
    await back.heard(lobby, `8${long}`)
    expect(back.seqsIn(lobby)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  describe('limits', () => {
    it('the messages that a room can remember: refused rather than forgotten too early', async () => {
      const resumeWindowMs = 1_500
      await server.control('settings', { roomMessages: 2, resumeWindowMs })
      const peer = await joined()
      for (const n of [1, 2]) await peer.send(lobby, n)
      const draft = peer.draft(lobby, 3)
      const full = await peer.ask(draft)
      expect(full).toMatchObject({ type: 'error', code: 'rate-limited', room: lobby })
      expect(full.retryAfterMs).toBeLessThanOrEqual(resumeWindowMs)
      await delay(full.retryAfterMs ?? 0)
      await expect
        .poll(() => peer.ask(draft), { timeout: 30_000, interval: 100 })
        .toMatchObject({ type: 'ok', seq: 3 })
    })

    it('frameBytes: too-large with its id, in bytes and not characters; far above it 1009', async () => {
      await server.control('settings', { frameBytes: 300 })
      const peer = await joined()
      const draft = peer.draft(lobby, 'é'.repeat(100))
      expect(await peer.ask(draft)).toMatchObject({ type: 'error', code: 'too-large', room: lobby })
      expect(await peer.send(lobby, 'e'.repeat(100))).toMatchObject({ type: 'ok', seq: 1 })
      const hostile = await come()
      hostile.raw(`"${'x'.repeat(1_048_570)}"`)
      hostile.raw(`"${'x'.repeat(1_048_580)}"`)
      const { code } = await hostile.ended
      // daphne's own limit is as high, and its end a reset connection.
      expect(code).toBe(name === 'channels-daphne' ? 1006 : 1009)
    })

    it.each([
      ['frames, whatever they are', { framesPerSecond: 5 }, 60, '1'],
      ['bytes', { bytesPerSecond: 1_000 }, 60, `"${'x'.repeat(250)}"`],
    ])('%s in the long run, told in the welcome; 4429 above it', async (_, limits, count, text) => {
      const [name = ''] = Object.keys(limits)
      await server.control('settings', limits)
      const peer = await come()
      expect((await peer.welcome).limits).toMatchObject(limits)
      // Ten seconds' worth may come at once.
      for (let n = 0; n < count / 2; n += 1) peer.raw(text)
      expect(await peer.ask({ type: 'ping' })).toMatchObject({ type: 'pong' })
      for (let n = 0; n < count; n += 1) peer.raw(text)
      expect((await peer.ended).code).toBe(4429)
      // Who comes back at once has what is left.
      const again = await come()
      for (let n = 0; n < count / 2; n += 1) again.raw(text)
      expect((await again.ended).code).toBe(4429)
      await server.control('settings', { [name]: null })
      expect((await (await come({ user: 'bob' })).welcome).limits).not.toHaveProperty(name)
    })

    it('one frame before the welcome, of 16 KiB', async () => {
      const early = await knock()
      early.raw(JSON.stringify({ type: 'join', id: 1, rooms: [{ room: lobby }] }))
      expect(await early.until('joined', ({ id }) => id === 1)).toMatchObject({ type: 'joined' })
      const waits = await knock({ protocols: [PROTOCOL] })
      waits.raw(`"${'x'.repeat(16_383)}"`)
      expect((await waits.ended).code).toBe(1009)
    })

    it('roomsPerJoin and rooms', async () => {
      await server.control('settings', { roomsPerJoin: 2, rooms: 3 })
      const peer = await come()
      const rooms = (...names: string[]) => ({
        type: 'join',
        rooms: names.map((room) => ({ room })),
      })
      const whole = await peer.ask(rooms('a', 'b', 'c'))
      expect(whole).toMatchObject({ type: 'error', code: 'too-large' })
      expect(whole).not.toHaveProperty('room')
      await peer.ask(rooms('a', 'b'))
      peer.say(rooms('c', 'd'))
      const refused = await peer.until('refusal', ({ room }) => room === 'd')
      expect(refused).toMatchObject({ code: 'too-large' })
      expect(await peer.join('a')).toMatchObject({ type: 'joined' })
    })

    it('sends per second, with the time to wait', async () => {
      await server.control('settings', { sendsPerSecond: 2 })
      const peer = await joined()
      const first = [peer.draft(lobby, 1), peer.draft(lobby, 2)]
      const [third, fourth] = [peer.draft(lobby, 3), peer.draft(lobby, 4)]
      const drafts = [...first, third]
      const answers = await Promise.all(drafts.map((draft) => peer.ask(draft)))
      expect(answers.map(({ type }) => type)).toEqual(['ok', 'ok', 'error'])
      const { code, retryAfterMs } = answers[2] ?? {}
      expect(code).toBe('rate-limited')
      expect(retryAfterMs).toBeGreaterThan(0)
      expect(retryAfterMs).toBeLessThanOrEqual(500)
      await delay(retryAfterMs ?? 0)
      // What was on its way when that was said does not overtake it.
      expect(await peer.ask(fourth)).toMatchObject({ code: 'rate-limited' })
      await delay(1_100)
      expect(await peer.ask(third)).toMatchObject({ type: 'ok', seq: 3 })
      expect(await peer.ask(fourth)).toMatchObject({ type: 'ok', seq: 4 })
      // Who gives up what it was told to send again is held up once.
      await delay(1_100)
      const given = await Promise.all([5, 6, 7].map((n) => peer.send(lobby, n)))
      expect(given.at(-1)).toMatchObject({ code: 'rate-limited' })
      await delay(1_100)
      const later = peer.draft(lobby, 8)
      expect(await peer.ask(later)).toMatchObject({ code: 'rate-limited' })
      expect(await peer.ask(later)).toMatchObject({ type: 'ok' })
    })

    it('inFlight', async () => {
      await server.control('settings', { inFlight: 1 })
      const peer = await joined()
      const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => peer.send(lobby, n)))
      const codes = new Set(answers.map(({ type, code }) => code ?? type))
      expect(codes.has('ok')).toBe(true)
      expect([...codes].every((code) => ['ok', 'rate-limited'].includes(code))).toBe(true)
    })

    it('history', async () => {
      const peer = await joined()
      expect(await peer.ask({ type: 'history', room: lobby, limit: 101 })).toMatchObject({
        code: 'too-large',
      })
    })
  })

  it('answers what is no frame with bad-frame, and the connection stays', async () => {
    const peer = await joined()
    const base = {
      type: 'send',
      id: 1,
      room: lobby,
      epoch: 'e',
      clientId: peer.client,
      n: 1,
      data: 0,
    }
    const wrong: unknown[] = [
      null,
      [],
      7,
      {},
      { type: 'ping' },
      { type: 'ping', id: -1 },
      { type: 'ping', id: 1.5 },
      { type: 'ping', id: true },
      { type: 'ping', id: 2 ** 53 },
      { type: 'toString', id: 1 },
      { type: ['ping'], id: 1 },
      { type: '__proto__', id: 1 },
      { type: 'join', id: 1, rooms: [] },
      { type: 'join', id: 1, rooms: [{}] },
      { type: 'join', id: 1, rooms: [{ room: 'a' }, { room: 'a' }] },
      { type: 'join', id: 1, rooms: [{ room: '' }] },
      { type: 'join', id: 1, rooms: [{ room: 'é'.repeat(129) }] },
      { type: 'join', id: 1, rooms: [{ room: '\ud800' }] },
      { type: 'join', id: 1, rooms: [{ room: 'a', params: [] }] },
      { type: 'join', id: 1, rooms: [{ room: 'a', presence: null }] },
      { type: 'join', id: 1, rooms: [{ room: 'a', resume: { epoch: 'e', seq: -1 } }] },
      { type: 'history', id: 1, room: lobby, limit: 0 },
      { type: 'history', id: 1, room: lobby, limit: 1, before: -1 },
      { type: 'auth', id: 1, token: '' },
      { type: 'call', id: 1 },
      { ...base, data: undefined },
      { ...base, clientId: 'A'.repeat(32) },
      { ...base, clientId: newClientId() },
      { ...base, n: '1' },
      { ...base, epoch: '' },
      { ...base, volatile: false },
    ]
    const texts = [
      ...wrong.map((frame) => JSON.stringify(frame)),
      '',
      '{',
      '{"type":"ping","id":1e999}',
      `{"type":"call","id":1,"method":"echo","data":NaN}`,
      `{"type":"call","data":[{"id":7}],"method":"echo","x":"\\"","data":${'['.repeat(5_000)}${']'.repeat(5_000)},"id":3001}`,
      '{"type":"call","id":3002,"method":"echo","data":1e999}',
    ]
    for (const text of texts) peer.raw(text)
    peer.raw(Buffer.from([1, 2, 3]))
    await peer.ask({ type: 'ping' })
    // A ping is answered at once, before what waits for its turn.
    await peer.ask({ type: 'call', method: 'echo' })
    const answers = peer.frames.filter(({ type }) => type === 'error')
    expect(answers.map(({ code }) => code)).toEqual(Array(texts.length + 1).fill('bad-frame'))
    // So that nobody waits for an answer: also where Python cannot read the frame.
    for (const id of [3_001, 3_002])
      expect(answers.filter((frame) => frame.id === id)).toHaveLength(1)
    expect(answers.filter(({ id }) => id === undefined).length).toBeGreaterThan(10)
    expect(answers.filter(({ room }) => room === lobby).length).toBeGreaterThan(5)
  })

  it('tells everybody to move before it ends, and closes with 1012', async () => {
    const peer = await come()
    await server.kill('SIGTERM')
    await peer.until('drain', ({ type, withinMs }) => type === 'drain' && withinMs === 250)
    expect((await peer.ended).code).toBe(1012)
    await server.restart()
  })
})

it('saw every frame of the schema', () => {
  expect([...seen.client].sort()).toEqual(typesOf('client'))
  expect([...seen.server].sort()).toEqual(typesOf('server'))
})
