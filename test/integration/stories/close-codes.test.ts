/** What codes mean that one server says of a bad token, and another one of something else. */
import { describe, expect, test } from 'vitest'
import { fixedToken, roomPerSocket } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  DAY,
  HOUR,
  MINUTE,
  pass,
  record,
  SECOND,
  sessionStoryOf,
  storyOf,
  tellStories,
  until,
} from '../../support/story.ts'

tellStories()

describe('A server that limits with 1008, 6 s after each open, for a day', () => {
  test('signs nobody out of a session, and costs at most 6 refreshes an hour', async () => {
    const { server, session, socket, login, refreshes } = sessionStoryOf({ lifetimeMs: 10 * DAY })
    server.receive = () => acceptFor(6 * SECOND, 1008)
    await login()
    const { states, events } = record(socket)
    socket.connect()
    await pass(DAY)
    expect(refreshes()).toBeGreaterThan(24)
    expect(refreshes()).toBeLessThanOrEqual(24 * 6)
    expect(server.dials.length).toBeLessThanOrEqual(24 * 70)
    expect(states).not.toContain('failed')
    expect(events).not.toContain('signinrequired')
    expect(session.signedIn).toBe(true)
  })

  test('costs a function as little, which is asked before each dial', async () => {
    const { server, auth, socket } = storyOf({ lifetimeMs: 10 * DAY })
    server.receive = () => acceptFor(6 * SECOND, 1008)
    socket.connect()
    await pass(HOUR)
    expect(auth.refreshes).toBeLessThanOrEqual(6)
    expect(auth.calls.length).toBeLessThanOrEqual(server.dials.length + 1)
    expect(server.dials.length).toBeLessThanOrEqual(100)
    expect(socket.state).not.toBe('failed')
  })

  test('ends no session of a token that cannot be renewed', async () => {
    const { server, socket } = storyOf({}, { auth: fixedToken('key') })
    server.receive = () => acceptFor(6 * SECOND, 1008)
    const { states } = record(socket)
    socket.connect()
    await pass(DAY)
    expect(states).not.toContain('failed')
    expect(server.dials.length).toBeGreaterThan(1_000)
  })

  test.each(['reauthenticate', 'sign-in', 'stop'] as const)(
    'means %s where the policy of the user says so, at any time',
    async (verdict) => {
      const { server, socket } = storyOf({}, { closePolicy: { 1008: verdict } })
      server.receive = () => acceptFor(6 * SECOND, 1008)
      socket.connect()
      await until(() => socket.state === 'failed', MINUTE)
      expect(server.dials.length).toBe(verdict === 'reauthenticate' ? 3 : 1)
    },
  )

  test('leaves the other rooms of the session alone', async () => {
    const story = sessionStoryOf({ lifetimeMs: DAY }, { protocol: roomPerSocket() })
    const { server, socket, login, refreshes } = story
    server.receive = ({ room }) => (room === 'busy' ? acceptFor(6 * SECOND, 1008) : ACCEPT)
    await login()
    const [busy, calm] = [socket.room('busy'), socket.room('calm')]
    for (const room of [busy, calm]) room.join()
    await pass(HOUR)
    expect(refreshes()).toBe(0)
    expect(server.dials.filter(({ room }) => room === 'calm')).toHaveLength(1)
    expect([busy.state === 'refused', calm.state]).toEqual([false, 'joined'])
  })
})

describe.each([4001, 4109, 3500])('A server that closes stale tokens with %d', (code) => {
  test('is dialed with a fresh one, once', async () => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: DAY })
    let stale: string | undefined
    server.receive = ({ token }) => {
      stale ??= token
      return token === stale ? acceptFor(0, code) : ACCEPT
    }
    socket.connect()
    await until(() => socket.state === 'connected', 10 * SECOND)
    expect([auth.refreshes, server.dials.length]).toEqual([1, 2])
  })

  test('and every other one is dialed for ever, with one refresh, and asks nobody to sign in', async () => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: 10 * DAY })
    server.receive = () => acceptFor(0, code)
    const { events } = record(socket)
    socket.connect()
    await pass(DAY)
    expect(auth.refreshes).toBe(1)
    expect(server.dials.length).toBeLessThanOrEqual(1_500)
    expect([socket.state === 'failed', events.includes('signinrequired')]).toEqual([false, false])
  })
})
