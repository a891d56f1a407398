import { describe, expect, test } from 'vitest'
import { roomPerSocket } from '../../../src/index.ts'
import {
  acceptFor,
  DAY,
  MINUTE,
  openPage,
  outcomeOf,
  pass,
  REFUSE,
  record,
  SECOND,
  type Story,
  sessionStoryOf,
  storyOf,
  tellStories,
  timersLeft,
  turn,
  until,
} from '../../support/story.ts'

tellStories()

interface Case {
  readonly name: string
  readonly state: string
  /** Brings the socket there. */
  readonly reach: (story: Story) => Promise<void>
}

const CASES: readonly Case[] = [
  {
    name: 'authenticating',
    state: 'authenticating',
    reach: async ({ auth }) => {
      auth.behaviour = 'hangs'
      await pass(SECOND)
    },
  },
  {
    name: 'connecting',
    state: 'connecting',
    reach: ({ server }) => until(() => server.dials.length === 1, SECOND, 1),
  },
  {
    name: 'opened, and not accepted yet',
    state: 'connecting',
    reach: async ({ server }) => {
      await until(() => server.openSockets === 1, SECOND, 1)
      await pass(100)
    },
  },
  { name: 'connected, not settled', state: 'connected', reach: () => pass(2 * SECOND) },
  { name: 'connected, settled', state: 'connected', reach: () => pass(10 * SECOND) },
  { name: 'connected, proven', state: 'connected', reach: () => pass(MINUTE) },
  {
    name: 'waiting to dial',
    state: 'waiting',
    reach: async ({ server, socket }) => {
      server.receive = () => REFUSE
      await pass(MINUTE)
      await until(() => socket.state === 'waiting', SECOND, 1)
    },
  },
  {
    name: 'waiting for the token source',
    state: 'waiting',
    reach: async ({ auth }) => {
      auth.behaviour = 'down'
      await pass(SECOND)
    },
  },
  {
    name: 'waiting to confirm a rejection',
    state: 'waiting',
    reach: async ({ server, socket }) => {
      server.receive = () => acceptFor(100, 4003)
      await until(() => socket.state === 'waiting', MINUTE)
    },
  },
  {
    name: 'failed',
    state: 'failed',
    reach: async ({ server }) => {
      server.receive = () => acceptFor(100, 4003)
      await pass(MINUTE)
    },
  },
]

describe('disconnect()', () => {
  test.each(CASES)('leaves no timer and no later event: $name', async ({ state, reach }) => {
    const page = openPage()
    const story = storyOf()
    const { server, auth, socket } = story
    const connecting = outcomeOf(socket.connect())
    await reach(story)
    expect(socket.state).toBe(state)

    const disconnecting = outcomeOf(socket.disconnect())
    expect(socket.state).toBe('idle')
    // The promise of connect() is rejected, which is an `error` event one microtask later.
    await turn()
    const recording = record(socket)
    socket.on('error', () => recording.events.push('error'))
    expect(await timersLeft()).toBe(0)
    expect(disconnecting.is).toBe('done')
    expect(connecting.is).not.toBe('open')
    const [dials, calls, probes] = [server.dials.length, auth.calls.length, server.probes]
    expect(server.openSockets).toBe(0)

    page.online()
    page.becomes('visible')
    await pass(DAY)
    expect(recording).toMatchObject({ states: ['idle'], events: [] })
    expect([server.dials.length, auth.calls.length, server.probes]).toEqual([dials, calls, probes])
    expect(await timersLeft()).toBe(0)
  })

  test.each(CASES)('is no end: connect() goes on from: $name', async ({ reach }) => {
    const story = storyOf()
    const { server, auth, socket } = story
    socket.connect()
    await reach(story)
    await socket.disconnect()
    await pass(MINUTE)
    server.receive = () => ({ kind: 'accept' })
    auth.behaviour = 'up'
    const connecting = outcomeOf(socket.connect())
    await pass(20 * SECOND)
    expect(connecting.is).toBe('done')
    expect(socket.state).toBe('connected')
  })

  test('during a login does not lose the login, and leaves no timer when it is done', async () => {
    const story = sessionStoryOf()
    const { server, socket, session } = story
    await story.login()
    await pass(2 * 60 * MINUTE)
    server.tokens = 20 * SECOND
    socket.connect()
    await pass(SECOND)
    expect(story.refreshes()).toBe(1)
    await socket.disconnect()
    await pass(25 * SECOND)
    expect(await timersLeft()).toBe(0)
    expect(session.signedIn).toBe(true)

    // The answer was kept: nothing is asked again.
    socket.connect()
    await pass(SECOND)
    expect(socket.state).toBe('connected')
    expect(story.refreshes()).toBe(1)
  })

  test('while a rotating refresh hangs, or its source is down, ends in silence', async () => {
    for (const tokens of ['down', DAY] as const) {
      const story = sessionStoryOf()
      const { server, socket } = story
      await story.login()
      await pass(2 * 60 * MINUTE)
      server.tokens = tokens
      socket.connect()
      await pass(11 * SECOND)
      await socket.disconnect()
      const before = story.refreshes()
      await pass(10 * MINUTE)
      expect(story.refreshes() - before).toBe(0)
    }
  })

  test('closes every room of ten, keeps them as rooms, and connect() brings them back', async () => {
    const { server, socket } = storyOf({}, { protocol: roomPerSocket() })
    const rooms = Array.from({ length: 10 }, (_, i) => socket.room(`room ${i}`))
    for (const room of rooms) room.join()
    await pass(MINUTE)
    await socket.disconnect()
    expect(await timersLeft()).toBe(0)
    expect(server.openSockets).toBe(0)
    socket.connect()
    await pass(MINUTE)
    expect(rooms.map(({ state }) => state)).toEqual(Array(10).fill('joined'))
    expect(server.openSockets).toBe(10)
  })
})
