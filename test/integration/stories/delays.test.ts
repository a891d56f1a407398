import { describe, expect, test } from 'vitest'
import { type AuthedSocketOptions, fixedToken } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  openPage,
  pass,
  REFUSE,
  SECOND,
  type Story,
  seed,
  storyOf,
  tellStories,
  until,
} from '../../support/story.ts'

tellStories()

/** What the dialer and mock-socket take between a decision and the dial. */
const SLACK_MS = 10
const SEEDS = Array.from({ length: 30 }, (_, i) => i + 1)

const patientStory = (options: Partial<AuthedSocketOptions> = {}): Story => {
  const story = storyOf({}, { auth: fixedToken('key'), ...options })
  story.server.host = 'gone'
  return story
}

/** From the end of each dial to the next one, in ms. */
const gapsOf = ({ server: { dials } }: Story): number[] =>
  dials.slice(1).map((dial, i) => dial.at - (dials[i]?.endedAt ?? dials[i]?.at ?? 0))

const gapsOfRefusals = async (number: number, howMany: number): Promise<number[]> => {
  seed(number)
  const story = patientStory()
  story.server.receive = () => REFUSE
  story.socket.connect()
  await until(() => story.server.dials.length > howMany, HOUR, SECOND)
  await story.socket.disconnect()
  return gapsOf(story).slice(0, howMany)
}

/** All in the range, and spread over most of it. */
const expectSpread = (gaps: readonly number[], [low, high]: readonly [number, number]): void => {
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(low)
  expect(Math.max(...gaps)).toBeLessThanOrEqual(high + SLACK_MS)
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan((high - low) * 0.6)
}

describe('The delay before a dial', () => {
  test('grows with the attempts that did not settle, and is drawn anew for each', async () => {
    const all: number[][] = []
    for (const number of SEEDS) all.push(await gapsOfRefusals(number, 14))
    const ranges: readonly (readonly [number, number])[] = [
      [200, 1_500],
      [1_000, 4_000],
      [1_000, 4_000],
      [1_000, 4_000],
      [1_000, 8_000],
      [1_000, 16_000],
      [1_000, 32_000],
      [1_000, 60_000],
      [1_000, 60_000],
    ]
    ranges.forEach((range, i) => {
      expectSpread(
        all.map((gaps) => gaps[i] ?? 0),
        range,
      )
    })
    for (const i of [9, 10, 11, 12, 13])
      expectSpread(
        all.map((gaps) => gaps[i] ?? 0),
        [45_000, 75_000],
      )
  })

  test('is the shortest again after a connection that settled, and not after one that only opened', async () => {
    const story = patientStory()
    const { server, socket } = story
    // Ten refusals, then one that settles, then refusals.
    server.receive = ({ number }) => (number === 11 ? acceptFor(30 * SECOND, 1006) : REFUSE)
    socket.connect()
    await until(() => server.dials.length >= 13, HOUR, SECOND)
    const afterSettled = gapsOf(story)[10] ?? 0
    expect(afterSettled).toBeGreaterThanOrEqual(200)
    expect(afterSettled).toBeLessThanOrEqual(1_500 + SLACK_MS)

    const other = patientStory()
    other.server.receive = ({ number }) => (number === 12 ? acceptFor(4 * SECOND, 1006) : REFUSE)
    other.socket.connect()
    await until(() => other.server.dials.length >= 14, HOUR, SECOND)
    expect(gapsOf(other)[11]).toBeGreaterThanOrEqual(45_000)
  })

  test.each([1012, 1013])('is spread over 5 s after a close with %i', async (code) => {
    const gaps: number[] = []
    for (const number of SEEDS) {
      seed(number)
      const story = patientStory()
      story.server.receive = (dial) => (dial.number === 1 ? acceptFor(MINUTE, code) : ACCEPT)
      story.socket.connect()
      await until(() => story.server.dials.length === 2, 2 * MINUTE, SECOND)
      gaps.push(...gapsOf(story))
      await story.socket.disconnect()
    }
    expectSpread(gaps, [0, 5_000])
  })

  test('is scaled by retry.scale, and so is the wait before the confirming dial', async () => {
    const story = patientStory({ retry: { scale: 0.1 } })
    story.server.receive = () => REFUSE
    story.socket.connect()
    await until(() => story.server.dials.length > 13, HOUR, SECOND)
    const gaps = gapsOf(story)
    expect(gaps[0]).toBeGreaterThanOrEqual(20)
    expect(gaps[0]).toBeLessThanOrEqual(150 + SLACK_MS)
    for (const gap of gaps.slice(10, 13)) {
      expect(gap).toBeGreaterThanOrEqual(4_500)
      expect(gap).toBeLessThanOrEqual(7_500 + SLACK_MS)
    }

    const rejected = patientStory({ retry: { scale: 0.1 } })
    rejected.server.receive = () => acceptFor(SECOND, 4003)
    rejected.socket.connect()
    await until(() => rejected.socket.state === 'failed', 10 * SECOND)
    expect(gapsOf(rejected)).toHaveLength(1)
    expect(gapsOf(rejected)[0]).toBeGreaterThanOrEqual(500)
    expect(gapsOf(rejected)[0]).toBeLessThanOrEqual(1_500 + SLACK_MS)
  })

  test('goes to the status as retryAt, with the attempt and since when it is down', async () => {
    const story = patientStory()
    const { server, socket } = story
    server.receive = () => REFUSE
    const begun = Date.now()
    socket.connect()
    for (const attempt of [1, 2, 3, 4, 5]) {
      await until(() => server.dials.length === attempt && socket.state === 'waiting', MINUTE)
      const { status } = socket
      if (status.state !== 'waiting') throw new Error(status.state)
      expect(status.attempt).toBe(attempt)
      expect(status.downSince - begun).toBeLessThanOrEqual(SLACK_MS)
      await until(() => server.dials.length > attempt, MINUTE)
      const next = server.dials[attempt]?.at ?? 0
      expect(next - status.retryAt).toBeGreaterThanOrEqual(0)
      expect(next - status.retryAt).toBeLessThanOrEqual(SLACK_MS)
    }
  })
})

describe('News from the page', () => {
  const waitingFor = async (): Promise<Story> => {
    const story = patientStory()
    story.server.receive = () => REFUSE
    story.socket.connect()
    await until(() => story.server.dials.length > 11, HOUR, SECOND)
    await until(() => story.socket.state === 'waiting', SECOND, 1)
    return story
  }

  test.each([
    ['online', (page: ReturnType<typeof openPage>) => page.online()],
    ['visible', (page: ReturnType<typeof openPage>) => page.becomes('visible')],
    ['pageshow', (page: ReturnType<typeof openPage>) => page.shows()],
  ])('dials at once: %s', async (_name, tell) => {
    const page = openPage()
    const { server } = await waitingFor()
    const before = server.dials.length
    tell(page)
    await pass(SLACK_MS)
    expect(server.dials).toHaveLength(before + 1)
  })

  test('does not dial for a page that goes away', async () => {
    const page = openPage()
    const { server } = await waitingFor()
    const before = server.dials.length
    page.becomes('hidden')
    await pass(SECOND)
    expect(server.dials).toHaveLength(before)
  })

  test('that flaps shortens the delay once in 5 s', async () => {
    const page = openPage()
    const { server } = await waitingFor()
    const before = server.dials.length
    for (let i = 0; i < 600; i++) {
      page.online()
      page.becomes(i % 2 === 0 ? 'hidden' : 'visible')
      await pass(100)
    }
    const dials = server.dials.length - before
    expect(dials).toBeGreaterThanOrEqual(11)
    expect(dials).toBeLessThanOrEqual(13)
  })

  test('never shortens what the server advised, and neither does reconnect()', async () => {
    const page = openPage()
    const story = patientStory({ closePolicy: { 4100: { retryAfterMs: MINUTE } } })
    const { server, socket } = story
    server.receive = ({ number }) => (number === 1 ? acceptFor(10 * SECOND, 4100) : ACCEPT)
    socket.connect()
    await until(() => socket.state === 'waiting', MINUTE)
    for (let i = 0; i < 55; i++) {
      page.online()
      page.becomes('visible')
      page.shows()
      socket.reconnect()
      socket.connect()
      await pass(SECOND)
    }
    expect(server.dials).toHaveLength(1)
    expect(socket.status).toMatchObject({ state: 'waiting' })
    await pass(6 * SECOND)
    expect(server.dials).toHaveLength(2)
    expect(gapsOf(story)[0]).toBeGreaterThanOrEqual(MINUTE)
    expect(socket.state).toBe('connected')
  })

  test('is not listened to after disconnect()', async () => {
    const page = openPage()
    const { server, socket } = await waitingFor()
    await socket.disconnect()
    const before = server.dials.length
    page.online()
    page.becomes('visible')
    page.shows()
    await pass(HOUR)
    expect(server.dials).toHaveLength(before)
  })
})

describe('reconnect()', () => {
  test('dials at once, however long the backoff is, and as often as it is called', async () => {
    const { server, socket } = patientStory()
    server.receive = () => REFUSE
    socket.connect()
    await until(() => server.dials.length > 11, HOUR, SECOND)
    await until(() => socket.state === 'waiting', SECOND, 1)
    for (let i = 0; i < 3; i++) {
      const before = server.dials.length
      socket.reconnect()
      await pass(SLACK_MS)
      expect(server.dials).toHaveLength(before + 1)
    }
  })

  test('replaces a live socket by a new one', async () => {
    const { server, socket } = storyOf()
    socket.connect()
    await pass(MINUTE)
    const done = socket.reconnect()
    await pass(SECOND)
    await done
    expect(server.dials).toHaveLength(2)
    expect(server.openSockets).toBe(1)
    expect(socket.state).toBe('connected')
  })

  test('does not skip the wait before the confirming dial', async () => {
    const { server, socket } = patientStory()
    server.receive = () => acceptFor(SECOND, 4003)
    socket.connect()
    await until(() => socket.state === 'waiting', MINUTE)
    const [first] = server.dials
    socket.reconnect()
    await pass(4 * SECOND)
    expect(server.dials).toHaveLength(1)
    await until(() => server.dials.length === 2, MINUTE)
    expect((server.dials[1]?.at ?? 0) - (first?.endedAt ?? 0)).toBeGreaterThanOrEqual(5 * SECOND)
  })
})
