/**
 * Figure 6: people change on one client, with full queues and late events. No frame of one is sent as the
 * other, no event of one is seen by the other.
 */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  cookieSession,
  multiplexed,
  type PasswordCredentials,
  plain,
  roomPerSocket,
  type Session,
  simpleJwt,
  viaQuery,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { seeded } from '../support/seeded.ts'
import { startSlowClock } from '../support/slow-clock.ts'
import { adversary, as, tokenFetch, Witness } from './identity-world.ts'

const SWITCHES = Number(process.env['AUTHED_SOCKET_SWITCHES'] ?? 1_000)
const SEED = Number(process.env['AUTHED_SOCKET_SEED'] ?? 1)
const PEOPLE = ['alice', 'bob']
/** As many as fit: the queue is full at each switch. */
const QUEUED = 20

const closers: (() => unknown)[] = []
beforeEach(() => {
  closers.push(startSlowClock())
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const COMMON = {
  transmission: viaQuery({ acceptLogging: true }),
  // `ws` has what the SDK asks for; its own types say more than that.
  WebSocket: WebSocket as unknown as WebSocketConstructor,
  retry: { scale: 0.01 },
  settleMs: 50,
  outbox: { count: QUEUED },
} satisfies Partial<AuthedSocketOptions>

/** In each of the ways that there are. */
const become = async (
  session: Session<PasswordCredentials>,
  user: string,
  roll: () => number,
): Promise<void> => {
  const way = roll()
  if (way < 0.4) await session.switch(as(user))
  else if (way < 0.8 || !session.signedIn) {
    await session.logout({ revoke: false })
    await session.login(as(user))
  } else {
    // Two at once: the last one counts.
    session.switch(as('nobody')).catch(() => {})
    await session.switch(as(user))
  }
}

interface Stage {
  readonly session: Session<PasswordCredentials>
  readonly socket: AuthedSocket
  /** What whoever came last wants: connect, join, listen. */
  enter(user: string): void
  /** The server drops everybody: what is sent now waits. */
  drop(): void
  send(by: string): Promise<unknown>
}

const play = async (stage: Stage, witness: Witness, switches: number, roll: () => number) => {
  const { session } = stage
  witness.follow(session)
  let user = ''
  for (let turn = 0; turn < switches; turn++) {
    user = PEOPLE[turn % 2] ?? ''
    witness.expect(user)
    await become(session, user, roll)
    witness.counts.switches++
    stage.enter(user)
    // Some before there is a socket, some on it, some behind a socket that was dropped.
    for (let burst = 0; burst < 3; burst++) {
      for (let frame = 0; frame < 5; frame++) witness.watch((by) => stage.send(by))
      await pause(roll() * 8)
    }
    stage.drop()
    await pause(roll() * 4)
    for (let frame = 0; frame < QUEUED; frame++) witness.watch((by) => stage.send(by))
    // What was handed over in this turn has settled.
    await pause(0)
  }
  await pause(100)
}

const report = (name: string, { counts, violations }: Witness) => {
  console.log(`${name}, seed ${SEED}: ${JSON.stringify(counts)}`)
  // The first few say enough.
  expect(violations.slice(0, 5)).toEqual([])
  expect(Math.min(counts.sent, counts.arrived, counts.seen, counts.rejected)).toBeGreaterThan(0)
}

it.each(['jwt', 'opaque'] as const)(
  'one socket, on a server that speaks late and drops sockets (%s)',
  async (form) => {
    const roll = seeded(SEED)
    const witness = new Witness()
    const server = await adversary(witness, roll)
    closers.push(server.close)
    const session = simpleJwt({
      obtain: 'http://localhost:1/',
      refresh: 'http://localhost:1/',
      fetch: tokenFetch(form, roll),
    })
    const socket = new AuthedSocket({
      ...COMMON,
      url: server.url,
      auth: session,
      protocol: plain(),
    })
    closers.push(() => socket.disconnect())
    socket.on('message', ({ data }) => witness.sees((data as { for: string }).for))
    const stage: Stage = {
      session,
      socket,
      enter: () => socket.connect().catch(() => {}),
      drop: server.drop,
      send: (by) => socket.send({ by }),
    }
    await play(stage, witness, Math.ceil(SWITCHES / 4), roll)
    report(`plain, ${form}`, witness)
  },
  SWITCHES * 30 + 30_000,
)

/** Somebody else goes on talking to each of them, in the room of each. */
const gossip = async (server: ReferenceServer, path: (user: string) => string) => {
  for (const user of PEOPLE) {
    const { access } = await server.mint({ user, kind: 'valid' })
    const socket = new WebSocket(`${server.wsUrl}${path(user)}?token=${access}`)
    socket.on('error', () => {})
    const timer = setInterval(() => {
      if (socket.readyState === socket.OPEN)
        socket.send(JSON.stringify({ message: { for: user, by: user } }))
    }, 2)
    closers.push(() => {
      clearInterval(timer)
      socket.terminate()
    })
  }
}

it(
  'a socket for each room, on the reference server',
  async () => {
    const roll = seeded(SEED)
    const witness = new Witness()
    const server = await createReferenceServer()
    closers.push(() => server.close())
    await gossip(server, (user) => `/ws/chat/${user}/`)
    const session = simpleJwt({
      obtain: `${server.url}/api/token/`,
      refresh: `${server.url}/api/token/refresh/`,
    })
    const socket = new AuthedSocket({
      ...COMMON,
      url: `${server.wsUrl}/ws/chat/{room}/`,
      auth: session,
      protocol: roomPerSocket(),
    })
    closers.push(() => socket.disconnect())
    for (const user of PEOPLE)
      socket.room(user).on('message', ({ data }) => {
        const { message } = data as { message: { for?: string } | string }
        if (typeof message === 'object') witness.sees(message.for ?? '')
      })
    const stage: Stage = {
      session,
      socket,
      enter: (user) =>
        socket
          .room(user)
          .join()
          .catch(() => {}),
      drop: () => server.closeSockets({ code: 1012, room: witness.user }),
      send: (by) => socket.room(by || 'nobody').send({ message: { for: by, by } }),
    }
    await play(stage, witness, Math.ceil(SWITCHES / 4), roll)
    for (const { user, data } of server.received()) {
      const { message } = JSON.parse(String(data)) as { message: { by: string } }
      witness.arrives(message.by, user)
    }
    report('roomPerSocket', witness)
  },
  SWITCHES * 30 + 30_000,
)

const nameOf = (room: unknown): string =>
  typeof room === 'string' ? room : (room as { room: string }).room

it(
  'all rooms on one socket, on the reference server',
  async () => {
    const roll = seeded(SEED)
    const witness = new Witness()
    const server = await createReferenceServer()
    closers.push(() => server.close())
    const session = simpleJwt({
      obtain: `${server.url}/api/token/`,
      refresh: `${server.url}/api/token/refresh/`,
    })
    const socket = new AuthedSocket({
      ...COMMON,
      url: `${server.wsUrl}/ws/rooms`,
      auth: session,
      protocol: multiplexed(),
    })
    closers.push(() => socket.disconnect())
    for (const user of PEOPLE)
      socket.room(user).on('message', ({ data }) => witness.sees((data as { by: string }).by))
    const stage: Stage = {
      session,
      socket,
      enter: (user) =>
        socket
          .room(user)
          .join()
          .catch(() => {}),
      drop: () => server.closeSockets({ code: 1012 }),
      send: (by) => socket.room(by || 'nobody').send({ by }),
    }
    await play(stage, witness, Math.ceil(SWITCHES / 4), roll)
    for (const { user, data } of server.received()) {
      const frame = JSON.parse(String(data)) as {
        type: string
        data?: { by: string }
        rooms?: unknown[]
      }
      if (frame.type === 'send') witness.arrives(frame.data?.by ?? '', user)
      // The rooms of the one are not joined for the other.
      for (const room of frame.rooms ?? []) witness.arrives(nameOf(room), user)
    }
    report('multiplexed', witness)
  },
  SWITCHES * 30 + 30_000,
)

it('a cookie that changes hands ends the session, and nothing of the first user reaches the second', async () => {
  const server = await createReferenceServer()
  closers.push(() => server.close())
  const cookies = new Map<string, string>()
  for (const user of PEOPLE) cookies.set(user, (await server.mint({ user })).access)
  for (let round = 0; round < 10; round++) {
    let owner = 'alice'
    const session = cookieSession({
      cookie: () => `access_token=${cookies.get(owner)}`,
      origin: server.url,
    })
    const { transmission: _, ...common } = COMMON
    const socket = new AuthedSocket({
      ...common,
      url: `${server.wsUrl}/ws/rooms`,
      auth: session,
      protocol: multiplexed(),
    })
    const seen: string[] = []
    const lobby = socket.room('lobby')
    lobby.on('message', ({ data }) => seen.push(String(data)))
    lobby.on('left', ({ reason }) => seen.push(reason))
    await lobby.join()
    const since = server.received().length
    // Another tab signs in as somebody else; this one only loses its connection.
    owner = 'bob'
    server.closeSockets({ code: 1012 })
    const sends = Array.from({ length: 20 }, () => lobby.send('of alice'))
    const outcomes = await Promise.allSettled(sends)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([])
    while (socket.state !== 'failed') await pause(5)
    expect(socket.status).toMatchObject({ action: 'sign-in', error: { code: 'TOKEN_INVALID' } })
    const others = () =>
      server
        .received()
        .slice(since)
        .filter(({ user }) => user === 'bob')
    expect(others()).toEqual([])
    // Whoever it is goes on, if the page says so: with nothing of what was, which the room says.
    await session.restore()
    await socket.connect()
    expect([socket.identity, lobby.state, seen]).toEqual(['bob', 'idle', ['signed-out']])
    await socket.join('other')
    await pause(20)
    expect(others().map(({ room, data }) => [room, JSON.parse(String(data)).type])).toEqual([
      ['', 'join'],
    ])
    await socket.disconnect()
  }
})
