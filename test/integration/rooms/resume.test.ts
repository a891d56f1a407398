import { describe, expect, test, vi } from 'vitest'
import { framesOf, guestOf, hosted, inLobby, listen } from './rooms-support.ts'

const within = { timeout: 30_000, interval: 10 }

describe('A room after its connection was lost', () => {
  test('goes on where it was: what was sent meanwhile comes first, in order, once', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await bob.room.send('before')
    await alice.front.setMode('absent')
    await vi.waitFor(() => expect(alice.room.state).toBe('joining'), within)
    for (const text of ['one', 'two', 'three']) await bob.room.send(text)
    await alice.front.setMode('pass')

    await vi.waitFor(() => expect(alice.data).toHaveLength(4), within)
    await bob.room.send('after')
    await vi.waitFor(
      () => expect(alice.data).toEqual(['before', 'one', 'two', 'three', 'after']),
      within,
    )
    expect(alice.seqs).toEqual([1, 2, 3, 4, 5])
    expect([alice.gaps, alice.joins]).toEqual([[], [false, true]])
  })

  test('says nothing of a gap where nothing was sent', async () => {
    const server = await hosted()
    const alice = await inLobby(server)
    await alice.front.setMode('drop')
    await vi.waitFor(() => expect(alice.joins).toEqual([false, true]), within)
    expect(alice.gaps).toEqual([])
  })

  test('tells how much is missing when it was away for longer than the window', async () => {
    const server = await hosted({ resumeWindowMs: 50 })
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await alice.front.setMode('absent')
    for (const text of ['one', 'two', 'three']) await bob.room.send(text)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await bob.room.send('four')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await alice.front.setMode('pass')

    await vi.waitFor(() => expect(alice.gaps).toEqual([{ reason: 'window', missed: 4 }]), within)
    await bob.room.send('five')
    await vi.waitFor(() => expect(alice.data).toEqual(['five']), within)
  })

  test('tells that the server has lost its numbering, also while it is connected', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await bob.room.send('before')
    await server.forgetRooms()
    await vi.waitFor(() => expect(alice.gaps).toEqual([{ reason: 'epoch' }]), within)
    await bob.room.send('after')
    await vi.waitFor(() => expect(alice.data).toEqual(['before', 'after']), within)
    expect(alice.seqs).toEqual([1, 1])
  })

  test('is dialed anew, and loses nothing, when the server drains', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    void server.drain(100)
    for (let n = 0; n < 40; n++) {
      bob.room.send(n)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    await vi.waitFor(() => expect(alice.data).toHaveLength(40), within)
    expect(alice.data).toEqual(Array.from({ length: 40 }, (_, n) => n))
    expect([alice.joins.length >= 2, alice.gaps]).toEqual([true, []])
  })
})

describe('A room that was left and joined again', () => {
  type Guest = Awaited<ReturnType<typeof inLobby>>

  /** What bob says, or the server tells, meanwhile reaches alice when she is back, and is for the one before. */
  const expectItStartsAnew = async (
    alice: Guest,
    bob: Guest,
    meanwhile: () => Promise<unknown>,
  ): Promise<void> => {
    await alice.front.setMode('black-hole')
    await meanwhile()
    for (const text of ['one', 'two', 'three']) await bob.room.send(text)
    alice.room.leave()
    const again = alice.room.join()
    await alice.front.setMode('pass')
    await again

    await bob.room.send('after')
    await vi.waitFor(() => expect(alice.data).toContain('after'), within)
    expect([alice.data, alice.gaps]).toEqual([['after'], []])
  }

  test('gets nothing that was on its way to the one before', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    await expectItStartsAnew(alice, bob, async () => {})
  })

  test('is not joined by what the one before is told of the numbering', async () => {
    const server = await hosted()
    const [alice, bob] = [await inLobby(server), await inLobby(server, 'bob')]
    const isToldSo = new Promise((resolve) => bob.room.once('gap', resolve))
    await expectItStartsAnew(alice, bob, async () => {
      await server.forgetRooms()
      await isToldSo
    })
  })
})

describe('Joins', () => {
  test('of one tick, and of a reconnect, share as few frames as the server takes', async () => {
    const server = await hosted({ roomsPerJoin: 100 })
    const { socket, front } = await guestOf(server)
    await socket.connect()
    const rooms = Array.from({ length: 250 }, (_, n) => socket.room(`room ${n}`))
    await Promise.all(rooms.map((room) => room.join()))
    expect(await framesOf(server, 'join')).toHaveLength(3)

    // By their events: a reconnect can be over before anybody looks at a state.
    const again = rooms.map((room) => new Promise((resolve) => room.once('joined', resolve)))
    await front.setMode('drop')
    await Promise.all(again)
    expect(await framesOf(server, 'join')).toHaveLength(6)
  })

  test('fit into the bytes of a frame', async () => {
    const server = await hosted({ frameBytes: 1_000 })
    const { socket, errors } = await guestOf(server)
    await Promise.all(Array.from({ length: 30 }, (_, n) => socket.join(`${n}${'x'.repeat(100)}`)))
    expect(errors).toEqual([])
    expect((await framesOf(server, 'join')).length).toBeLessThanOrEqual(5)
  })

  test('in the URL need no frame, and resume by a frame later', async () => {
    const server = await hosted()
    const { socket, front } = await guestOf(server, 'alice', { joinInUrl: true })
    const heard = listen(socket.room('lobby'))
    await heard.room.join()
    expect([heard.joins, await framesOf(server, 'join')]).toEqual([[false], []])
    await heard.room.send('hi')
    await front.setMode('drop')
    await vi.waitFor(() => expect(heard.joins).toEqual([false, true]), within)
    expect(await framesOf(server, 'join')).toMatchObject([{ rooms: [{ resume: { seq: 1 } }] }])
    expect([heard.data, heard.gaps]).toEqual([['hi'], []])
  })

  test('of a closed room are refused with the code of the server, and leave the others alone', async () => {
    const server = await hosted()
    const alice = await inLobby(server)
    const closed = alice.socket.room('forbidden')
    await expect(closed.join()).rejects.toMatchObject({ code: 'ROOM', serverCode: 'forbidden' })
    expect([closed.state, alice.room.state]).toEqual(['refused', 'joined'])
    await expect(closed.send('x')).rejects.toMatchObject({ code: 'ROOM' })
    // On demand it is asked for again.
    await expect(closed.join()).rejects.toMatchObject({ code: 'ROOM' })
    expect(await framesOf(server, 'join')).toHaveLength(3)
  })

  test('of a refused room are tried again after a re-authentication, and not before', async () => {
    const server = await hosted()
    const tokens = await Promise.all([0, 1].map(() => server.mint({ user: 'alice' })))
    let current = 0
    const alice = await inLobby(server, 'alice', { auth: () => tokens[current]?.access ?? '' })
    await alice.socket.join('forbidden').catch(() => {})
    await alice.front.setMode('drop')
    await vi.waitFor(() => expect(alice.joins).toHaveLength(2), within)
    expect(await framesOf(server, 'join')).toHaveLength(3)
    current = 1
    await alice.front.setMode('drop')
    await vi.waitFor(() => expect(alice.joins).toHaveLength(3), within)
    expect(await framesOf(server, 'join')).toMatchObject([
      {},
      {},
      { rooms: [{ room: 'lobby' }] },
      { rooms: [{ room: 'lobby' }, { room: 'forbidden' }] },
    ])
  })
})
