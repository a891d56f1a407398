import { describe, expect, test } from 'vitest'
import { CredentialRejectedError, fixedToken, roomPerSocket } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  DAY,
  HOUR,
  pass,
  record,
  SECOND,
  seed,
  sessionStoryOf,
  storyOf,
  tellStories,
  timersLeft,
  until,
} from '../../support/story.ts'

tellStories()

describe('A server that accepts every socket and closes it with 4003 after 6 s', () => {
  test.each([1, 2, 3, 4, 5])(
    'costs a function two requests and three dials (seed %i)',
    async (n) => {
      seed(n)
      const { server, auth, socket } = storyOf()
      server.receive = () => acceptFor(6 * SECOND, 4003)
      const { events } = record(socket)
      socket.connect()

      await until(() => socket.state === 'failed', 60 * SECOND)
      const [first, second, third] = server.dials
      expect(auth.calls.map(({ reason, fresh }) => [reason, fresh])).toEqual([
        ['connect', false],
        ['rejected', true],
      ])
      expect(server.dials).toHaveLength(3)
      expect(Date.now() - (first?.at ?? 0)).toBeLessThanOrEqual(45 * SECOND)
      expect(second?.token).not.toBe(first?.token)
      expect(third?.token).toBe(second?.token)
      expect((third?.at ?? 0) - (second?.endedAt ?? 0)).toBeGreaterThanOrEqual(5 * SECOND)
      expect(socket.status).toMatchObject({
        state: 'failed',
        action: 'sign-in',
        error: expect.any(CredentialRejectedError),
      })
      expect(events.filter((event) => event === 'signinrequired')).toHaveLength(1)

      expect(await timersLeft()).toBe(0)
      const heard = events.length
      await pass(DAY)
      expect([server.dials.length, auth.calls.length, events.length]).toEqual([3, 2, heard])
      expect(await timersLeft()).toBe(0)
    },
  )

  test('costs a session one refresh and three dials, and signs it out once', async () => {
    const { server, session, socket, login, refreshes } = sessionStoryOf()
    let signedOut = 0
    session.on('signedout', () => signedOut++)
    server.receive = () => acceptFor(6 * SECOND, 4003)
    await login()
    socket.connect()

    await until(() => socket.state === 'failed', 45 * SECOND)
    expect([server.dials.length, refreshes(), signedOut]).toEqual([3, 1, 1])
    expect(session.signedIn).toBe(false)

    await pass(DAY)
    expect([server.dials.length, refreshes(), signedOut]).toEqual([3, 1, 1])
    expect(await timersLeft()).toBe(0)
  })

  test.each([1, 2, 3, 4, 5])(
    'costs ten sockets of one session one refresh (seed %i)',
    async (n) => {
      seed(n)
      const { server, session, socket, another, login, refreshes } = sessionStoryOf()
      const sockets = [socket, ...Array.from({ length: 9 }, () => another())]
      server.receive = () => acceptFor(6 * SECOND, 4003)
      await login()
      for (const each of sockets) each.connect()

      await until(() => sockets.every(({ state }) => state === 'failed'), 60 * SECOND)
      for (const { status } of sockets)
        expect(status).toMatchObject({
          action: 'sign-in',
          error: expect.any(CredentialRejectedError),
        })
      expect(refreshes()).toBe(1)
      expect(session.signedIn).toBe(false)
      expect(server.dials.length).toBeLessThanOrEqual(30)

      const { length } = server.dials
      await pass(DAY)
      expect([server.dials.length, refreshes()]).toEqual([length, 1])
      expect(await timersLeft()).toBe(0)
    },
  )

  test('refuses one room, not the session, where the others stay open', async () => {
    const story = sessionStoryOf({ lifetimeMs: 365 * DAY }, { protocol: roomPerSocket() })
    const { server, session, socket, login, refreshes } = story
    server.receive = ({ room }) => (room === 'r9' ? acceptFor(6 * SECOND, 4003) : ACCEPT)
    await login()
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`r${i}`))
    for (const room of rooms) room.join()

    await until(() => rooms[9]?.state === 'refused', 120 * SECOND)
    expect(rooms.slice(0, 9).map(({ state }) => state)).toEqual(Array(9).fill('joined'))
    expect([server.dials.length, refreshes(), session.signedIn]).toEqual([12, 1, true])
    await pass(HOUR)
    expect([server.dials.length, refreshes()]).toEqual([12, 1])
  })

  test('costs a token that cannot be renewed two dials, the second one spaced', async () => {
    const { server, socket } = storyOf({}, { auth: fixedToken('key') })
    server.receive = () => acceptFor(6 * SECOND, 4003)
    socket.connect()

    await until(() => socket.state === 'failed', 45 * SECOND)
    const [first, second] = server.dials
    expect(server.dials).toHaveLength(2)
    expect((second?.at ?? 0) - (first?.endedAt ?? 0)).toBeGreaterThanOrEqual(5 * SECOND)
    expect(socket.status).toMatchObject({ error: { code: 'CREDENTIAL_REJECTED' } })
    await pass(DAY)
    expect(server.dials).toHaveLength(2)
  })

  test('does not count what lies more than 20 s of acceptance back', async () => {
    const { server, auth, socket } = storyOf({ lifetimeMs: DAY })
    server.receive = () => acceptFor(25 * SECOND, 4003)
    socket.connect()

    await pass(HOUR)
    expect(socket.state).toBe('connected')
    expect(server.dials.length).toBeGreaterThanOrEqual(140)
    expect(auth.calls.length).toBe(server.dials.length)
  })

  test('is over for a person who signs in again', async () => {
    const { server, socket, login } = sessionStoryOf()
    server.receive = () => acceptFor(6 * SECOND, 4003)
    await login()
    socket.connect()
    await until(() => socket.state === 'failed', 45 * SECOND)

    server.receive = () => ({ kind: 'accept' })
    await login()
    await pass(SECOND)
    expect(socket.state).toBe('connected')
    expect(server.dials).toHaveLength(4)
  })
})
