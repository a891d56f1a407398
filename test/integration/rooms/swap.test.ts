/** A token that is renewed by a second socket, on the reference server. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  type AuthedSocketOptions,
  HandshakeRefusedError,
  plain,
  RoomError,
  ServerClosedError,
  swap,
  TokenInvalidError,
  viaFirstMessage,
} from '../../../src/index.ts'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { framesOf, guestOf, hosted, inLobby, listen } from './rooms-support.ts'
import { type Meddling, tap } from './tap.ts'

const within = { timeout: 30_000, interval: 20 }
/** As the client is told: renewed after four fifths of it at the soonest. */
const LIFETIME_MS = 600

/** A token for each call, of which the client is told that it ends soon; the second one may be for another. */
const minting = (
  server: ReferenceServer,
  lifetimesMs: readonly number[] = [],
  second = 'alice',
) => {
  let calls = 0
  return async () => {
    const user = ++calls === 2 ? second : 'alice'
    const { access } = await server.mint({ user, lifetimeMs: 60_000 })
    return { token: access, expiresInMs: lifetimesMs[calls - 1] ?? 60_000 }
  }
}

/** In `lobby`, with one renewal ahead, unless `auth` says otherwise. */
const swapping = async (
  server: ReferenceServer,
  { meddle, ...options }: Partial<AuthedSocketOptions> & { meddle?: Meddling } = {},
) => {
  const tapped = tap(meddle)
  const alice = await inLobby(server, 'alice', {
    auth: minting(server, [LIFETIME_MS]),
    renewal: swap(),
    WebSocket: tapped.WebSocket,
    ...options,
  })
  const changes: string[] = []
  alice.socket.on('statechange', ({ status, previous }) => {
    // The end of the token is part of the status, and a new one is no other state.
    if (status.state !== previous.state) changes.push(status.state)
  })
  return { ...alice, sockets: tapped.sockets, changes }
}

/** As the server saw it: who joined `lobby`, and who left it, in order. */
const lobbyOf = (server: ReferenceServer, user = 'alice') => {
  const all = server.joins().filter((join) => join.user === user && join.room === 'lobby')
  const sessions = [...new Set(all.map(({ session }) => session))]
  return all.map(({ session, what }) => `${sessions.indexOf(session) + 1} ${what}`)
}

const moved = (server: ReferenceServer) =>
  vi.waitFor(() => expect(lobbyOf(server)).toEqual(['1 joined', '2 joined', '1 left']), within)

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('A token that is renewed by a second socket', () => {
  test('costs no moment outside the rooms, and neither loses nor doubles what both sides say', async () => {
    const server = await hosted()
    const alice = await swapping(server, { auth: minting(server, [600, 600, 600, 600]) })
    const bob = await inLobby(server, 'bob')
    let isOver = false
    let sent = 0
    const talk = async ({ room }: typeof bob) => {
      while (!isOver) await Promise.all([room.send(sent++), room.send(sent++), room.send(sent++)])
    }
    const talking = [talk(alice), talk(bob), talk(alice)]
    const story = ['1 joined', '2 joined', '1 left', '3 joined', '2 left', '4 joined', '3 left']
    await vi.waitFor(
      () => expect(lobbyOf(server)).toEqual([...story, '5 joined', '4 left']),
      within,
    )
    isOver = true
    await Promise.all(talking)
    await vi.waitFor(() => expect(bob.data.length).toBeGreaterThanOrEqual(sent), within)
    await vi.waitFor(() => expect(alice.data.length).toBeGreaterThanOrEqual(sent), within)
    for (const { seqs, data } of [alice, bob]) {
      expect(seqs).toEqual(upTo(sent).map((n) => n + 1))
      expect(new Set(data).size).toBe(sent)
    }
    expect([alice.gaps, alice.joins, alice.changes, alice.errors, bob.errors]).toEqual([
      [],
      [false],
      [],
      [],
      [],
    ])
    expect(alice.sockets).toHaveLength(5)
  })

  test('keeps the order of sends, also of those that the server refuses for the second socket', async () => {
    const server = await hosted()
    // The welcome of the second socket takes its time: the first one is fenced off, and does not know.
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => (n === 2 && type === 'welcome' ? 50 : undefined),
    })
    const bob = await inLobby(server, 'bob')
    const sends: Promise<unknown>[] = []
    const timer = setInterval(() => sends.push(alice.room.send(sends.length)), 1)
    await moved(server)
    clearInterval(timer)
    await Promise.all(sends)
    await vi.waitFor(() => expect(bob.data).toHaveLength(sends.length), within)
    expect(bob.data).toEqual(upTo(sends.length))
    expect(alice.sockets[0]?.received).toContainEqual(
      expect.objectContaining({ type: 'error', code: 'superseded' }),
    )
  })

  test('sends again under the same id what the first socket has not answered within a second', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: ({ type, seq }, { n }) => (n === 1 && type === 'ok' && seq ? 'nothing' : undefined),
    })
    const bob = await inLobby(server, 'bob')
    const sent = [alice.room.send('one'), alice.room.send('two')]
    await expect(Promise.all(sent)).resolves.toMatchObject([{ seq: 1 }, { seq: 2 }])
    const frames = (await framesOf(server, 'send')) as { n: number; data: string }[]
    expect(frames.map(({ data }) => data)).toEqual(['one', 'two', 'one', 'two'])
    expect(new Set(frames.map(({ n }) => n)).size).toBe(2)
    await alice.room.send('three')
    await vi.waitFor(() => expect(bob.data).toEqual(['one', 'two', 'three']), within)
    expect(alice.data).toEqual(['one', 'two', 'three'])
    expect(lobbyOf(server)).toEqual(['1 joined', '2 joined', '1 left'])
  })

  test('writes no send on the first socket once the second one is welcomed', async () => {
    const server = await hosted()
    const sendsOn = (n: number) =>
      alice.sockets[n - 1]?.sent.filter(({ type }) => type === 'send').length ?? 0
    let before = -1
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => {
        if (n === 2 && type === 'welcome') before = sendsOn(1)
        return n === 2 && type === 'joined' ? 200 : undefined
      },
    })
    const sends: Promise<unknown>[] = []
    const timer = setInterval(() => sends.push(alice.room.send(sends.length)), 5)
    await moved(server)
    clearInterval(timer)
    await Promise.all(sends)
    expect(sendsOn(1)).toBe(before)
    expect(sendsOn(1) + sendsOn(2)).toBeGreaterThanOrEqual(sends.length)
  })

  test('moves as soon as the first socket has answered, not only after a second', async () => {
    const server = await hosted()
    const order: string[] = []
    const mint = minting(server, [LIFETIME_MS])
    const alice = await swapping(server, {
      auth: ({ reason }) => {
        if (reason === 'renewal') void alice.room.send('one')
        return mint()
      },
      meddle: ({ type, seq }, { n }) => {
        if (n === 2 && type === 'joined') setTimeout(() => order.push('900 ms'), 900)
        return n === 1 && type === 'ok' && seq ? 600 : undefined
      },
    })
    await vi.waitFor(() => expect(lobbyOf(server)).toContain('1 left'), within)
    order.push('moved')
    await vi.waitFor(() => expect(order).toEqual(['moved', '900 ms']), within)
    expect(await framesOf(server, 'send')).toHaveLength(1)
  })

  test('may travel in the first message of the second socket', async () => {
    const server = await hosted()
    const alice = await swapping(server, { transmission: viaFirstMessage('rooms') })
    await moved(server)
    await alice.room.send('hi')
    const first = alice.sockets.map(({ sent }) => sent.map(({ type }) => type).slice(0, 2))
    expect(first).toEqual([
      ['auth', 'join'],
      ['auth', 'join'],
    ])
    expect([alice.changes, alice.errors]).toEqual([[], []])
  })

  test('is not seen by the other members of a room', async () => {
    const server = await hosted()
    const bob = await guestOf(server, 'bob')
    const seen = listen(bob.socket.room('lobby'))
    await seen.room.join({ presence: { name: 'bob' } })
    const tapped = tap()
    const { socket } = await guestOf(server, 'alice', {
      auth: minting(server, [LIFETIME_MS]),
      renewal: swap(),
      WebSocket: tapped.WebSocket,
    })
    const heard = listen(socket.room('lobby'))
    await heard.room.join({ presence: { name: 'alice' } })
    await moved(server)
    await socket.room('lobby').send('still here')
    await vi.waitFor(() => expect(seen.data).toEqual(['still here']), within)
    expect(seen.presence.map(({ joined, left, updated }) => [joined, left, updated])).toEqual([
      [[expect.objectContaining({ user: 'bob' })], [], []],
      [[expect.objectContaining({ user: 'alice' })], [], []],
    ])
    expect(heard.presence).toHaveLength(1)
    expect(heard.room.members.map(({ user }) => user).sort()).toEqual(['alice', 'bob'])
  })

  test('takes along what was joined and left in the middle', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => {
        if (n !== 2 || type !== 'welcome') return undefined
        queueMicrotask(() => {
          alice.socket.room('left').leave()
          joining = alice.socket.room('new').join()
        })
        return undefined
      },
    })
    let joining: Promise<void> | undefined
    await alice.socket.room('left').join()
    await moved(server)
    await joining
    await alice.socket.room('new').send('hi')
    const rooms = server.joins().map(({ room, what }) => `${room} ${what}`)
    expect(rooms.filter((room) => room === 'left joined').length).toBe(
      rooms.filter((room) => room === 'left left').length,
    )
    expect(rooms.filter((room) => room === 'new joined')).toHaveLength(1)
    expect(alice.errors).toEqual([])
  })

  test('sets no member back: what the second socket was told before is past by then', async () => {
    const server = await hosted()
    const bob = await guestOf(server, 'bob')
    const tapped = tap(({ type }, { n }) => {
      if (n !== 2 || type !== 'joined') return undefined
      // Who comes now is not in that answer, and the first socket says so sooner.
      void bob.socket.room('lobby').join({ presence: { name: 'bob' } })
      return 200
    })
    const { socket } = await guestOf(server, 'alice', {
      auth: minting(server, [LIFETIME_MS]),
      renewal: swap(),
      WebSocket: tapped.WebSocket,
    })
    const heard = listen(socket.room('lobby'))
    await heard.room.join({ presence: { name: 'alice' } })
    await moved(server)
    await bob.socket.room('lobby').send('here')
    await vi.waitFor(() => expect(heard.data).toEqual(['here']), within)
    expect(heard.presence.flatMap(({ joined, left }) => [joined.length, left.length])).toEqual([
      1, 0, 1, 0,
    ])
    expect(heard.room.members.map(({ user }) => user).sort()).toEqual(['alice', 'bob'])
  })

  test('needs no further dial when the server of the first socket drains', async () => {
    const server = await hosted()
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.9)
    onTestFinished(() => random.mockRestore())
    const alice = await swapping(server)
    // Those who were told and are still there are closed in the end.
    const drained = server.drain(2_500)
    await moved(server)
    await drained
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect([alice.sockets.length, alice.changes, alice.gaps]).toEqual([2, [], []])
  })
})

describe('A second socket that comes to nothing', () => {
  const messages = async (server: ReferenceServer, alice: Awaited<ReturnType<typeof swapping>>) => {
    const bob = await inLobby(server, 'bob')
    await bob.room.send('from bob')
    await alice.room.send('from alice')
    await vi.waitFor(() => expect(alice.data).toEqual(['from bob', 'from alice']), within)
    await vi.waitFor(() => expect(bob.data).toEqual(['from bob', 'from alice']), within)
    expect(alice.gaps).toEqual([])
  }

  test.each([
    ['token', 'after-accept', ServerClosedError],
    ['handshake', 'before-accept', HandshakeRefusedError],
  ] as const)(
    'because its %s is refused leaves the first one as it is',
    async (_, when, Refusal) => {
      const server = await hosted()
      const alice = await swapping(server)
      await server.settings({ refuseSockets: { when } })
      await vi.waitFor(() => expect(alice.errors).toHaveLength(1), within)
      await server.settings({ refuseSockets: null })
      expect(alice.errors[0]).toBeInstanceOf(Refusal)
      await messages(server, alice)
      expect([alice.changes, alice.sockets.length]).toEqual([[], 2])
    },
  )

  test('because it names somebody else is refused, and the first one still knows its own messages', async () => {
    const server = await hosted()
    const auth = minting(server, [LIFETIME_MS], 'bob')
    const alice = await swapping(server, { auth, identify: () => undefined })
    const own: unknown[] = []
    alice.room.on('message', ({ meta }) => own.push(meta.own))
    await vi.waitFor(() => expect(alice.errors).toHaveLength(1), within)
    expect(alice.errors[0]).toBeInstanceOf(TokenInvalidError)
    await alice.room.send('mine')
    await vi.waitFor(() => expect(own).toEqual([true]), within)
    expect([alice.socket.identity, alice.changes, lobbyOf(server)]).toEqual([
      'alice',
      [],
      ['1 joined'],
    ])
  })

  test('because a room is refused there keeps the rooms; the first send then dials anew, and arrives once', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: (frame, { n }) =>
        n === 2 && frame.type === 'joined'
          ? { type: 'error', id: frame['id'], room: 'lobby', code: 'forbidden', message: 'no' }
          : undefined,
    })
    await vi.waitFor(() => expect(alice.errors).toHaveLength(1), within)
    expect(alice.errors[0]).toBeInstanceOf(RoomError)
    expect(alice.room.state).toBe('joined')
    const bob = await inLobby(server, 'bob')
    await bob.room.send('from bob')
    await vi.waitFor(() => expect(alice.data).toEqual(['from bob']), within)
    expect(alice.changes).toEqual([])
    // The server has welcomed a later connection, and takes no send on this one.
    await alice.room.send('from alice')
    await vi.waitFor(() => expect(bob.data).toEqual(['from bob', 'from alice']), within)
    expect(alice.data).toEqual(['from bob', 'from alice'])
    expect([alice.sockets.length, alice.gaps, alice.errors.length]).toEqual([3, [], 1])
  })

  test('leaves rooms that still find out what they missed of each other', async () => {
    const server = await hosted()
    let dropped = 0
    const tapped = tap((frame, { n }) => {
      if (n === 2 && frame.type === 'joined')
        return { type: 'error', id: frame['id'], room: 'lobby', code: 'forbidden', message: 'no' }
      return n === 1 && frame.type === 'presence' && failed && dropped++ === 0
        ? 'nothing'
        : undefined
    })
    const { socket, errors } = await guestOf(server, 'alice', {
      auth: minting(server, [LIFETIME_MS]),
      renewal: swap(),
      WebSocket: tapped.WebSocket,
    })
    let failed = false
    const lobby = socket.room('lobby')
    await lobby.join({ presence: {} })
    await vi.waitFor(() => expect(errors).toHaveLength(1), within)
    failed = true
    for (const mood of ['one', 'two']) {
      const bob = await guestOf(server, 'bob')
      await bob.socket.room('lobby').join({ presence: { mood } })
    }
    await vi.waitFor(() => {
      const clients = lobby.members.find(({ user }) => user === 'bob')?.clients ?? []
      expect(clients.map(({ data }) => data)).toEqual([{ mood: 'one' }, { mood: 'two' }])
    }, within)
  })
})

describe('In the middle of a swap', () => {
  test('a first socket that is cut off is no interruption: the second one is the one', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => {
        if (n === 2 && type === 'welcome') alice.sockets[0]?.cut()
        return undefined
      },
    })
    const bob = await inLobby(server, 'bob')
    await vi.waitFor(() => expect(lobbyOf(server)).toContain('2 joined'), within)
    await bob.room.send('from bob')
    await alice.room.send('from alice')
    await vi.waitFor(() => expect(alice.data).toEqual(['from bob', 'from alice']), within)
    expect([alice.gaps, alice.joins, alice.errors]).toEqual([[], [false], []])
    expect(new Set(alice.changes).size).toBeLessThanOrEqual(1)
    expect(alice.sockets).toHaveLength(2)
  })

  test('a first socket that is cut off before the second one is welcomed loses no send', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: ({ type, seq }, { n }) => {
        if (n === 1 && type === 'ok' && seq) return 'nothing'
        if (n !== 2 || type !== 'welcome') return undefined
        alice.sockets[0]?.cut()
        return 50
      },
    })
    const bob = await inLobby(server, 'bob')
    await expect(alice.room.send('one')).resolves.toMatchObject({ seq: 1 })
    await alice.room.send('two')
    await vi.waitFor(() => expect(bob.data).toEqual(['one', 'two']), within)
    expect([alice.gaps, alice.sockets.length]).toEqual([[], 2])
    expect(alice.changes).toEqual(['connecting', 'connected'])
  })

  test('a first socket that is cut off leaves sends to wait for the rooms of the second one', async () => {
    const server = await hosted()
    let refusals = 0
    const alice = await swapping(server, {
      meddle: ({ type, id, room }, { n }) => {
        if (n === 2 && type === 'welcome') alice.sockets[0]?.cut()
        if (n !== 2 || type !== 'joined' || refusals++ > 0) return undefined
        return {
          ...{ type: 'error', id, room, code: 'unavailable', message: 'later' },
          retryAfterMs: 200,
        }
      },
    })
    await vi.waitFor(() => expect(refusals).toBe(1), within)
    expect(alice.room.state).toBe('joining')
    await alice.room.send('kept')
    const types = alice.sockets[1]?.sent.map(({ type }) => type)
    expect(types).toEqual(['join', 'join', 'send'])
    expect([alice.data, alice.gaps, alice.joins]).toEqual([['kept'], [], [false, true]])
  })

  test('a first socket that has not answered yet is not asked again when the second one ends', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      auth: minting(server, [60_000, LIFETIME_MS]),
      meddle: ({ type }, { n }) => {
        if (n === 2 && type === 'joined') return 1_000
        if (n !== 3 || type !== 'joined') return undefined
        alice.sockets[2]?.cut()
        return 'nothing'
      },
    })
    await alice.socket.reconnect()
    await vi.waitFor(() => expect(alice.joins).toEqual([false, true]), within)
    await alice.room.send('kept')
    const types = alice.sockets[1]?.sent.map(({ type }) => type)
    expect(types).toEqual(['join', 'send'])
    expect([alice.data, alice.gaps]).toEqual([['kept'], []])
  })

  test('a room that the first socket has joined meanwhile is joined, also when the second one ends', async () => {
    const server = await hosted()
    let joining: Promise<void> | undefined
    const mint = minting(server, [LIFETIME_MS])
    const alice = await swapping(server, {
      auth: ({ reason }) => {
        if (reason === 'renewal') joining = alice.socket.room('new').join()
        return mint()
      },
      meddle: ({ type, room }, { n }) => {
        if (type !== 'joined' || n > 2) return undefined
        // It comes when the second socket was asked already.
        if (n === 1) return room === 'new' ? 300 : undefined
        if (room === 'new') setTimeout(() => alice.sockets[1]?.cut(), 600)
        return 'nothing'
      },
    })
    await vi.waitFor(() => expect(joining).toBeDefined(), within)
    await joining
    await alice.socket.room('new').send('hi')
  })

  test('both sockets that are cut off are one reconnect', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => {
        if (n === 2 && type === 'joined') for (const { cut } of alice.sockets) cut()
        return undefined
      },
    })
    const bob = await inLobby(server, 'bob')
    await vi.waitFor(() => expect(alice.sockets.length).toBe(3), within)
    await Promise.all([bob.room.send('from bob'), alice.room.send('from alice')])
    await vi.waitFor(() => expect(alice.data).toHaveLength(2), within)
    expect([alice.gaps, alice.joins]).toEqual([[], [false, true]])
  })

  test('a room that counts anew is told as a gap, and nothing comes twice', async () => {
    const server = await hosted()
    let forgotten: Promise<unknown> | undefined
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => {
        if (n === 2 && type === 'welcome') forgotten = server.forgetRooms()
        return undefined
      },
    })
    const bob = await inLobby(server, 'bob')
    await bob.room.send('before')
    await vi.waitFor(() => expect(forgotten).toBeDefined(), within)
    await vi.waitFor(() => expect(alice.gaps.length).toBeGreaterThan(0), within)
    await vi.waitFor(() => expect(alice.room.state).toBe('joined'), within)
    await alice.room.send('after')
    await vi.waitFor(() => expect(alice.data).toEqual(['before', 'after']), within)
    expect(alice.gaps).toMatchObject([{ reason: 'epoch' }])
  })

  test('a room that counts anew on both sockets is told once', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: (frame, { n }) => {
        if (n !== 2 || frame.type !== 'joined') return undefined
        if (frame['id'] === undefined) return 100
        if (frame['room'] === 'lobby') void server.forgetRooms()
        // The swap lasts as long as one room is not joined.
        return frame['room'] === 'other' ? 1_000 : undefined
      },
    })
    await alice.socket.room('other').join()
    const bob = await inLobby(server, 'bob')
    await vi.waitFor(() => expect(alice.gaps.length).toBeGreaterThan(0), within)
    await bob.room.send('after')
    await vi.waitFor(() => expect(alice.data).toEqual(['after']), within)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(alice.gaps).toEqual([{ reason: 'epoch' }])
  })

  test('a room that the first socket was never told of is joined by the answer to the second one', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      auth: minting(server, [60_000, LIFETIME_MS]),
      // Nobody hears that the room was joined again.
      meddle: ({ type }, { n }) => (n === 2 && type === 'joined' ? 'nothing' : undefined),
    })
    await alice.socket.reconnect()
    expect(alice.room.state).toBe('joining')
    const sent = alice.room.send('kept')
    await expect(sent).resolves.toMatchObject({ seq: 1 })
    expect([alice.room.state, alice.joins, alice.data, alice.gaps]).toEqual([
      'joined',
      [false, true],
      ['kept'],
      [],
    ])
    expect(alice.sockets).toHaveLength(3)
  })

  test('what the first socket missed before comes with its own late answer, and is no hole', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      auth: minting(server, [60_000, LIFETIME_MS]),
      meddle: ({ type }, { n }) => {
        if (n === 1) return type === 'message' ? 'nothing' : undefined
        return type === 'joined' || type === 'message' ? 700 : undefined
      },
    })
    const bob = await inLobby(server, 'bob')
    await bob.room.send('missed')
    await alice.socket.reconnect()
    await bob.room.send('next')
    await vi.waitFor(() => expect(alice.data).toEqual(['missed', 'next']), within)
    expect(alice.sockets).toHaveLength(3)
    await alice.room.send('last')
    await vi.waitFor(() => expect(alice.data).toEqual(['missed', 'next', 'last']), within)
    expect([alice.gaps, alice.joins]).toEqual([[], [false, true]])
  })

  describe('a room that was left and joined again', () => {
    /** The first socket still brings the room, `early` to nobody; the second one is behind it, by so much. */
    const joinedAgain = async (server: ReferenceServer, behind: number | 'nothing') => {
      const mint = minting(server, [LIFETIME_MS])
      const alice = await swapping(server, {
        auth: ({ reason }) => {
          if (reason !== 'renewal') return mint()
          alice.sockets[0]?.slow(700)
          alice.room.leave()
          void alice.room.join()
          return mint()
        },
        meddle: (frame, { n }) => {
          if (n !== 2) return undefined
          if (frame.type === 'message') return behind
          if (frame.type !== 'joined') return undefined
          // The swap lasts as long as one room is not joined.
          if (frame['room'] === 'other') return 1_000
          void bob.room.send('early')
          return 100
        },
      })
      await alice.socket.room('other').join()
      const bob = await inLobby(server, 'bob')
      await vi.waitFor(() => expect(alice.joins).toEqual([false, false]), within)
      await bob.room.send('next')
      return { alice, bob }
    }

    test('misses nothing, though the first socket is ahead of the second one', async () => {
      const server = await hosted()
      const { alice } = await joinedAgain(server, 300)
      await vi.waitFor(() => expect(alice.data).toEqual(['early', 'next']), within)
      expect(alice.gaps).toEqual([])
    })

    test('misses nothing either when the second one ends before it brings it', async () => {
      const server = await hosted()
      const { alice, bob } = await joinedAgain(server, 'nothing')
      alice.sockets[1]?.cut()
      await vi.waitFor(() => expect(alice.data).toEqual(['early', 'next']), within)
      await bob.room.send('last')
      await vi.waitFor(() => expect(alice.data).toEqual(['early', 'next', 'last']), within)
      expect([alice.gaps, alice.changes, alice.sockets.length]).toEqual([[], [], 2])
    })

    test('misses nothing of what comes before the first one is asked where to go on', async () => {
      const server = await hosted()
      const { alice, bob } = await joinedAgain(server, 'nothing')
      const [first, second] = alice.sockets
      first?.slow(1_500)
      second?.cut()
      const joins = () => lobbyOf(server).filter((what) => what === '1 joined').length
      await vi.waitFor(() => expect(joins()).toBe(2), within)
      await bob.room.send('between')
      await vi.waitFor(() => expect(alice.data).toEqual(['early', 'next', 'between']), within)
      expect(alice.gaps).toEqual([])
    })
  })

  describe('a room that is to be asked for again later', () => {
    /** The current socket was told to come again with `lobby`, so long after it was dialed. */
    const toComeAgain = async (server: ReferenceServer, retryAfterMs: number, meddle: Meddling) => {
      const alice = await swapping(server, {
        auth: minting(server, [60_000, LIFETIME_MS]),
        meddle: (frame, tapped) => {
          const { type, id, room } = frame
          if (tapped.n !== 2 || type !== 'joined' || room !== 'lobby') return meddle(frame, tapped)
          return { type: 'error', id, room, code: 'unavailable', message: 'later', retryAfterMs }
        },
      })
      await alice.socket.room('other').join()
      await alice.socket.reconnect()
      return alice
    }
    const asksOn = ({ sockets }: Awaited<ReturnType<typeof swapping>>, n: number) =>
      (sockets[n - 1]?.sent ?? []).filter(
        ({ type, rooms }) => type === 'join' && JSON.stringify(rooms).includes('lobby'),
      ).length

    test('is asked for once on the second socket', async () => {
      const server = await hosted()
      const alice = await toComeAgain(server, 1_000, ({ type, room }, { n }) =>
        // The swap lasts as long as one room is not joined.
        n === 3 && type === 'joined' && room === 'other' ? 1_000 : undefined,
      )
      await alice.room.send('one')
      await vi.waitFor(() => expect(server.openSockets()).toBe(1), within)
      expect([asksOn(alice, 2), asksOn(alice, 3)]).toEqual([1, 1])
      expect([alice.gaps, alice.data]).toEqual([[], ['one']])
    })

    test('is asked for on the first socket where the second one comes to nothing', async () => {
      const server = await hosted()
      const alice = await toComeAgain(server, 60_000, (frame, { n }) =>
        n === 3 && frame.type === 'joined' && frame['room'] === 'other'
          ? { type: 'error', id: frame['id'], room: 'other', code: 'forbidden', message: 'no' }
          : undefined,
      )
      await vi.waitFor(() => expect(alice.errors).toHaveLength(1), within)
      await vi.waitFor(() => expect([asksOn(alice, 2), asksOn(alice, 3)]).toEqual([2, 1]), within)
    })
  })

  test('a disconnect closes both sockets', async () => {
    const server = await hosted()
    const alice = await swapping(server, {
      meddle: ({ type }, { n }) => {
        if (n !== 2 || type !== 'joined') return undefined
        void alice.socket.disconnect()
        return 'nothing'
      },
    })
    await vi.waitFor(() => expect(alice.changes).toEqual(['idle']), within)
    await vi.waitFor(() => expect(server.openSockets()).toBe(0), within)
    expect(alice.sockets).toHaveLength(2)
  })
})

test('A swap needs a protocol that resumes its rooms', async () => {
  const server = await hosted()
  await expect(guestOf(server, 'alice', { protocol: plain(), renewal: swap() })).rejects.toThrow(
    new TypeError(
      'AuthedSocket: renewal: swap() needs a protocol that resumes its rooms, such as multiplexed(): plain does not',
    ),
  )
})
