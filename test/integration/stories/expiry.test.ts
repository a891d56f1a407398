import { describe, expect, test } from 'vitest'
import { roomPerSocket } from '../../../src/index.ts'
import {
  HOUR,
  MINUTE,
  pass,
  record,
  SECOND,
  sessionStoryOf,
  storyOf,
  type TokenPlan,
  tellStories,
  UNTIL_EXPIRY,
} from '../../support/story.ts'

tellStories()

const PLANS: readonly TokenPlan[] = [
  { form: 'jwt', lifetimeMs: 4 * SECOND },
  { form: 'opaque with expiry', lifetimeMs: 4 * SECOND },
  { form: 'opaque', lifetimeMs: 30 * SECOND },
]
const SKEWS = [0, 10 * MINUTE, -10 * MINUTE]
const CASES = PLANS.flatMap((plan) =>
  SKEWS.map((skewMs) => ({ ...plan, skewMs, name: `${plan.form}, skew ${skewMs / MINUTE} min` })),
)

describe('A server that closes with 4003 when the token expires, for an hour', () => {
  test.each(CASES)('costs one dial and one request a lifetime ($name)', async (plan) => {
    const { server, auth, socket } = storyOf(plan)
    server.skewMs = plan.skewMs
    server.receive = () => UNTIL_EXPIRY
    const { states, events } = record(socket)
    socket.connect()

    await pass(HOUR)
    // Dated in whole seconds, a token of 4 s lives between 3 and 4 s; the rest is latency.
    const least = HOUR / (plan.lifetimeMs + 100) - 1
    const most = HOUR / (plan.lifetimeMs - (plan.form === 'jwt' ? SECOND : 0)) + 1
    expect(server.dials.length).toBeGreaterThanOrEqual(least)
    expect(server.dials.length).toBeLessThanOrEqual(most)
    expect(Math.abs(auth.calls.length - server.dials.length)).toBeLessThanOrEqual(1)
    expect(states).not.toContain('failed')
    expect(states).not.toContain('waiting')
    expect(events).not.toContain('signinrequired')
    expect(new Set(server.dials.map(({ token }) => token)).size).toBe(server.dials.length)
  })

  test.each(CASES)('costs a session one refresh a lifetime ($name)', async (plan) => {
    const story = sessionStoryOf(plan)
    const { server, socket } = story
    server.skewMs = plan.skewMs
    server.receive = () => UNTIL_EXPIRY
    await story.login()
    const { states } = record(socket)
    socket.connect()

    await pass(HOUR)
    expect(Math.abs(story.refreshes() + 1 - server.dials.length)).toBeLessThanOrEqual(1)
    expect(states).not.toContain('failed')
    expect(story.session.signedIn).toBe(true)
  })
})

describe('Ten rooms on ten sockets, closed together by one expiry', () => {
  test.each(SKEWS)('cost a session one refresh (skew %i ms)', async (skewMs) => {
    const story = sessionStoryOf({ lifetimeMs: 5 * MINUTE }, { protocol: roomPerSocket() })
    const { server, socket } = story
    server.skewMs = skewMs
    server.receive = () => UNTIL_EXPIRY
    await story.login()
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`room ${i}`))
    const { states } = record(socket)
    for (const room of rooms) room.join()

    await pass(5 * MINUTE - 10 * SECOND)
    expect([server.dials.length, story.refreshes()]).toEqual([10, 0])
    await pass(20 * SECOND)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
    expect([server.dials.length, story.refreshes()]).toEqual([20, 1])
    expect(states).not.toContain('failed')
    expect(server.openSockets).toBe(10)
  })

  test('cost one refresh also as ten sockets of their own', async () => {
    const story = sessionStoryOf({ lifetimeMs: 5 * MINUTE })
    const { server } = story
    server.receive = () => UNTIL_EXPIRY
    await story.login()
    const sockets = Array.from({ length: 10 }, () => story.another())
    for (const socket of sockets) socket.connect()

    await pass(5 * MINUTE + 10 * SECOND)
    expect(sockets.map(({ state }) => state)).toEqual(Array(10).fill('connected'))
    expect([server.dials.length, story.refreshes()]).toEqual([20, 1])
  })

  test('cost a function one fresh token', async () => {
    const { server, auth, socket } = storyOf(
      { lifetimeMs: 5 * MINUTE },
      { protocol: roomPerSocket() },
    )
    server.receive = () => UNTIL_EXPIRY
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`room ${i}`))
    for (const room of rooms) room.join()

    await pass(5 * MINUTE - 10 * SECOND)
    expect(server.dials).toHaveLength(10)
    const before = auth.calls.length
    await pass(20 * SECOND)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
    expect(auth.refreshes).toBe(1)
    expect(auth.calls.length - before).toBe(1)
    expect(server.dials).toHaveLength(20)
  })

  test('cost one refresh also where nobody knows the expiry', async () => {
    const story = sessionStoryOf(
      { form: 'opaque', lifetimeMs: 5 * MINUTE },
      { protocol: roomPerSocket() },
    )
    const { server, socket } = story
    server.receive = () => UNTIL_EXPIRY
    await story.login()
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`room ${i}`))
    for (const room of rooms) room.join()

    await pass(HOUR)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
    expect(Math.abs(story.refreshes() - 12)).toBeLessThanOrEqual(1)
    expect(server.dials).toHaveLength(10 * (story.refreshes() + 1))
  })
})
