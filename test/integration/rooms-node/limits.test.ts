import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import { RoomsClient } from '../../support/rooms-client.ts'
import { dial, dialInto, newRoom, pause, watch } from './support.ts'

let server: ReferenceServer
let room: string
beforeAll(async () => {
  server = await createReferenceServer({
    methods: {
      echo: (data) => data,
      nothing: () => undefined,
      fails: () => Promise.reject(new Error('no')),
      never: () => new Promise(() => {}),
    },
  })
})
beforeEach(() => {
  server.reset()
  room = newRoom()
})
afterAll(() => server.close())

describe('the handshake', () => {
  it('is welcomed first of all, with the limits', async () => {
    const { access: token } = await server.mint({ user: 'alice' })
    const client = watch(new RoomsClient(server.wsUrl, { token }))
    expect(await client.welcome()).toEqual({
      type: 'welcome',
      version: 1,
      user: 'alice',
      session: expect.any(String),
      limits: { frameBytes: 65_536, roomsPerJoin: 100, rooms: 10_000, inFlight: 64, history: 100 },
      heartbeatMs: 25_000,
      resumeWindowMs: 120_000,
      expiresInMs: expect.any(Number),
      features: ['auth', 'call', 'history', 'join-in-url', 'presence'],
    })
    expect(client.socket.protocol).toBe('authed-rooms.v1')
  })

  it('of a client that does not offer the protocol is closed with 1002', async () => {
    const client = watch(new RoomsClient(server.wsUrl, { protocols: [] }))
    expect((await client.ended).code).toBe(1002)
    expect(client.frames).toEqual([])
  })

  it('joins the rooms of the URL, and says of each what became of it', async () => {
    const tooLong = 'ü'.repeat(129)
    const join = [room, 'ünï & co', 'forbidden', tooLong, room, '']
    const client = await dial(server, { join })
    const joined = [await client.take('joined'), await client.take('joined')]
    expect(joined.map((frame) => frame.room).sort()).toEqual([room, 'ünï & co'].sort())
    for (const frame of joined) {
      expect(frame).toMatchObject({ seq: 0, recovered: false })
      expect(frame.id).toBeUndefined()
    }
    const isOf = (name: string) => (frame: { room?: string | undefined }) => frame.room === name
    expect(await client.take('error', isOf('forbidden'))).toMatchObject({ code: 'forbidden' })
    expect(await client.take('error', isOf(tooLong))).toMatchObject({ code: 'bad-frame' })
    expect(await client.take('error', isOf(''))).toMatchObject({ code: 'bad-frame' })
    expect(await client.sent(room, 'x')).toMatchObject({ seq: 1 })
    expect(client.frames).toEqual([])
  })

  it('has room for 1,024 bytes of names in the URL', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `${index % 10}`.repeat(100) + index)
    const client = await dial(server, { join: names })
    const refused = await client.take('error')
    expect(refused).toMatchObject({ room: names[10], code: 'too-large' })
    await client.settled()
    const joined = client.frames.flatMap((frame) => (frame.type === 'joined' ? frame.room : []))
    expect(joined.sort()).toEqual(names.slice(0, 10).sort())
  })
})

describe('a frame', () => {
  const send = '"type":"send","id":5,"room":"a"'
  const client = `"clientId":"${'0'.repeat(32)}"`
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)

  it.each<[string, string | Buffer, object]>([
    ['is no JSON', 'no json', {}],
    ['is a list', '[]', {}],
    ['is a text', '"text"', {}],
    ['is null', 'null', {}],
    ['is empty', '', {}],
    ['has no id', '{"type":"ping"}', {}],
    ['has an id below 0', '{"type":"ping","id":-1}', {}],
    ['has an id with a fraction', '{"type":"ping","id":1.5}', {}],
    ['has an id that is too large', '{"type":"ping","id":9007199254740992}', {}],
    ['has no type', '{"id":1}', { id: 1 }],
    ['has an unknown type', '{"type":"nonsense","id":1}', { id: 1 }],
    ['has a type that every object knows', '{"type":"toString","id":1}', { id: 1 }],
    ['joins no room', '{"type":"join","id":2,"rooms":[]}', { id: 2 }],
    ['joins a room twice', '{"type":"join","id":2,"rooms":[{"room":"a"},{"room":"a"}]}', { id: 2 }],
    ['joins none, and names one', '{"type":"join","id":2,"room":"a","rooms":[]}', { id: 2 }],
    ['resumes null', '{"type":"join","id":2,"rooms":[{"room":"a","resume":null}]}', { id: 2 }],
    ['shows a list', '{"type":"join","id":2,"rooms":[{"room":"a","presence":[]}]}', { id: 2 }],
    ['names half a pair', '{"type":"join","id":2,"rooms":[{"room":"\\ud800"}]}', { id: 2 }],
    ['names no room', '{"type":"leave","id":3,"room":""}', { id: 3 }],
    ['names a room at length', `{"type":"leave","id":3,"room":"${'ü'.repeat(129)}"}`, { id: 3 }],
    [
      'has a short clientId',
      `{${send},"epoch":"e","clientId":"0","n":1,"data":1}`,
      { id: 5, room: 'a' },
    ],
    ['has no data', `{${send},"epoch":"e",${client},"n":1}`, { id: 5, room: 'a' }],
    [
      'has no name of an epoch',
      `{${send},"epoch":"",${client},"n":1,"data":1}`,
      { id: 5, room: 'a' },
    ],
    [
      'is volatile in vain',
      `{${send},"epoch":"e",${client},"n":1,"data":1,"volatile":false}`,
      { id: 5, room: 'a' },
    ],
    ['asks for nothing', '{"type":"history","id":6,"room":"a","limit":0}', { id: 6, room: 'a' }],
    ['calls no method', '{"type":"call","id":7}', { id: 7 }],
    ['has an empty token', '{"type":"auth","id":8,"token":""}', { id: 8 }],
    ['is deep', `{"type":"call","id":9,"method":"echo","data":${deep}}`, { id: 9 }],
    ['is binary', Buffer.from([1, 2]), {}],
    ['would be a good one as text', Buffer.from('{"type":"ping","id":1}'), {}],
  ])('that %s is a bad one, and the connection stays', async (_, frame, where) => {
    const client = await dial(server)
    client.socket.send(frame)
    expect(await client.take('error')).toEqual({
      type: 'error',
      ...where,
      code: 'bad-frame',
      message: expect.any(String),
    })
    await client.settled()
    expect(client.frames).toEqual([])
  })

  it('may have members that nobody knows', async () => {
    const client = await dial(server)
    client.socket.send('{"type":"ping","id":7,"later":true,"__proto__":{"id":8}}')
    expect(await client.take('pong')).toEqual({ type: 'pong', id: 7 })
  })

  it('above its bytes is too large, with the id where it can be read', async () => {
    server.settings({ frameBytes: 300 })
    const client = await dialInto(server, room)
    const long = await client.ask(client.say(room, 'ü'.repeat(150)))
    expect(long).toMatchObject({ type: 'error', room, code: 'too-large' })
    client.socket.send('x'.repeat(301))
    const { id, code } = await client.take('error')
    expect({ id, code }).toEqual({ id: undefined, code: 'too-large' })
    expect(await client.sent(room, 'x'.repeat(100))).toMatchObject({ seq: 1 })
  })

  it('far above it ends the connection with 1009', async () => {
    const client = await dial(server)
    client.socket.send('x'.repeat(5_000_000))
    expect((await client.ended).code).toBe(1009)
  })
})

describe('a limit', () => {
  it('of rooms in a join refuses the whole join', async () => {
    server.settings({ roomsPerJoin: 2 })
    const client = await dial(server)
    const rooms = [room, newRoom(), newRoom()].map((name) => ({ room: name }))
    const answer = await client.ask({ type: 'join', rooms })
    expect(answer).toMatchObject({ type: 'error', code: 'too-large' })
    expect(answer).not.toHaveProperty('room')
    expect(await client.ask({ type: 'leave', room })).toMatchObject({ code: 'not-joined' })
  })

  it('of rooms on a connection refuses those above it', async () => {
    server.settings({ rooms: 2 })
    const client = await dialInto(server, room)
    const [second, third] = [newRoom(), newRoom()]
    const rooms = [room, second, third].map((name) => ({ room: name }))
    const id = client.send({ type: 'join', rooms })
    expect(await client.take('error')).toMatchObject({ id, room: third, code: 'too-large' })
    await client.settled()
    expect(client.frames.map((frame) => 'room' in frame && frame.room)).toEqual([room, second])
    await client.ask({ type: 'leave', room: second })
    expect(await client.join(third)).toMatchObject({ seq: 0 })
  })

  it('of unanswered sends refuses those above it, for a moment', async () => {
    server.settings({ inFlight: 5 })
    const client = await dialInto(server, room)
    // In one write, so that they arrive together.
    const { epoch = '' } = client.told(room) ?? {}
    const raw = (client.socket as unknown as { _socket: { cork(): void; uncork(): void } })._socket
    raw.cork()
    const asking = Array.from({ length: 20 }, (_, n) => client.ask(client.say(room, n, { epoch })))
    raw.uncork()
    const answers = await Promise.all(asking)
    const refused = answers.filter((answer) => answer.type === 'error')
    expect(refused.length).toBeGreaterThan(0)
    for (const answer of refused) {
      expect(answer).toMatchObject({ code: 'rate-limited', retryAfterMs: expect.any(Number) })
    }
    const later = client.say(room, 'later')
    // Those before were given up, which the server learns when this one comes again.
    expect(await client.ask(later)).toMatchObject({ code: 'rate-limited' })
    expect(await client.ask(later)).toMatchObject({ seq: 20 - refused.length + 1 })
  })

  it('of sends in a second says when to try again', async () => {
    server.settings({ sendsPerSecond: 2 })
    const client = await dialInto(server, room)
    const sends = [1, 2, 3].map((n) => client.say(room, n))
    const answers = await Promise.all(sends.map((send) => client.ask(send)))
    expect(answers.map(({ type }) => type)).toEqual(['ok', 'ok', 'error'])
    const { retryAfterMs = 0 } = answers[2]?.type === 'error' ? answers[2] : {}
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(1_000)
    await pause(retryAfterMs + 5)
    // What was on its way when that was said does not overtake it.
    const later = client.say(room, 4)
    expect(await client.ask(later)).toMatchObject({ type: 'error', code: 'rate-limited' })
    const again = [sends[2] ?? later, later].map((send) => client.ask(send))
    expect(await Promise.all(again)).toMatchObject([{ seq: 3 }, { seq: 4 }])
  })

  it('lets a client give up what it was told to send again', async () => {
    server.settings({ sendsPerSecond: 1 })
    const client = await dialInto(server, room)
    const sends = [1, 2].map((n) => client.say(room, n))
    await Promise.all(sends.map((send) => client.ask(send)))
    server.settings({ sendsPerSecond: null })
    const later = client.say(room, 3)
    expect(await client.ask(later)).toMatchObject({ code: 'rate-limited' })
    expect(await client.ask(later)).toMatchObject({ seq: 2 })
    expect(await client.sent(room, 4)).toMatchObject({ seq: 3 })
  })
})

describe('a call', () => {
  it('is answered by what the method returns', async () => {
    const client = await dial(server)
    const call = (method: string, data?: unknown) => client.ask({ type: 'call', method, data })
    expect(await call('echo', { a: [null] })).toMatchObject({ type: 'reply', data: { a: [null] } })
    expect(await call('echo')).toMatchObject({ type: 'reply', data: null })
    expect(await call('nothing')).toMatchObject({ type: 'reply', data: null })
    expect(await call('fails')).toMatchObject({ type: 'error', code: 'forbidden' })
    expect(await call('toString')).toMatchObject({ type: 'error', code: 'unknown-method' })
  })

  it('that takes long holds up nothing', async () => {
    const client = await dial(server)
    client.send({ type: 'call', method: 'never' })
    expect(await client.join(room)).toMatchObject({ seq: 0 })
  })
})

describe('a drain', () => {
  it('is told to all, and closes with 1012 who is still there', async () => {
    const [goes, stays] = await Promise.all([dial(server), dialInto(server, room)])
    const draining = server.drain(400)
    expect(await goes.take('drain')).toEqual({ type: 'drain', withinMs: 400 })
    await stays.take('drain')
    // Until then all goes on, and who comes meanwhile stays.
    expect(await stays.sent(room, 'x')).toMatchObject({ seq: 1 })
    const late = await dial(server)
    await goes.close()
    expect(stays.socket.readyState).toBe(stays.socket.OPEN)
    expect(await stays.ended).toEqual({ code: 1012, reason: 'restarting' })
    await draining
    await late.settled()
  })

  it('is over as soon as all have gone', async () => {
    const client = await dial(server)
    const draining = server.drain(60_000)
    await client.take('drain')
    await client.close()
    await draining
  })

  it('comes before the end of a server that retires', async () => {
    const own = await createReferenceServer()
    own.settings({ drainMs: 60_000 })
    const client = await dial(own)
    const retiring = own.retire()
    expect(await client.take('drain')).toEqual({ type: 'drain', withinMs: 60_000 })
    await expect(fetch(own.url)).rejects.toThrow()
    await client.close()
    await retiring
  })
})
