import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { newClientId, RoomsClient } from '../../support/rooms-client.ts'
import type { TestServer } from '../../support/servers.ts'
import { type Caller, newRoom, pause, watch } from './support.ts'

const PATIENCE = { timeout: 30_000 }
const START_MS = 60_000

let cluster: Cluster
let first: TestServer
let second: TestServer
let third: TestServer
beforeAll(async () => {
  cluster = await startCluster(3)
  const [a, b, c] = cluster.workers
  if (!a || !b || !c) throw new Error('a cluster of three has three workers')
  first = a
  second = b
  third = c
}, START_MS)
afterAll(() => cluster.stop(), START_MS)

async function tokenOf(user: string): Promise<string> {
  return (await first.control<{ access: string }>('mint', { user })).access
}

/** At one worker, or wherever nginx leads to. */
async function dial(at: { wsUrl: string }, caller: Caller = {}): Promise<RoomsClient> {
  const { user = 'alice', lifetimeMs: _, ...options } = caller
  const client = watch(new RoomsClient(at.wsUrl, { ...options, token: await tokenOf(user) }))
  await client.welcome()
  return client
}

async function dialInto(
  at: { wsUrl: string },
  room: string,
  caller?: Caller,
): Promise<RoomsClient> {
  const client = await dial(at, caller)
  await client.join(room)
  return client
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const rising = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

describe('three processes on one Redis behind nginx', () => {
  it('are one service: everybody hears everybody', async () => {
    const room = newRoom()
    const before = await cluster.control<{ open: number }>('sockets')
    const clients = await Promise.all(numbers(6).map(() => dialInto(cluster, room)))
    const after = await cluster.control<{ open: number }>('sockets')
    // nginx gives them to the workers in turn.
    expect(after.map(({ open }, index) => open - (before[index]?.open ?? 0))).toEqual([2, 2, 2])
    for (const [index, client] of clients.entries()) await client.sent(room, index)
    for (const client of clients) {
      expect((await client.heard(6)).map(({ data }) => data)).toEqual(numbers(6))
    }
    const all = clients.map(({ messages }) => messages)
    for (const messages of all) expect(messages).toEqual(all[0])
  })

  it('know a repetition, a fence and a point to resume from of each other', async () => {
    const room = newRoom()
    const client = newClientId()
    const one = await dialInto(first, room, { client, connection: 1 })
    await one.sent(room, 'x', { n: 1 })
    const two = await dial(second, { client, connection: 2 })
    const resume = { epoch: one.told(room)?.epoch ?? '', seq: 0 }
    const joined = await two.join(room, { resume })
    expect(joined).toMatchObject({ seq: 1, recovered: true, messages: [{ data: 'x', n: 1 }] })
    expect(await two.sent(room, 'x', { n: 1 })).toMatchObject({ seq: 1 })
    expect(await one.ask(one.say(room, 'y', { n: 2 }))).toMatchObject({ code: 'superseded' })
    expect(await two.sent(room, 'y', { n: 2 })).toMatchObject({ seq: 2 })
    expect((await one.heard(2)).map(({ data }) => data)).toEqual(['x', 'y'])
  })

  it('keep one order, whoever writes where and at the same time', async () => {
    const room = newRoom()
    const senders = 20
    const each = 100
    await cluster.control('settings', { inFlight: each })
    const listeners = await Promise.all([first, second, third].map((at) => dialInto(at, room)))
    const clients = await Promise.all(numbers(senders).map(() => dialInto(cluster, room)))
    const answers = await Promise.all(
      clients.map((client) =>
        Promise.all(numbers(each).map((n) => client.sent(room, n, { n: n + 1 }))),
      ),
    )
    const total = senders * each
    // Every number was given once …
    const seqs = answers.flat().map(({ seq }) => seq ?? 0)
    expect(rising(seqs)).toEqual(numbers(total).map((n) => n + 1))
    // … to each sender in its own order …
    for (const own of answers) {
      const given = own.map(({ seq }) => seq ?? 0)
      expect(given).toEqual(rising(given))
    }
    // … and everybody saw the same. That no number came out of its order was checked frame by frame.
    const heard = await Promise.all([...listeners, ...clients].map((client) => client.heard(total)))
    for (const messages of heard) expect(messages).toEqual(heard[0])
    expect(heard[0]?.length).toBe(total)
  })

  it('show who is there, wherever, and end the leases of a process that was killed', async () => {
    const leaseMs = 5_000
    await cluster.control('settings', { leaseMs, leaseRenewMs: leaseMs / 10, catchUpMs: 100 })
    const room = newRoom()
    const at = async (server: TestServer, user: string): Promise<RoomsClient> => {
      const client = await dial(server, { user, client: newClientId() })
      await client.join(room, { presence: {} })
      return client
    }
    const alice = await at(first, 'alice')
    const bob = await at(third, 'bob')
    const comer = await at(third, 'bob')
    await expect.poll(() => alice.told(room)?.version, PATIENCE).toBe(3)
    alice.frames.length = 0

    await third.kill('SIGKILL')
    expect((await bob.ended).code).toBe(1006)
    expect((await comer.ended).code).toBe(1006)
    // One of them comes back, by nginx to a worker that lives, and is never seen to leave.
    const back = await dial(cluster, { user: 'bob', client: comer.clientId, connection: 2 })
    await back.join(room, { presence: {} })
    const { leaves, joins } = await alice.take('presence')
    expect({ leaves, joins }).toEqual({
      leaves: [{ user: 'bob', clientId: bob.clientId }],
      joins: [],
    })
    // The lease of its first connection ended with the other's.
    await pause(500)
    expect(alice.frames).toEqual([])
    await third.restart()
  })

  it('go on while one of them retires: its clients are told, and find another', async () => {
    const room = newRoom()
    const stays = await dialInto(first, room)
    const moves = await dialInto(second, room, { user: 'bob' })
    await second.control('settings', { drainMs: 2_500 })
    const retiring = second.kill('SIGTERM')
    expect(await moves.take('drain')).toEqual({ type: 'drain', withinMs: 2_500 })
    await moves.sent(room, 'from the old one')
    const moved = await dial(cluster, { user: 'bob' })
    const point = moves.told(room)
    await moved.join(room, { resume: { epoch: point?.epoch ?? '', seq: 0 } })
    await moves.close()
    await retiring
    await stays.sent(room, 'to the new one')
    expect((await moved.heard(1)).map(({ data }) => data)).toEqual(['to the new one'])
    await second.restart()
    // nginx finds it again.
    await expect
      .poll(async () => {
        await dial(cluster)
        return (await second.control<{ open: number }>('sockets')).open
      }, PATIENCE)
      .toBeGreaterThan(0)
  })

  it('close with 1012 who does not go in time', async () => {
    await third.control('settings', { drainMs: 200 })
    const client = await dial(third)
    const retiring = third.kill('SIGTERM')
    expect(await client.ended).toEqual({ code: 1012, reason: 'restarting' })
    await retiring
    await third.restart()
  })

  it('tell all of their members when Redis restarts', async () => {
    const room = newRoom()
    const clients = await Promise.all([first, second, third].map((at) => dialInto(at, room)))
    const epoch = clients[0]?.told(room)?.epoch
    await cluster.redis.restart()
    const told = await Promise.all(clients.map((client) => client.take('joined')))
    expect(new Set(told.map((frame) => frame.epoch)).size).toBe(1)
    for (const frame of told) expect(frame).toMatchObject({ seq: 0, recovered: false })
    expect(told[0]?.epoch).not.toBe(epoch)
    await clients[0]?.sent(room, 'new')
    for (const client of clients) expect(await client.heard(1)).toMatchObject([{ seq: 1 }])
  })

  it('take all clients again after they were killed, whoever is killed next', async () => {
    const token = await tokenOf('alice')
    const dialAtOnce = (count: number) =>
      Promise.all(
        numbers(count).map(async () => {
          const client = watch(new RoomsClient(cluster.wsUrl, { token }))
          await client.welcome()
        }),
      )
    await third.kill('SIGKILL')
    // One of these was meant for the third, so nginx knows now. So does the first that stays there afterwards.
    await dialAtOnce(3)
    await third.restart()
    await dialAtOnce(3)
    await Promise.all([first.kill('SIGKILL'), second.kill('SIGKILL')])
    await dialAtOnce(6)
    await Promise.all([first.restart(), second.restart()])
  })

  it('print no token', async () => {
    const token = await tokenOf('alice')
    const client = watch(new RoomsClient(first.wsUrl, { token }))
    await client.welcome()
    await client.ask({ type: 'auth', token })
    const said = cluster.workers.map((worker) => worker.output()).join('')
    expect(said).not.toContain(token)
    expect(JSON.stringify(await cluster.control('received'))).not.toContain(token)
  })
})
