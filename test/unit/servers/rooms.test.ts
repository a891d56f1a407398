import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import { RawClient } from './raw-client.ts'

const CLIENT_ID = '0123456789abcdef0123456789abcdef'
let server: ReferenceServer

beforeAll(async () => {
  server = await createReferenceServer()
})
beforeEach(() => server.reset())
afterAll(() => server.close())

async function dial(user = 'alice'): Promise<RawClient> {
  const { access } = await server.mint({ user })
  return new RawClient(`${server.wsUrl}/ws/rooms`, ['authed-rooms.v1', 'token', access]).open()
}

async function joined(room: string, user = 'alice'): Promise<RawClient> {
  const client = await dial(user)
  client.send({ type: 'join', id: 1, rooms: [{ room }] })
  await client.takeType('joined')
  return client
}

describe('rooms protocol v1', () => {
  it('echoes its name and says welcome first', async () => {
    const client = await dial()
    expect(client.socket.protocol).toBe('authed-rooms.v1')
    expect(await client.take(() => true)).toEqual({
      type: 'welcome',
      version: 1,
      user: 'alice',
      session: expect.any(String),
      limits: { frameBytes: 65_536, roomsPerJoin: 100 },
      heartbeatMs: 25_000,
      features: ['call'],
    })
    client.send({ type: 'ping', id: 5 })
    expect(await client.take(() => true)).toEqual({ type: 'pong', id: 5 })
  })

  it('answers a join room by room', async () => {
    const client = await dial()
    client.send({
      type: 'join',
      id: 1,
      rooms: [{ room: 'a', params: { x: 1 } }, { room: 'forbidden' }, { room: 'b' }],
    })
    expect(await client.takeType('joined')).toEqual({
      type: 'joined',
      id: 1,
      room: 'a',
      epoch: expect.any(String),
      seq: 0,
    })
    expect(await client.takeType('joined')).toMatchObject({ id: 1, room: 'b' })
    expect(await client.takeType('error')).toMatchObject({
      id: 1,
      room: 'forbidden',
      code: 'forbidden',
    })
  })

  it('numbers messages and delivers them to everybody, the sender too', async () => {
    const [alice, bob] = await Promise.all([joined('numbers'), joined('numbers', 'bob')])
    alice.send({
      type: 'send',
      id: 3,
      room: 'numbers',
      clientId: CLIENT_ID,
      n: 7,
      data: { text: 'hi' },
    })
    expect(await alice.takeType('ok')).toEqual({ type: 'ok', id: 3, seq: 1 })
    const message = {
      type: 'message',
      room: 'numbers',
      seq: 1,
      from: 'alice',
      clientId: CLIENT_ID,
      n: 7,
      at: expect.any(Number),
      data: { text: 'hi' },
    }
    expect(await alice.takeType('message')).toEqual(message)
    expect(await bob.takeType('message')).toEqual(message)
    const late = await dial()
    late.send({ type: 'join', id: 1, rooms: [{ room: 'numbers' }] })
    expect(await late.takeType('joined')).toMatchObject({ seq: 1 })
  })

  it('delivers a repeated send once, over a reconnect too', async () => {
    const bob = await joined('twice', 'bob')
    const first = await joined('twice')
    const frame = { type: 'send', room: 'twice', clientId: CLIENT_ID, n: 1, data: 'x' }
    first.send({ ...frame, id: 2 })
    first.send({ ...frame, id: 3 })
    expect(await first.takeType('ok')).toEqual({ type: 'ok', id: 2, seq: 1 })
    expect(await first.takeType('ok')).toEqual({ type: 'ok', id: 3, seq: 1 })
    first.socket.terminate()
    const second = await joined('twice')
    second.send({ ...frame, id: 9 })
    expect(await second.takeType('ok')).toEqual({ type: 'ok', id: 9, seq: 1 })
    second.send({ ...frame, id: 10, n: 2 })
    expect(await second.takeType('ok')).toEqual({ type: 'ok', id: 10, seq: 2 })
    expect(await bob.takeType('message')).toMatchObject({ seq: 1 })
    expect(await bob.takeType('message')).toMatchObject({ seq: 2 })
    expect(bob.frames.filter((each) => each['type'] === 'message')).toEqual([])
  })

  it("does not let one user occupy another's message ids", async () => {
    const [alice, bob] = await Promise.all([joined('ids'), joined('ids', 'bob')])
    const frame = { type: 'send', id: 2, room: 'ids', clientId: CLIENT_ID, n: 1 }
    bob.send({ ...frame, data: 'stolen' })
    await bob.takeType('ok')
    alice.send({ ...frame, data: 'mine' })
    expect(await alice.takeType('ok')).toMatchObject({ seq: 2 })
  })

  it('wants a join before leave and send', async () => {
    const client = await dial()
    client.send({ type: 'send', id: 1, room: 'lobby', clientId: CLIENT_ID, n: 1, data: null })
    expect(await client.takeType('error')).toMatchObject({
      id: 1,
      room: 'lobby',
      code: 'not-joined',
    })
    client.send({ type: 'leave', id: 2, room: 'lobby' })
    expect(await client.takeType('error')).toMatchObject({ id: 2, code: 'not-joined' })
    const member = await joined('lobby')
    member.send({ type: 'leave', id: 3, room: 'lobby' })
    expect(await member.takeType('ok')).toEqual({ type: 'ok', id: 3 })
    member.send({ type: 'send', id: 4, room: 'lobby', clientId: CLIENT_ID, n: 1, data: 1 })
    expect(await member.takeType('error')).toMatchObject({ id: 4, code: 'not-joined' })
  })

  it('answers calls', async () => {
    const client = await dial()
    client.send({ type: 'call', id: 4, method: 'order.place', data: { n: 1 } })
    expect(await client.takeType('reply')).toEqual({
      type: 'reply',
      id: 4,
      data: { placed: true, by: 'alice', order: { n: 1 } },
    })
    client.send({ type: 'call', id: 5, method: 'toString' })
    expect(await client.takeType('error')).toMatchObject({ id: 5, code: 'unknown-method' })
  })

  it.each([
    ['no json', {}],
    ['[]', {}],
    ['{"type":"ping"}', {}],
    ['{"type":"nonsense","id":1}', { id: 1 }],
    ['{"type":"join","id":2,"rooms":[]}', { id: 2 }],
    ['{"type":"leave","id":3,"room":""}', { id: 3 }],
    ['{"type":"send","id":4,"room":"a","clientId":"short","n":1,"data":1}', { id: 4, room: 'a' }],
    [`{"type":"send","id":5,"room":"a","clientId":"${CLIENT_ID}","n":1}`, { id: 5, room: 'a' }],
    [Buffer.from([1, 2]), {}],
  ])('answers %s with bad-frame and stays open', async (frame, where) => {
    const client = await dial()
    client.socket.send(frame)
    expect(await client.takeType('error')).toEqual({
      type: 'error',
      ...where,
      code: 'bad-frame',
      message: expect.any(String),
    })
    client.send({ type: 'ping', id: 9 })
    await client.takeType('pong')
  })

  it('keeps its limits', async () => {
    server.settings({ frameBytes: 200, roomsPerJoin: 2, sendsPerSecond: 1 })
    const client = await joined('small')
    client.send({
      type: 'send',
      id: 1,
      room: 'small',
      clientId: CLIENT_ID,
      n: 1,
      data: 'x'.repeat(300),
    })
    expect(await client.takeType('error')).toMatchObject({ id: 1, code: 'too-large' })
    client.send({ type: 'join', id: 2, rooms: [{ room: 'a' }, { room: 'b' }, { room: 'c' }] })
    expect(await client.takeType('error')).toMatchObject({ id: 2, code: 'too-large' })
    client.send({ type: 'send', id: 3, room: 'small', clientId: CLIENT_ID, n: 2, data: 1 })
    client.send({ type: 'send', id: 4, room: 'small', clientId: CLIENT_ID, n: 3, data: 1 })
    expect(await client.takeType('ok')).toMatchObject({ id: 3 })
    expect(await client.takeType('error')).toMatchObject({
      id: 4,
      code: 'rate-limited',
      retryAfterMs: expect.any(Number),
    })
  })

  it('refuses a token after accepting, without a welcome, and closes a client of another protocol', async () => {
    const refused = new RawClient(`${server.wsUrl}/ws/rooms`, [
      'authed-rooms.v1',
      'token',
      'garbage',
    ])
    expect(await refused.ended).toEqual({ code: 4003, reason: 'token invalid' })
    expect(refused.frames).toEqual([])
    const { access } = await server.mint({ user: 'alice' })
    const other = new RawClient(`${server.wsUrl}/ws/rooms?token=${access}`)
    expect((await other.ended).code).toBe(1002)
  })
})
