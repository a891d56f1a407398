import { describe, expect, test, vi } from 'vitest'
import { framesOf, hosted, inLobby } from './rooms-support.ts'

const within = { timeout: 30_000, interval: 10 }

describe('A send', () => {
  test('resolves with the id and number that everybody sees', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    const ids: unknown[] = []
    bob.room.on('message', ({ meta }) => ids.push({ id: meta.id, seq: meta.seq }))
    const receipt = await alice.room.send('hi')
    expect(receipt).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}:\d+$/), seq: 1 })
    await vi.waitFor(() => expect(ids).toEqual([receipt]), within)
  })

  test('whose answer is lost is sent again under its id, and arrives once', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await alice.front.setMode('black-hole')
    const sent = [alice.room.send('one'), alice.room.send('two')]
    await new Promise((resolve) => setTimeout(resolve, 50))
    await alice.front.setMode('drop')
    await expect(Promise.all(sent)).resolves.toMatchObject([{ seq: 1 }, { seq: 2 }])
    await vi.waitFor(() => expect(bob.data).toEqual(['one', 'two']), within)
    await vi.waitFor(() => expect(alice.data).toEqual(['one', 'two']), within)
  })

  test('that the server has already, and answers to again, keeps its number', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    for (let n = 0; n < 20; n++) {
      const sent = alice.room.send(n)
      // Cut between the server's taking it and the answer, more often than not.
      setTimeout(() => void alice.front.setMode('drop'), 1)
      await sent
    }
    await vi.waitFor(() => expect(bob.data).toHaveLength(20), within)
    expect(bob.data).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(bob.seqs).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
  })

  test('under an epoch that is over is unknown', async () => {
    const server = await hosted()
    const alice = await inLobby(server)
    await alice.front.setMode('black-hole')
    const sent = alice.room.send('one')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await server.forgetRooms()
    await alice.front.setMode('drop')
    await expect(sent).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    expect(await framesOf(server, 'send')).toEqual([])
  })

  test('waits when the server wants fewer, and none is lost', async () => {
    const server = await hosted({ sendsPerSecond: 5 })
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    const sent = Array.from({ length: 12 }, (_, n) => alice.room.send(n))
    await Promise.all(sent)
    await vi.waitFor(() => expect(bob.data).toHaveLength(12), within)
    expect(new Set(bob.data).size).toBe(12)
    expect(alice.errors).toEqual([])
  })

  test('has no more open at a time than the server takes', async () => {
    const server = await hosted({ inFlight: 4 })
    const alice = await inLobby(server)
    await Promise.all(Array.from({ length: 40 }, (_, n) => alice.room.send(n)))
    await vi.waitFor(() => expect(alice.data).toHaveLength(40), within)
    expect([alice.errors, (await framesOf(server, 'send')).length]).toEqual([[], 40])
  })

  test('over the limit is refused before it is sent', async () => {
    const server = await hosted({ frameBytes: 1_000 })
    const alice = await inLobby(server)
    await expect(alice.room.send('x'.repeat(1_000))).rejects.toMatchObject({
      code: 'REQUEST_FAILED',
      serverCode: 'too-large',
    })
    expect(await framesOf(server, 'send')).toEqual([])
    await expect(alice.room.send('x'.repeat(100))).resolves.toMatchObject({ seq: 1 })
  })

  test('that is volatile waits for no connection, and is not sent again', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await expect(alice.room.send('cursor', { volatile: true })).resolves.toMatchObject({ seq: 1 })
    await alice.front.setMode('black-hole')
    const open = alice.room.send('cursor', { volatile: true })
    await alice.front.setMode('drop')
    await expect(open).rejects.toMatchObject({ code: 'SEND_UNKNOWN' })
    await alice.front.setMode('absent')
    await vi.waitFor(() => expect(alice.room.state).toBe('joining'), within)
    await expect(alice.room.send('cursor', { volatile: true })).rejects.toMatchObject({
      code: 'NOT_CONNECTED',
    })
    expect(bob.data.length).toBeLessThanOrEqual(2)
  })

  test('of two sockets of one user at once: each has its own messages as own', async () => {
    const server = await hosted()
    const [one, other] = [await inLobby(server), await inLobby(server)]
    const own: unknown[] = []
    one.room.on('message', ({ data, meta }) => own.push([data, meta.own]))
    await Promise.all([one.room.send('mine'), other.room.send('theirs')])
    await vi.waitFor(() => expect(own).toHaveLength(2), within)
    expect(own).toEqual(
      expect.arrayContaining([
        ['mine', true],
        ['theirs', false],
      ]),
    )
  })
})

describe('History', () => {
  test('brings what was sent before the join, page by page', async () => {
    const server = await hosted()
    const bob = await inLobby(server, 'bob')
    for (let n = 1; n <= 7; n++) await bob.room.send(n)
    const alice = await inLobby(server)
    const newest = await alice.room.history({ limit: 3 })
    expect(newest.messages.map(({ data }) => data)).toEqual([5, 6, 7])
    expect([newest.more, newest.messages[0]?.meta.sender]).toEqual([true, 'bob'])
    const before = newest.messages[0]?.meta.seq ?? 0
    const older = await alice.room.history({ limit: 50, before })
    expect([older.messages.map(({ data }) => data), older.more]).toEqual([[1, 2, 3, 4], false])
    expect(alice.data).toEqual([])
  })
})

describe('Presence', () => {
  const usersOf = ({ room }: { room: { members: readonly { user: string }[] } }) =>
    room.members.map(({ user }) => user).sort()

  test('shows who joined with it, what they show, and who has gone', async () => {
    const server = await hosted()
    const silent = await inLobby(server, 'bob')
    const alice = await inLobby(server)
    await alice.room.join({ presence: { mood: 'calm' } })
    await vi.waitFor(() => expect(usersOf(alice)).toEqual(['alice']), within)
    await silent.room.join({ presence: { mood: 'wild' } })
    await vi.waitFor(() => expect(usersOf(alice)).toEqual(['alice', 'bob']), within)
    await silent.room.join({ presence: { mood: 'tired' } })
    await vi.waitFor(
      () =>
        expect(alice.presence.at(-1)?.updated).toMatchObject([
          { user: 'bob', clients: [{ data: { mood: 'tired' } }] },
        ]),
      within,
    )
    silent.room.leave()
    await vi.waitFor(() => expect(usersOf(alice)).toEqual(['alice']), within)
    expect(alice.presence.at(-1)?.left).toMatchObject([{ user: 'bob' }])
    expect([alice.gaps, alice.joins]).toEqual([[], [false]])
  })

  test('is whole again after a reconnect, without a leave in between', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await Promise.all([alice, bob].map(({ room }) => room.join({ presence: {} })))
    await vi.waitFor(() => expect(usersOf(alice)).toEqual(['alice', 'bob']), within)
    await bob.front.setMode('drop')
    await vi.waitFor(() => expect(bob.joins).toEqual([false, true]), within)
    await vi.waitFor(() => expect(usersOf(bob)).toEqual(['alice', 'bob']), within)
    expect(alice.presence.flatMap(({ left }) => left)).toEqual([])
  })
})
