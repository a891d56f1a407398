/** When the host is asked while a socket waits: an outage costs one connection a dial, and not two. */
import { describe, expect, test } from 'vitest'
import {
  type AuthedSocket,
  fixedToken,
  type ProbeResult,
  roomPerSocket,
} from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  pass,
  REFUSE,
  SECOND,
  type StoryServer,
  sessionStoryOf,
  storyOf,
  tellStories,
} from '../../support/story.ts'

tellStories()

/** From now on the server is away, and so is everybody who was connected. */
const away = (server: StoryServer): void => {
  server.receive = () => REFUSE
  server.closeAll(1006)
}

const back = async (server: StoryServer, sockets: readonly AuthedSocket[]): Promise<void> => {
  server.receive = () => ACCEPT
  await pass(2 * MINUTE)
  for (const socket of sockets) expect(socket.state).toBe('connected')
}

const tenSockets = async () => {
  const story = sessionStoryOf({ lifetimeMs: 10 * HOUR })
  await story.login()
  return { story, sockets: Array.from({ length: 10 }, () => story.another()) }
}

describe('An outage, for sockets that had been accepted', () => {
  test.each([1, 10, 29])('of %i s asks the host nothing', async (seconds) => {
    const { story, sockets } = await tenSockets()
    for (const socket of sockets) socket.connect()
    await pass(MINUTE)
    away(story.server)
    await pass(seconds * SECOND)
    await back(story.server, sockets)
    expect([story.server.probes, story.refreshes()]).toEqual([0, 0])
  })

  test.each(['gone', 'answers'] as const)(
    'of ten minutes asks a host that is %s once in 30 s, for all of them',
    async (host) => {
      const { story, sockets } = await tenSockets()
      const { server } = story
      for (const socket of sockets) socket.connect()
      await pass(MINUTE)
      server.host = host
      away(server)
      await pass(10 * MINUTE)
      // Who answers is suspected once; then nothing more could follow from an answer.
      expect(server.probes).toBeLessThanOrEqual(host === 'gone' ? 20 : 1)
      expect(server.probes).toBeGreaterThanOrEqual(host === 'gone' ? 5 : 1)
      expect(story.refreshes()).toBe(host === 'gone' ? 0 : 1)
      await back(server, sockets)
    },
  )

  test('of an hour asks nothing where nothing could be refreshed', async () => {
    const { server, socket } = storyOf({}, { auth: fixedToken('key') })
    socket.connect()
    await pass(MINUTE)
    away(server)
    await pass(HOUR)
    expect(server.probes).toBe(0)
    expect((socket.status as { error: Error }).error.message).not.toMatch(/the host/)
    await back(server, [socket])
  })

  test('of one of two servers asks nothing while the other one holds a socket', async () => {
    const { story, sockets } = await tenSockets()
    const [one] = sockets
    if (!one) throw new Error('no socket')
    one.connect()
    story.socket.connect()
    await pass(MINUTE)
    let refused = 0
    story.server.receive = () => (refused++ < 20 ? REFUSE : ACCEPT)
    one.reconnect().catch(() => {})
    await pass(3 * MINUTE)
    expect(refused).toBeGreaterThan(5)
    expect([story.server.probes, story.refreshes()]).toEqual([0, 0])
  })
})

describe('A connection that has never opened', () => {
  test.each([
    ['answers', /the host answers/],
    ['gone', /the host does not answer/],
  ] as const)(
    'asks once, for its error, where nothing can be refreshed and the host is %s',
    async (host, text) => {
      const { server, socket } = storyOf({}, { auth: fixedToken('key') })
      server.host = host
      server.receive = () => REFUSE
      socket.connect()
      await pass(HOUR)
      expect(server.probes).toBe(1)
      expect((socket.status as { error: Error }).error.message).toMatch(text)
      expect(server.dials.length).toBeGreaterThan(50)
    },
  )

  test('asks once in 30 s while a refresh could follow, and never again after it', async () => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: 10 * HOUR })
    server.host = 'gone'
    server.receive = () => REFUSE
    socket.connect()
    await pass(10 * MINUTE)
    expect(server.probes).toBeGreaterThanOrEqual(5)
    expect(server.probes).toBeLessThanOrEqual(20)
    server.host = 'answers'
    await pass(3 * MINUTE)
    expect(auth.refreshes).toBe(1)
    const { probes } = server
    await pass(HOUR)
    expect(server.probes).toBe(probes)
  })

  test.each([2, 20])('and its %i rooms ask once for all', async (count) => {
    const { server, socket } = storyOf({}, { auth: fixedToken('key'), protocol: roomPerSocket() })
    server.receive = () => REFUSE
    for (let n = 0; n < count; n++) socket.room(`room ${n}`).join()
    await pass(3 * MINUTE)
    expect(server.probes).toBe(1)
    expect((socket.status as { error: Error }).error.message).toMatch(/the host answers/)
  })
})

describe('A server that is there', () => {
  test.each([
    ['drops what had settled', 6 * SECOND],
    ['drops each socket before it settles', 2 * SECOND],
  ])('and %s is not asked with every dial', async (_, openMs) => {
    const { server, auth, socket } = storyOf({ form: 'opaque', lifetimeMs: 10 * HOUR })
    server.receive = () => acceptFor(openMs, 1006)
    socket.connect()
    await pass(HOUR)
    expect(server.dials.length).toBeGreaterThan(40)
    expect(server.probes).toBeLessThanOrEqual(1)
    expect(auth.refreshes).toBeLessThanOrEqual(1)
  })
})

/** The option, and when it was asked. */
const asking = (answers: readonly ProbeResult[]) => {
  const asked: number[] = []
  const probe = () => {
    asked.push(Date.now())
    return Promise.resolve(answers[asked.length - 1] ?? answers.at(-1) ?? 'unreachable')
  }
  return { asked, probe }
}

const gapsOf = (asked: readonly number[]): number[] =>
  asked.slice(1).map((at, n) => at - (asked[n] ?? 0))

describe('The option probe', () => {
  test.each<[ProbeResult, number, number]>([
    ['unreachable', 30, 120],
    ['accepted', 30, 120],
  ])('that says %s is asked at most once in 30 s', async (said, low, high) => {
    const { asked, probe } = asking([said])
    const { server, socket } = storyOf({}, { auth: fixedToken('key'), probe })
    server.receive = () => REFUSE
    socket.connect()
    await pass(HOUR)
    expect(asked.length).toBeGreaterThanOrEqual(low)
    expect(asked.length).toBeLessThanOrEqual(high)
    expect(Math.min(...gapsOf(asked))).toBeGreaterThanOrEqual(30 * SECOND)
    expect(socket.state).toBe('waiting')
  })

  test('is asked for all sockets of a session at once', async () => {
    const { asked, probe } = asking(['unreachable'])
    const session = fixedToken('key')
    const { server, socket } = storyOf({}, { auth: session, probe, protocol: roomPerSocket() })
    server.receive = () => REFUSE
    for (let n = 0; n < 20; n++) socket.room(`room ${n}`).join()
    await pass(10 * MINUTE)
    expect(asked.length).toBeGreaterThanOrEqual(5)
    expect(Math.min(...gapsOf(asked))).toBeGreaterThanOrEqual(30 * SECOND)
  })

  test('that refuses what nothing can replace, as a cookie, ends the session', async () => {
    const { asked, probe } = asking(['refused'])
    const { server, socket } = storyOf({}, { auth: fixedToken('key'), probe })
    server.receive = () => REFUSE
    socket.connect()
    await pass(MINUTE)
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    // Each of the two rejections has a word of its own, and neither waits for 30 s.
    expect(asked).toHaveLength(2)
    expect(Math.max(...gapsOf(asked))).toBeLessThan(20 * SECOND)
  })

  test('that refuses once, while the server is away, ends nothing', async () => {
    const { asked, probe } = asking(['refused', 'unreachable'])
    const { server, socket } = storyOf({}, { auth: fixedToken('key'), probe })
    server.receive = () => REFUSE
    socket.connect()
    await pass(10 * MINUTE)
    expect(socket.state).toBe('waiting')
    expect(Math.min(...gapsOf(asked.slice(1)))).toBeGreaterThanOrEqual(30 * SECOND)
    await back(server, [socket])
  })

  test('that refuses a token has a fresh one dialed at once', async () => {
    const { asked, probe } = asking(['refused'])
    const { server, auth, socket } = storyOf({ form: 'opaque' }, { probe })
    const first = server.receive
    server.receive = (dial) =>
      dial.token === server.dials[0]?.token || server.dials.length === 0 ? REFUSE : first(dial)
    socket.connect()
    await pass(10 * SECOND)
    expect(socket.state).toBe('connected')
    expect([asked.length, auth.refreshes, server.dials.length]).toEqual([1, 1, 2])
  })
})
