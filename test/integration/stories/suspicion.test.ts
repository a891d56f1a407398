import { describe, expect, test } from 'vitest'
import { HandshakeRefusedError, roomPerSocket } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  DAY,
  HOUR,
  MINUTE,
  pass,
  REFUSE,
  record,
  SECOND,
  seed,
  sessionStoryOf,
  storyOf,
  tellStories,
} from '../../support/story.ts'

tellStories()

describe('A server that never opens a socket, for a day, while its host answers', () => {
  test.each([
    { form: 'jwt', lifetimeMs: 10 * HOUR, refreshes: 1 + 2 },
    { form: 'opaque', lifetimeMs: 10 * HOUR, refreshes: 1 },
  ] as const)('costs one refresh beyond one a lifetime ($form)', async ({ refreshes, ...plan }) => {
    const story = sessionStoryOf(plan)
    const { server, socket } = story
    server.receive = () => REFUSE
    await story.login()
    const { states, events } = record(socket)
    socket.connect()

    await pass(DAY)
    expect(story.refreshes()).toBe(refreshes)
    expect(server.dials.length).toBeLessThanOrEqual(1_500)
    expect(server.dials.length).toBeGreaterThanOrEqual(1_200)
    expect(states).not.toContain('failed')
    expect(events).toEqual([])
    expect(story.session.signedIn).toBe(true)
    // Caught between two dials, which it nearly always is.
    expect(socket.status).toMatchObject({
      state: 'waiting',
      error: expect.any(HandshakeRefusedError),
    })
    const { error } = socket.status as { error: Error }
    expect(error.message).toMatch(/host answers/)
    for (const cause of ['token', 'Origin', 'path', 'slash']) expect(error.message).toMatch(cause)
  })

  test('does not refresh again what has just been refreshed, because it had expired', async () => {
    const story = sessionStoryOf({ lifetimeMs: 40 * SECOND })
    const { server, socket } = story
    await story.login()
    socket.connect()
    await pass(38 * SECOND)
    server.receive = () => REFUSE
    server.closeAll(1006)

    await pass(30 * SECOND)
    expect(story.refreshes()).toBe(1)
    server.receive = () => ACCEPT
    await pass(MINUTE)
    expect(socket.state).toBe('connected')
  })

  test('asks a function for one fresh token, and before every dial', async () => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: 10 * DAY })
    server.receive = () => REFUSE
    socket.connect()

    await pass(DAY)
    expect(auth.refreshes).toBe(1)
    expect(Math.abs(auth.calls.length - server.dials.length)).toBeLessThanOrEqual(1)
    expect(socket.state).toBe('waiting')
  })

  test('comes back within the longest delay once the server opens', async () => {
    const { server, socket } = storyOf()
    server.receive = () => REFUSE
    socket.connect()
    await pass(HOUR)
    server.receive = () => ACCEPT

    await pass(76 * SECOND)
    expect(socket.state).toBe('connected')
  })
})

describe('A host that is gone for a day', () => {
  test.each(['jwt', 'opaque'] as const)('costs no forced refresh (%s)', async (form) => {
    const story = sessionStoryOf({ form, lifetimeMs: 10 * DAY })
    const { server, socket } = story
    server.receive = () => REFUSE
    server.host = 'gone'
    await story.login()
    const { states } = record(socket)
    socket.connect()

    await pass(DAY)
    expect(story.refreshes()).toBe(0)
    expect(server.dials.length).toBeLessThanOrEqual(1_500)
    expect(states).not.toContain('failed')
    expect(socket.status).toMatchObject({ state: 'waiting', error: { code: 'HANDSHAKE_REFUSED' } })
    expect((socket.status as { error: Error }).error.message).toMatch(/host does not answer/)
  })

  test('asks a function for nothing fresh', async () => {
    const { server, auth, socket } = storyOf({ lifetimeMs: 10 * DAY })
    server.receive = () => REFUSE
    server.host = 'gone'
    socket.connect()
    await pass(HOUR)
    expect(auth.refreshes).toBe(0)
  })
})

describe('A rollout: an accepted token, 20 s of refusals without a code, and back', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('costs no refresh (seed %i)', async (n) => {
    seed(n)
    const { server, auth, socket } = storyOf()
    const { states, events } = record(socket)
    socket.connect()
    await pass(MINUTE)

    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(20 * SECOND)
    server.receive = () => ACCEPT
    await pass(MINUTE)

    expect(socket.state).toBe('connected')
    expect(auth.refreshes).toBe(0)
    expect(states).not.toContain('failed')
    expect(events).toEqual(['connected', 'disconnected 1006', 'reconnected', 'gap'])
  })

  test.each([1, 2, 3, 4])('costs ten rooms of a session no refresh either (seed %i)', async (n) => {
    seed(n)
    const story = sessionStoryOf({}, { protocol: roomPerSocket() })
    const { server, socket, session } = story
    await story.login()
    let signedOut = 0
    session.on('signedout', () => signedOut++)
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`room ${i}`))
    for (const room of rooms) room.join()
    await pass(MINUTE)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))

    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(20 * SECOND)
    server.receive = () => ACCEPT
    await pass(MINUTE)

    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
    expect(story.refreshes()).toBe(0)
    expect(signedOut).toBe(0)
  })

  test.each([1, 2, 3, 4])('costs ten sockets of a session no refresh (seed %i)', async (n) => {
    seed(n)
    const story = sessionStoryOf()
    const { server } = story
    await story.login()
    const sockets = Array.from({ length: 10 }, () => story.another())
    for (const socket of sockets) socket.connect()
    await pass(MINUTE)

    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(20 * SECOND)
    server.receive = () => ACCEPT
    await pass(MINUTE)
    expect(sockets.map(({ state }) => state)).toEqual(Array(10).fill('connected'))
    expect(story.refreshes()).toBe(0)
    expect(story.session.signedIn).toBe(true)
  })

  test('that takes longer than 30 s costs ten rooms one refresh together', async () => {
    const story = sessionStoryOf({ lifetimeMs: DAY }, { protocol: roomPerSocket() })
    const { server, socket } = story
    await story.login()
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`room ${i}`))
    for (const room of rooms) room.join()
    await pass(MINUTE)

    server.receive = () => REFUSE
    server.closeAll(1006)
    await pass(10 * MINUTE)
    expect(story.refreshes()).toBe(1)
    server.receive = () => ACCEPT
    await pass(2 * MINUTE)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
    expect(story.refreshes()).toBe(1)
  })
})

describe('A Wi-Fi that opens for 2 s and drops, for an hour', () => {
  test('costs a session one forced refresh beyond one a lifetime', async () => {
    const story = sessionStoryOf({ lifetimeMs: 25 * MINUTE })
    const { server, socket } = story
    server.receive = () => acceptFor(2 * SECOND, 1006)
    await story.login()
    const { states } = record(socket)
    socket.connect()

    await pass(HOUR)
    // The login's own lifetime is cut short by the one that silence may cost; two more expire.
    expect(story.refreshes()).toBeLessThanOrEqual(1 + 2)
    expect(states).not.toContain('failed')
    // An open is no success: the delays grow all the same.
    expect(server.dials.length).toBeLessThanOrEqual(80)
    expect(server.dials.length).toBeGreaterThanOrEqual(40)
  })

  test('costs a function one fresh token for the hour', async () => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: DAY })
    server.receive = () => acceptFor(2 * SECOND, 1006)
    socket.connect()
    await pass(HOUR)
    expect(auth.refreshes).toBeLessThanOrEqual(1)
    expect(socket.state).not.toBe('failed')
  })

  test('costs nothing at all where the token had been accepted and the host is gone', async () => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: DAY })
    socket.connect()
    await pass(MINUTE)
    server.host = 'gone'
    server.receive = () => acceptFor(2 * SECOND, 1006)
    server.closeAll(1006)
    await pass(HOUR)
    expect(auth.refreshes).toBe(0)
  })
})
