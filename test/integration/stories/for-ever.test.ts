/** Whatever goes wrong and stays wrong: how often is the server asked, and when is it left in peace? */
import { describe, expect, test } from 'vitest'
import { type AuthedSocket, roomPerSocket, simpleJwt } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  DAY,
  HOUR,
  MINUTE,
  pass,
  REFUSE,
  type Reception,
  record,
  SECOND,
  type SessionStory,
  sessionStoryOf,
  storyOf,
  tellStories,
  timersLeft,
  UNTIL_EXPIRY,
} from '../../support/story.ts'

tellStories()

/** Everything that reached the network. */
const packetsOf = ({ server }: Pick<SessionStory, 'server'>): number =>
  server.dials.length + server.tokenRequests.length + server.probes

describe('A session that is revoked for ever', () => {
  const SOCKETS = 8
  const shapes: [string, () => Promise<{ story: SessionStory; sockets: AuthedSocket[] }>][] = [
    [
      'eight sockets',
      async () => {
        const story = sessionStoryOf({ lifetimeMs: 10 * DAY })
        await story.login()
        const sockets = Array.from({ length: SOCKETS }, () => story.another())
        for (const socket of sockets) socket.connect()
        return { story, sockets }
      },
    ],
    [
      'eight rooms',
      async () => {
        const story = sessionStoryOf({ lifetimeMs: 10 * DAY }, { protocol: roomPerSocket() })
        await story.login()
        for (let n = 0; n < SOCKETS; n++) story.socket.join(`room ${n}`).catch(() => {})
        return { story, sockets: [story.socket] }
      },
    ],
  ]
  const receptions: [string, Reception][] = [
    ['at once', acceptFor(0, 4003)],
    ['after 6 s', acceptFor(6 * SECOND, 4003)],
  ]
  const rows = shapes.flatMap(([shape, make]) =>
    receptions.map(([when, reception]) => ({ shape, make, when, reception })),
  )

  test.each(rows)(
    'by 4003 $when, costs $shape at most 3 dials each and one refresh, and then nothing',
    async ({ make, reception }) => {
      const { story, sockets } = await make()
      // The accepted ones first show themselves good, and nothing is good after a minute.
      const from = Date.now()
      story.server.receive = () => (Date.now() < from + MINUTE ? ACCEPT : reception)
      await pass(MINUTE)
      const before = story.server.dials.length
      expect(before).toBe(SOCKETS)
      story.server.closeAll(4003)
      await pass(45 * SECOND)

      expect(sockets.map(({ status }) => status)).toEqual(
        sockets.map(() => expect.objectContaining({ state: 'failed', action: 'sign-in' })),
      )
      // The dial that had worked is the first of the three.
      expect(story.server.dials.length - before).toBeLessThanOrEqual(2 * SOCKETS)
      expect(story.refreshes()).toBeLessThanOrEqual(1)
      const packets = packetsOf(story)
      await pass(DAY)
      expect(packetsOf(story)).toBe(packets)
      expect(await timersLeft()).toBe(0)
    },
  )
})

describe('The same token for ever', () => {
  test('that has expired is neither dialed with nor asked for in a loop', async () => {
    const { server, socket } = storyOf()
    const token = server.mint()
    let asked = 0
    const auth = () => {
      asked++
      return token
    }
    const { socket: stale } = storyOf({}, { auth, url: server.url, WebSocket: server.WebSocket })
    server.receive = () => UNTIL_EXPIRY
    const { states } = record(stale)
    stale.connect()
    await pass(HOUR)
    const before = [asked, server.dials.length]
    expect(before).toEqual([2, 1])
    await pass(10 * MINUTE)
    expect(asked - 1).toBeLessThanOrEqual(14)
    await pass(DAY)
    expect(asked).toBeLessThanOrEqual(14 + (DAY / MINUTE) * 1.01)
    expect(server.dials).toHaveLength(1)
    expect(states).not.toContain('failed')
    await socket.disconnect()
  })
})

describe('A server that closes with 1011 a second after each accept, for a day', () => {
  test.each([
    ['a session', 10 * DAY, 1],
    ['a session whose token lives an hour', HOUR, 25],
  ])('costs %s no loop of requests', async (_, lifetimeMs, most) => {
    const story = sessionStoryOf({ lifetimeMs })
    const { server, socket } = story
    server.receive = () => acceptFor(SECOND, 1011)
    await story.login()
    const { states } = record(socket)
    socket.connect()
    await pass(DAY)
    expect(story.refreshes()).toBeLessThanOrEqual(most)
    expect(story.refreshes()).toBeGreaterThanOrEqual(1)
    expect(server.dials.length).toBeLessThanOrEqual(1_500)
    expect(states).not.toContain('failed')
    server.receive = () => ACCEPT
    await pass(80 * SECOND)
    expect(socket.state).toBe('connected')
  })
})

describe('A token endpoint that is down', () => {
  test('is asked 14 times in ten minutes at most, and a live socket is kept', async () => {
    const story = sessionStoryOf({ lifetimeMs: 5 * MINUTE }, { closeAtExpiry: false })
    const { server, socket } = story
    await story.login()
    socket.connect()
    const second = story.another()
    await pass(MINUTE)
    server.tokens = 'down'
    await pass(5 * MINUTE)
    second.connect()
    await pass(10 * MINUTE)
    expect(story.refreshes()).toBeLessThanOrEqual(14)
    expect(story.refreshes()).toBeGreaterThanOrEqual(8)
    expect(socket.state).toBe('connected')
    expect(server.dials).toHaveLength(1)
    expect(second.status).toMatchObject({ state: 'waiting', error: { code: 'TOKEN_UNAVAILABLE' } })
  })
})

describe('A refresh that is answered after 12 s', () => {
  test('is stored and used, and no refresh token is sent twice', async () => {
    const { server } = sessionStoryOf({ lifetimeMs: MINUTE })
    const sent: string[] = []
    const stored: (string | null)[] = []
    const session = simpleJwt({
      obtain: `${server.origin}/obtain`,
      refresh: `${server.origin}/refresh`,
      refreshToken: {
        get: () => stored.at(-1) ?? null,
        set: (value) => {
          stored.push(value)
        },
      },
      fetch: (input, init) => {
        const { refresh } = JSON.parse(String(init?.body)) as { refresh?: string }
        if (refresh !== undefined) sent.push(refresh)
        return server.fetch(input, init)
      },
    })
    const { socket } = storyOf({}, { auth: session, url: server.url, WebSocket: server.WebSocket })
    session.login({ username: 'ann', password: 'secret' })
    await pass(2 * MINUTE)
    server.tokens = 12 * SECOND
    server.receive = () => UNTIL_EXPIRY
    socket.connect()
    await pass(11 * SECOND)
    expect(socket.status).toMatchObject({ state: 'waiting', error: { code: 'TOKEN_UNAVAILABLE' } })
    await pass(2 * SECOND)
    expect(socket.state).toBe('connected')
    expect(stored.at(-1)).toContain('ann 2')
    expect(sent).toEqual(['ann 1'])

    // The next ones are spent one by one.
    await pass(5 * MINUTE)
    expect(sent.length).toBeGreaterThan(3)
    expect(new Set(sent).size).toBe(sent.length)
    server.receive = () => REFUSE
  })
})
