import { describe, expect, test, vi } from 'vitest'
import { fixedToken, roomPerSocket } from '../../../src/index.ts'
import {
  acceptFor,
  DAY,
  HOUR,
  MINUTE,
  openPage,
  pass,
  REFUSE,
  record,
  SECOND,
  sessionStoryOf,
  sleep,
  storyOf,
  tellStories,
  timersLeft,
  until,
  YEAR,
} from '../../support/story.ts'

tellStories()

describe('A token of ten years', () => {
  test('needs no timer: a proven connection has none at all', async () => {
    const { server, auth, socket } = storyOf({ lifetimeMs: 10 * YEAR })
    socket.connect()
    await pass(MINUTE)
    expect(socket.status).toMatchObject({ state: 'connected' })
    expect(await timersLeft()).toBe(0)
    await pass(YEAR)
    expect([server.dials.length, auth.calls.length]).toEqual([1, 1])
  })

  test('is left when it expires and not before, where that is wanted', async () => {
    const { server, auth, socket } = storyOf({ lifetimeMs: 60 * DAY }, { closeAtExpiry: true })
    socket.connect()
    await pass(MINUTE)
    expect(await timersLeft()).toBe(1)
    await pass(59 * DAY)
    expect([server.dials.length, auth.calls.length]).toEqual([1, 1])
    await pass(DAY)
    expect([server.dials.length, auth.calls.length]).toEqual([2, 2])
    expect(server.openSockets).toBe(1)
    expect(socket.state).toBe('connected')
  })

  test('tells when it expires', async () => {
    const { socket } = storyOf({ lifetimeMs: 10 * YEAR })
    const begun = Date.now()
    socket.connect()
    await pass(MINUTE)
    const { status } = socket
    if (status.state !== 'connected') throw new Error(status.state)
    expect(Math.abs((status.tokenExpiresAt ?? 0) - begun - 10 * YEAR)).toBeLessThan(2 * SECOND)
  })
})

describe("A server's advice of 40 days", () => {
  test('is longer than a timer reaches, and is kept', async () => {
    const { server, socket } = storyOf(
      {},
      { auth: fixedToken('key'), closePolicy: { 4100: { retryAfterMs: 40 * DAY } } },
    )
    server.receive = ({ number }) =>
      number === 1 ? acceptFor(10 * SECOND, 4100) : { kind: 'accept' }
    socket.connect()
    await pass(40 * DAY)
    expect(server.dials).toHaveLength(1)
    await pass(MINUTE)
    expect(server.dials).toHaveLength(2)
  })
})

describe('A laptop that sleeps for 8 h', () => {
  test.each(['visible', 'online'] as const)(
    'while it waits, and wakes (%s): gets a token, then sockets, then rooms',
    async (news) => {
      const page = openPage()
      const story = sessionStoryOf({ lifetimeMs: HOUR }, { protocol: roomPerSocket() })
      const { server, socket } = story
      await story.login()
      const rooms = ['a', 'b', 'c'].map((name) => socket.room(name))
      const order: string[] = []
      for (const room of rooms) room.join()
      await pass(MINUTE)

      server.receive = () => REFUSE
      server.host = 'gone'
      server.closeAll(1006)
      await pass(30 * MINUTE)
      await until(() => socket.state === 'waiting', SECOND, 1)
      const before = server.dials.length
      sleep(8 * HOUR)
      expect(server.dials).toHaveLength(before)

      server.receive = () => ({ kind: 'accept' })
      server.host = 'answers'
      for (const room of rooms)
        room.on('joined', () => {
          order.push(`room, ${server.dials.length - before} dials, ${story.refreshes()} refreshes`)
        })
      if (news === 'online') page.online()
      else page.becomes('visible')
      await pass(2 * SECOND)
      expect(story.refreshes()).toBe(1)
      expect(order).toEqual(Array(3).fill('room, 3 dials, 1 refreshes'))
      const [refresh] = server.tokenRequests.slice(-1)
      for (const dial of server.dials.slice(before)) {
        expect(dial.at).toBeGreaterThan(refresh?.at ?? Number.POSITIVE_INFINITY)
        expect(server.lifeLeft(dial.token)).toBeGreaterThan(0)
      }
      expect(rooms.map(({ state }) => state)).toEqual(Array(3).fill('joined'))
    },
  )

  test('while it is connected, and finds its socket closed: renews before it dials', async () => {
    const { server, auth, socket } = storyOf({ lifetimeMs: HOUR })
    const { states } = record(socket)
    socket.connect()
    await pass(MINUTE)
    sleep(8 * HOUR)
    server.closeAll(1006)
    await pass(3 * SECOND)
    expect(socket.state).toBe('connected')
    expect(auth.calls.map(({ fresh }) => fresh)).toEqual([false, true])
    expect(server.lifeLeft(server.dials[1]?.token ?? '')).toBeGreaterThan(0)
    expect(states).not.toContain('failed')
  })

  // What a longer one does is told in wake.test.ts.
  test('or for less than a minute, and keeps its socket: nothing is asked and nothing dialed', async () => {
    const page = openPage()
    const { server, auth, socket } = storyOf({ lifetimeMs: HOUR })
    socket.connect()
    await pass(MINUTE)
    sleep(50 * SECOND)
    page.becomes('visible')
    page.online()
    await pass(MINUTE)
    expect([server.dials.length, auth.calls.length]).toEqual([1, 1])
    expect(socket.state).toBe('connected')
  })

  test('over the expiry that it wanted to leave at: leaves at once when it wakes', async () => {
    const page = openPage()
    const { server, socket } = storyOf({ lifetimeMs: HOUR }, { closeAtExpiry: true })
    socket.connect()
    await pass(MINUTE)
    sleep(8 * HOUR)
    page.becomes('visible')
    await pass(MINUTE)
    expect(server.dials).toHaveLength(2)
    expect(vi.getTimerCount()).toBeGreaterThan(0)
  })
})
