import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import { RoomsClient } from '../../support/rooms-client.ts'
import { startSlowClock } from '../../support/slow-clock.ts'
import { type Caller, dial, dialInto, pause, watch } from './support.ts'

let server: ReferenceServer
let stopClock: () => Promise<void>
beforeAll(async () => {
  stopClock = startSlowClock()
  server = await createReferenceServer()
})
beforeEach(() => {
  server.reset()
  // Lifetimes of less than a second.
  server.settings({ exactExp: true })
})
afterAll(async () => {
  await server.close()
  await stopClock()
})

const mint = async (user: string, lifetimeMs = 300_000): Promise<string> =>
  (await server.mint({ user, lifetimeMs })).access

describe('a handshake without a token', () => {
  const unknown = (caller: Omit<Caller, 'user'> = {}): RoomsClient =>
    watch(new RoomsClient(server.wsUrl, caller))

  it('is accepted, and welcomed after an auth frame', async () => {
    const client = unknown({ join: ['lobby'] })
    client.socket.once('open', async () => {
      client.send({ type: 'auth', token: await mint('bob') })
    })
    expect(await client.welcome()).toMatchObject({ user: 'bob' })
    expect(await client.take('joined')).toMatchObject({ room: 'lobby' })
    expect(await client.sent('lobby', 'x')).toMatchObject({ seq: 1 })
    expect(server.dials()).toMatchObject([
      { transmissions: ['first-message'], outcome: 'admitted' },
    ])
  })

  it.each([
    ['a token that is not accepted', () => ({ type: 'auth', id: 1, token: 'garbage' }), 'invalid'],
    ['another frame', () => ({ type: 'ping', id: 1 }), 'missing'],
    ['no frame at all', () => 'hello', 'missing'],
    ['an auth frame without a token', () => ({ type: 'auth', id: 1 }), 'missing'],
  ])('is closed with 4003 after %s, and told nothing', async (_, frameOf, why) => {
    const client = unknown()
    client.socket.once('open', () => client.socket.send(JSON.stringify(frameOf())))
    expect(await client.ended).toEqual({ code: 4003, reason: `token ${why}` })
    expect(client.frames).toEqual([])
  })

  it('is closed with 4003 when no token comes in time', async () => {
    server.settings({ firstMessageMs: 100 })
    const client = unknown()
    expect(await client.ended).toEqual({ code: 4003, reason: 'token missing' })
    expect(client.frames).toEqual([])
    expect(server.openSockets()).toBe(0)
  })

  it('is refused without waiting where two tokens came', async () => {
    const token = await mint('alice')
    const protocols = ['authed-rooms.v1', 'token', token, `jwt.${token}`]
    const client = watch(new RoomsClient(server.wsUrl, { protocols }))
    expect(await client.ended).toEqual({ code: 4003, reason: 'token ambiguous' })
  })
})

describe('a token that is not accepted', () => {
  it.each([
    ['is garbage', async () => 'garbage', 'invalid'],
    ['has expired', () => mint('alice', -10_000), 'expired'],
  ])('because it %s is refused after accepting, without a welcome', async (_, tokenOf, why) => {
    const client = watch(new RoomsClient(server.wsUrl, { token: await tokenOf() }))
    expect(await client.ended).toEqual({ code: 4003, reason: `token ${why}` })
    expect(client.frames).toEqual([])
  })
})

describe('an auth frame on a welcomed connection', () => {
  it('renews the token, and leaves rooms as they are', async () => {
    const client = await dialInto(server, 'lobby', { lifetimeMs: 700 })
    const answer = await client.ask({ type: 'auth', token: await mint('alice', 60_000) })
    expect(answer).toEqual({ type: 'ok', id: expect.any(Number), expiresInMs: expect.any(Number) })
    const { expiresInMs = 0 } = answer.type === 'ok' ? answer : {}
    expect(expiresInMs).toBeGreaterThan(30_000)
    expect(expiresInMs).toBeLessThanOrEqual(60_000)
    await pause(1_000)
    expect(await client.sent('lobby', 'still here')).toMatchObject({ seq: expect.any(Number) })
  })

  it.each([
    ['is not accepted', async () => 'garbage', 'token-refused'],
    ['has expired', () => mint('alice', -10_000), 'token-refused'],
    ["is somebody else's", () => mint('bob'), 'other-user'],
  ])('changes nothing when the token %s', async (_, tokenOf, code) => {
    const client = await dialInto(server, 'lobby', { lifetimeMs: 900 })
    const token = await tokenOf()
    const answer = await client.ask({ type: 'auth', token })
    expect(answer).toEqual({
      type: 'error',
      id: expect.any(Number),
      code,
      message: expect.any(String),
    })
    expect(JSON.stringify(answer)).not.toContain(token)
    expect(await client.sent('lobby', 'x')).toMatchObject({ type: 'ok' })
    expect(await client.ended).toEqual({ code: 4003, reason: 'token expired' })
  })

  it('is not recorded, whatever is wrong with it', async () => {
    const client = await dial(server)
    const token = await mint('alice')
    for (const frame of [
      JSON.stringify({ type: 'auth', id: 1, token }),
      JSON.stringify({ type: 'auth', token }),
      `{"type":"auth","token":"${token}"`,
      `{"type":"\\u0061uth","id":2,"token":"${token}"}`,
    ]) {
      client.socket.send(frame)
    }
    await client.settled()
    expect(JSON.stringify(server.received())).not.toContain(token)
  })
})

describe('the end of a token', () => {
  it('is told in the welcome, announced, and closes the connection', async () => {
    server.settings({ expiringAheadMs: 300 })
    const token = await mint('alice', 1_000)
    const client = watch(new RoomsClient(server.wsUrl, { token }))
    const { expiresInMs = 0 } = await client.welcome()
    expect(expiresInMs).toBeLessThanOrEqual(1_000)
    const { inMs } = await client.take('expiring')
    expect(inMs).toBeLessThanOrEqual(300)
    expect(await client.ended).toEqual({ code: 4003, reason: 'token expired' })
  })

  it('is announced at half-time when the token is a short one', async () => {
    // Announced at once, a client that renews at once would be told again at once, and so on.
    const client = await dial(server, { lifetimeMs: 2_000 })
    await client.settled()
    expect(client.frames).toEqual([])
    expect((await client.take('expiring')).inMs).toBeLessThanOrEqual(1_000)
  })

  it('can be ignored, for a server that never ends a connection', async () => {
    server.settings({ closeAtExpiry: false })
    const client = await dial(server, { lifetimeMs: 200 })
    await pause(400)
    await client.settled()
    expect(client.frames).toEqual([])
  })
})
