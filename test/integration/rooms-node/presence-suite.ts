import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PresentMember } from '../../servers/node/rooms/frames.ts'
import { newClientId, type RoomsClient } from '../../support/rooms-client.ts'
import { startSlowClock } from '../../support/slow-clock.ts'
import {
  type Caller,
  dial,
  newRoom,
  openStage,
  pause,
  type Stage,
  type StoreName,
} from './support.ts'

/** Renewed ten times as often, so that a machine that stands still for a moment ends no lease. */
const LEASE_MS = 1_500
const PATIENCE = { timeout: 20_000 }

export function presenceSuite(store: StoreName): void {
  describe(`presence, with rooms in ${store}`, () => definePresence(store))
}

function definePresence(store: StoreName): void {
  let stage: Stage
  let room: string
  let stopClock = async (): Promise<void> => {}
  beforeAll(async () => {
    // Redis has a clock of its own.
    if (store === 'memory') stopClock = startSlowClock()
    stage = await openStage(store)
  })
  beforeEach(() => {
    for (const server of [stage.server, stage.other]) {
      server.reset()
      server.settings({ leaseMs: LEASE_MS, leaseRenewMs: LEASE_MS / 10, catchUpMs: 50 })
    }
    room = newRoom()
  })
  afterAll(async () => {
    await stage.close()
    await stopClock()
  })

  const memberOf = ({ clientId }: RoomsClient, user: string, data: object): PresentMember => ({
    user,
    clientId,
    data: data as PresentMember['data'],
  })

  /** Shown in the room, and a watcher of it. */
  async function shown(
    server: Stage['server'],
    user: string,
    data: Record<string, unknown>,
    caller: Caller = {},
  ): Promise<RoomsClient> {
    const client = await dial(server, { user, client: newClientId(), ...caller })
    await client.join(room, { presence: data })
    return client
  }

  it('shows who is there, oneself included, and then who comes and goes', async () => {
    // They are woken for it: nobody looks by himself.
    for (const server of [stage.server, stage.other]) server.settings({ catchUpMs: 60_000 })
    const alice = await dial(stage.server, { client: newClientId() })
    const me = memberOf(alice, 'alice', { mood: 'calm' })
    const joined = await alice.join(room, { presence: { mood: 'calm' } })
    expect(joined).toMatchObject({ members: [me], version: 1, recovered: false })

    const bob = await dial(stage.other, { user: 'bob', client: newClientId() })
    const him = memberOf(bob, 'bob', {})
    const { members, version } = await bob.join(room, { presence: {} })
    expect(members).toHaveLength(2)
    expect(members).toEqual(expect.arrayContaining([me, him]))
    expect(version).toBe(2)
    expect(await alice.take('presence')).toEqual({
      type: 'presence',
      room,
      version: 2,
      joins: [him],
      leaves: [],
    })

    await bob.ask({ type: 'leave', room })
    expect(await alice.take('presence')).toEqual({
      type: 'presence',
      room,
      version: 3,
      joins: [],
      leaves: [{ user: 'bob', clientId: bob.clientId }],
    })
    await Promise.all([alice.settled(), bob.settled()])
    // Nobody is told of himself, nor of a room that he left.
    expect([...alice.frames, ...bob.frames]).toEqual([])
  })

  it('is not for those who did not ask, and does not show them', async () => {
    const alice = await shown(stage.server, 'alice', {})
    const quiet = await dial(stage.server, { user: 'bob' })
    const joined = await quiet.join(room)
    expect(joined.members).toBeUndefined()
    expect(joined.version).toBeUndefined()
    await shown(stage.other, 'bob', {})
    expect((await alice.take('presence')).joins).toHaveLength(1)
    await quiet.settled()
    expect(quiet.frames).toEqual([])
  })

  it('tells that the data of a member changed as a join, and answers with the members anew', async () => {
    const alice = await shown(stage.server, 'alice', { mood: 'calm' })
    const bob = await shown(stage.other, 'bob', {})
    await alice.take('presence')
    const again = await alice.join(room, { presence: { mood: 'wild' } })
    expect(again.members).toContainEqual(memberOf(alice, 'alice', { mood: 'wild' }))
    const { joins, leaves } = await bob.take('presence')
    expect({ joins, leaves }).toEqual({
      joins: [memberOf(alice, 'alice', { mood: 'wild' })],
      leaves: [],
    })
    // The same again is no change.
    expect((await alice.join(room, { presence: { mood: 'wild' } })).version).toBe(again.version)
  })

  it('ends with a join without it', async () => {
    for (const server of [stage.server, stage.other]) server.settings({ leaseMs: 60_000 })
    const alice = await shown(stage.server, 'alice', {})
    const bob = await shown(stage.other, 'bob', {})
    await alice.take('presence')
    expect((await bob.join(room)).members).toBeUndefined()
    expect((await alice.take('presence')).leaves).toEqual([{ user: 'bob', clientId: bob.clientId }])
    await shown(stage.server, 'bob', {})
    await alice.take('presence')
    await bob.settled()
    expect(bob.frames).toEqual([])
  })

  it('shows a client on two connections once, until the last of them is gone', async () => {
    const alice = await shown(stage.server, 'alice', {})
    const client = newClientId()
    const first = await shown(stage.server, 'bob', { at: 1 }, { client, connection: 1 })
    await alice.take('presence')
    const second = await shown(stage.other, 'bob', { at: 1 }, { client, connection: 2 })
    expect(second.told(room)).toMatchObject({ version: 2 })
    await first.close()
    await pause(LEASE_MS * 1.3)
    expect(alice.frames).toEqual([])
    await second.close()
    expect((await alice.take('presence')).leaves).toEqual([{ user: 'bob', clientId: client }])
  })

  it('has of a client on two connections what the later one said', async () => {
    const alice = await shown(stage.server, 'alice', {})
    const client = newClientId()
    await shown(stage.server, 'bob', { at: 1 }, { client, connection: 1 })
    await shown(stage.other, 'bob', { at: 2 }, { client, connection: 2 })
    await alice.take('presence')
    expect((await alice.take('presence')).joins).toEqual([
      { user: 'bob', clientId: client, data: { at: 2 } },
    ])
    // Neither renews it to what itself once said.
    await pause(LEASE_MS)
    expect(alice.frames).toEqual([])
  })

  it('keeps the place of a client that was cut off, until its lease ends', async () => {
    const alice = await shown(stage.server, 'alice', {})
    const bob = await shown(stage.other, 'bob', {})
    await alice.take('presence')
    bob.cut()
    const { leaves } = await alice.take('presence')
    expect(leaves).toEqual([{ user: 'bob', clientId: bob.clientId }])
  })

  it('ends a lease that nobody renews or asks for', async () => {
    const both = [stage.server, stage.other]
    for (const server of both) server.settings({ leaseMs: 60_000, leaseRenewMs: 60_000 })
    const alice = await shown(stage.server, 'alice', {})
    for (const server of both) server.settings({ leaseMs: LEASE_MS })
    const bob = await shown(stage.other, 'bob', {})
    await alice.take('presence')
    bob.cut()
    const { leaves } = await alice.take('presence')
    expect(leaves).toEqual([{ user: 'bob', clientId: bob.clientId }])
  })

  it.each([1012, 4003])(
    'keeps it over a close with %i too: such a client comes back',
    async (code) => {
      for (const server of [stage.server, stage.other]) server.settings({ leaseMs: 60_000 })
      const alice = await shown(stage.server, 'alice', {})
      const bob = await shown(stage.server, 'bob', {})
      await alice.take('presence')
      stage.server.closeSockets({ code, room })
      await bob.ended
      const late = await shown(stage.other, 'alice', {})
      const again = await late.join(room, { presence: {} })
      expect(again.members).toHaveLength(3)
    },
  )

  it('is never seen to leave when it comes back within its lease', async () => {
    // Long enough to come back in time, on any machine.
    const leaseMs = 3_000
    for (const server of [stage.server, stage.other]) server.settings({ leaseMs })
    const alice = await shown(stage.server, 'alice', {})
    const client = newClientId()
    let bob = await shown(stage.server, 'bob', { a: 1 }, { client, connection: 1 })
    await alice.take('presence')
    for (const connection of [2, 3, 4]) {
      bob.cut()
      await bob.ended
      const server = connection % 2 === 0 ? stage.other : stage.server
      bob = await shown(server, 'bob', { a: 1 }, { client, connection })
    }
    await pause(leaseMs * 1.2)
    expect(alice.frames).toEqual([])
    expect(alice.socket.readyState).toBe(alice.socket.OPEN)
  })

  it('lasts as long as the connection, by renewals', async () => {
    const alice = await shown(stage.server, 'alice', {})
    await shown(stage.other, 'bob', {})
    await alice.take('presence')
    await pause(LEASE_MS * 1.5)
    expect(alice.frames).toEqual([])
    const { members } = await alice.join(room, { presence: {} })
    expect(members).toHaveLength(2)
  })

  it.each([1000, 1001, undefined])('is over at once after a close with %s', async (code) => {
    for (const server of [stage.server, stage.other]) server.settings({ leaseMs: 60_000 })
    const alice = await shown(stage.server, 'alice', {})
    const bob = await shown(stage.other, 'bob', {})
    await alice.take('presence')
    bob.socket.close(code)
    expect((await alice.take('presence')).leaves).toEqual([{ user: 'bob', clientId: bob.clientId }])
  })

  it('invents a client where the handshake named none', async () => {
    const alice = await dial(stage.server)
    const { members } = await alice.join(room, { presence: {} })
    expect(members).toEqual([
      { user: 'alice', clientId: expect.stringMatching(/^[0-9a-f]{32}$/), data: {} },
    ])
  })

  it('comes with the members when the room counts anew', async () => {
    const alice = await shown(stage.server, 'alice', {})
    const bob = await shown(stage.other, 'bob', {})
    await alice.take('presence')
    await stage.server.forgetRooms()
    for (const client of [alice, bob]) {
      const { version, members, recovered } = await client.take('joined')
      expect({ recovered, isThere: members !== undefined && version !== undefined }).toEqual({
        recovered: false,
        isThere: true,
      })
    }
    // Each server shows its own members anew; sooner or later both are seen.
    await expect
      .poll(async () => (await alice.join(room, { presence: {} })).members?.length, PATIENCE)
      .toBe(2)
  })

  it('of many who come and go is told without a hole', async () => {
    for (const server of [stage.server, stage.other]) server.settings({ leaseMs: 60_000 })
    const alice = await shown(stage.server, 'alice', {})
    const before = alice.told(room)?.version ?? 0
    const others = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        shown(index % 2 === 0 ? stage.server : stage.other, 'bob', { index }),
      ),
    )
    await Promise.all(others.map((each) => each.close()))
    // The client checks that each version follows the one before.
    await expect.poll(() => alice.told(room)?.version, PATIENCE).toBe(before + 60)
    expect((await alice.join(room, { presence: {} })).members).toHaveLength(1)
  })
}
