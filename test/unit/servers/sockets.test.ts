import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../servers/node/faults.ts'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import { RawClient } from './raw-client.ts'

let server: ReferenceServer
let token: string

beforeAll(async () => {
  server = await createReferenceServer()
  token = (await server.mint({ user: 'alice' })).access
})
beforeEach(() => server.reset())
afterAll(() => server.close())

const chat = (room = 'lobby', query = `?token=${token}`): RawClient =>
  new RawClient(`${server.wsUrl}/ws/chat/${room}/${query}`)

const bearer = (value: string): string =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(value).toString('base64url')}`

const phoenix = (value: string): string =>
  `base64url.bearer.phx.${Buffer.from(value).toString('base64').replaceAll('=', '')}`
const JUPYTER = 'v1.token.websocket.jupyter.org'

describe('transmissions', () => {
  const bare = (): string => `${server.wsUrl}/ws/chat/lobby`

  it.each([
    ['query', () => chat(), ''],
    ['subprotocol-pair', () => new RawClient(bare(), ['token', token]), 'token'],
    ['subprotocol-pair', () => new RawClient(bare(), ['chat', 'token', token]), 'chat'],
    ['subprotocol-bearer', () => new RawClient(bare(), ['chat', bearer(token)]), 'chat'],
    ['subprotocol-pair', () => new RawClient(bare(), ['bearer', token]), 'bearer'],
    ['subprotocol-phoenix', () => new RawClient(bare(), ['phoenix', phoenix(token)]), 'phoenix'],
    ['subprotocol-jupyter', () => new RawClient(bare(), [JUPYTER, `${JUPYTER}.${token}`]), JUPYTER],
    ['subprotocol-custom', () => new RawClient(bare(), ['chat', `jwt.${token}`]), 'chat'],
    [
      'header',
      () => new RawClient(bare(), [], { headers: { authorization: `Bearer ${token}` } }),
      '',
    ],
    [
      'cookie',
      () => new RawClient(bare(), [], { headers: { cookie: `a=b; access_token=${token}` } }),
      '',
    ],
  ] as const)('reads %s', async (transmission, dial, protocol) => {
    const client = await dial().open()
    expect(client.socket.protocol).toBe(protocol)
    expect(await client.take(() => true)).toEqual({ message: 'Welcome, alice!' })
    const [record] = server.dials()
    expect(record).toMatchObject({
      path: expect.stringMatching(/^\/ws\/chat\/lobby\/?$/),
      transmissions: [transmission],
      outcome: 'admitted',
    })
    expect(JSON.stringify(server.dials())).not.toContain(token)
    client.socket.close()
  })

  it.each([
    ['http://127.0.0.1:1', true],
    ['http://evil.example', false],
    ['null', false],
  ])('takes the cookie from a page of %s: %s', async (origin, isTaken) => {
    const headers = { cookie: `access_token=${token}`, origin }
    const client = new RawClient(bare(), [], { headers })
    if (isTaken) await client.open()
    else expect(await client.ended).toEqual({ code: 4003, reason: 'token missing' })
    expect(server.openSockets()).toBe(isTaken ? 1 : 0)
    client.socket.terminate()
    await client.ended
  })

  it('never echoes a token', async () => {
    expect((await new RawClient(bare(), [token]).ended).code).toBe(1006)
  })

  it('accepts first, then refuses with 4003', async () => {
    const none = chat('lobby', '')
    expect(await none.ended).toEqual({ code: 4003, reason: 'token missing' })
    expect([none.opened, none.frames.length]).toEqual([true, 0])
    const expired = (await server.mint({ user: 'alice', kind: 'expired' })).access
    expect(await chat('lobby', `?token=${expired}`).ended).toEqual({
      code: 4003,
      reason: 'token expired',
    })
    expect((await chat('lobby', '?token=garbage').ended).reason).toBe('token invalid')
    const twice = new RawClient(`${bare()}?token=${token}`, ['token', token])
    expect((await twice.ended).reason).toBe('token ambiguous')
    server.revoke('alice')
    expect((await chat().ended).reason).toBe('token revoked')
    expect(server.counts()).toMatchObject({ dials: 5, accepted: 0 })
  })
})

describe('chat and plain', () => {
  it('broadcasts to the room and records what it received', async () => {
    const [alice, again, elsewhere] = await Promise.all([
      chat().open(),
      chat().open(),
      chat('other').open(),
    ])
    alice.send({ message: 'hi' })
    const hi = { message: 'hi', username: 'alice' }
    expect(await alice.take((frame) => frame['message'] === 'hi')).toEqual(hi)
    expect(await again.take((frame) => frame['message'] === 'hi')).toEqual(hi)
    alice.send('no json')
    expect(await alice.take((frame) => 'error' in frame)).toBeDefined()
    expect(elsewhere.frames.filter((frame) => frame['message'] === 'hi')).toEqual([])
    expect(server.received()).toEqual([
      { room: 'lobby', user: 'alice', data: '{"message":"hi"}' },
      { room: 'lobby', user: 'alice', data: 'no json' },
    ])
    expect(server.openSockets()).toBe(3)
    expect(server.closeSockets({ code: 4100, reason: 'moved', room: 'lobby' })).toBe(2)
    expect(await alice.ended).toEqual({ code: 4100, reason: 'moved' })
    server.closeSockets({ code: 1012 })
    expect((await elsewhere.ended).code).toBe(1012)
  })

  it('serves one socket without rooms', async () => {
    const client = await new RawClient(`${server.wsUrl}/ws/plain`, ['token', token]).open()
    client.send({ message: { nested: [1] } })
    expect(await client.take((frame) => 'username' in frame)).toEqual({
      message: { nested: [1] },
      username: 'alice',
    })
    client.socket.close()
  })

  it('closes the forbidden room with 4003 and unknown paths with 404', async () => {
    expect(await chat('forbidden').ended).toMatchObject({ code: 4003 })
    expect((await new RawClient(`${server.wsUrl}/ws/nowhere?token=${token}`).ended).status).toBe(
      404,
    )
    expect((await chat('%E0%A4%A').ended).status).toBe(404)
  })

  it('closes at expiry only when told to', async () => {
    server.settings({ exactExp: true })
    const short = (await server.mint({ user: 'alice', lifetimeMs: 120 })).access
    const kept = await chat('lobby', `?token=${short}`).open()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(kept.socket.readyState).toBe(kept.socket.OPEN)
    server.settings({ closeAtExpiry: true })
    const next = (await server.mint({ user: 'alice', lifetimeMs: 120 })).access
    expect(await chat('lobby', `?token=${next}`).ended).toEqual({
      code: 4003,
      reason: 'token expired',
    })
    kept.socket.close()
  })

  it('refuses sockets by setting', async () => {
    server.settings({ refuseSockets: { when: 'before-accept', code: 4003 } })
    expect(await chat().ended).toMatchObject({ status: 403, code: 1006 })
    server.settings({ refuseSockets: { when: 'after-accept', code: 1008 } })
    const atOnce = chat()
    expect((await atOnce.ended).code).toBe(1008)
    expect(atOnce.frames).toEqual([])
    server.settings({ refuseSockets: { when: 'after-accept', code: 4003, afterMs: 60 } })
    const later = chat()
    expect((await later.ended).code).toBe(4003)
    expect(later.frames).toEqual([{ message: 'Welcome, alice!' }])
  })
})

describe('dial faults', () => {
  async function failing(fault: Fault): Promise<RawClient> {
    server.fault(fault)
    const client = chat()
    await client.ended
    const after = await chat().open()
    after.socket.close()
    return client
  }

  it('refuses with a status, then lets the next in', async () => {
    const client = await failing({ kind: 'refuse', status: 429, body: '{}' })
    expect(await client.ended).toMatchObject({ status: 429, code: 1006 })
    const closed = await failing({ kind: 'close-before-accept' })
    expect((await closed.ended).status).toBe(403)
  })

  it('applies a rule several times', async () => {
    server.fault({ kind: 'refuse', status: 502, times: 2 })
    expect([(await chat().ended).status, (await chat().ended).status]).toEqual([502, 502])
    await chat().open()
  })

  it('closes after accept, at once or later', async () => {
    const atOnce = await failing({ kind: 'close-after-accept', code: 4003, reason: 'no' })
    expect([atOnce.opened, atOnce.frames.length]).toEqual([true, 0])
    expect(await atOnce.ended).toEqual({ code: 4003, reason: 'no' })
    const later = await failing({ kind: 'close-after-accept', code: 1013, afterMs: 40 })
    expect([(await later.ended).code, later.frames.length]).toEqual([1013, 1])
  })

  it('sends 101, a frame and the close in one TCP write', async () => {
    server.fault({ kind: 'close-after-accept', code: 4003, withFrame: '{"error":"expired"}' })
    const chunks: Buffer[] = await new Promise((resolve) => {
      const read: Buffer[] = []
      const raw = connect(server.port, '127.0.0.1')
      raw.on('data', (chunk: Buffer) => {
        read.push(chunk)
        raw.end()
      })
      raw.on('close', () => resolve(read))
      raw.write(
        'GET /ws/plain HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      )
    })
    expect(chunks).toHaveLength(1)
    const text = chunks[0]?.toString('latin1') ?? ''
    expect(text).toMatch(/^HTTP\/1.1 101/)
    // A close frame with the two bytes of 4003.
    expect(text.endsWith('{"error":"expired"}\x88\x02\x0f\xa3')).toBe(true)
    server.fault({ kind: 'close-after-accept', code: 4003, withFrame: '{"error":"expired"}' })
    const client = chat()
    expect(await client.ended).toEqual({ code: 4003, reason: '' })
    expect(client.frames).toEqual([{ error: 'expired' }])
  })

  it('echoes none or a wrong subprotocol', async () => {
    const dial = (): RawClient =>
      new RawClient(`${server.wsUrl}/ws/chat/lobby`, ['chat', 'token', token])
    server.fault([{ kind: 'no-subprotocol' }, { kind: 'wrong-subprotocol', value: 'other' }])
    const none = dial()
    none.socket.on('error', (error) => expect(error.message).toMatch(/no subprotocol/))
    expect((await none.ended).code).toBe(1006)
    const wrong = dial()
    wrong.socket.on('error', (error) => expect(error.message).toMatch(/invalid subprotocol/))
    expect((await wrong.ended).code).toBe(1006)
    expect((await dial().open()).socket.protocol).toBe('chat')
  })

  it('hangs, drops TCP before or after accepting, answers late', async () => {
    server.fault({ kind: 'hang' })
    const hanging = new RawClient(`${server.wsUrl}/ws/plain?token=${token}`, [], {
      handshakeTimeout: 80,
    })
    expect([(await hanging.ended).code, hanging.opened]).toEqual([1006, false])
    const dropped = await failing({ kind: 'drop-tcp' })
    expect([(await dropped.ended).code, dropped.opened]).toEqual([1006, false])
    const later = await failing({ kind: 'drop-tcp', afterMs: 40 })
    expect([(await later.ended).code, later.opened, later.frames.length]).toEqual([1006, true, 1])
    server.fault({ kind: 'late', ms: 80 })
    const startedAt = Date.now()
    await chat().open()
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(75)
  })

  it('names the mistake in a rule', () => {
    expect(() => server.fault({ kind: 'close-after-accept', code: 1006 })).toThrow(/"code"/)
    expect(() => server.fault({ kind: 'refuse', status: 101 })).toThrow(/"status"/)
  })
})

it('closes with 1012 and frees the port', async () => {
  const own = await createReferenceServer()
  const { access } = await own.mint({ user: 'bob' })
  const client = await new RawClient(`${own.wsUrl}/ws/plain?token=${access}`).open()
  own.fault({ kind: 'hang' })
  const hanging = new RawClient(`${own.wsUrl}/ws/plain?token=${access}`)
  await own.close()
  expect((await client.ended).code).toBe(1012)
  expect((await hanging.ended).code).toBe(1006)
  await (await createReferenceServer({ port: own.port })).close()
})
