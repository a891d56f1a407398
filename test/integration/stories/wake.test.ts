/** What a wake, another network and a page that comes back do to a link that looks connected. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { type AuthedSocketOptions, plain, roomPerSocket } from '../../../src/index.ts'
import {
  HOUR,
  MINUTE,
  openPage,
  pass,
  SECOND,
  type Story,
  seed,
  sleep,
  storyOf,
  tellStories,
} from '../../support/story.ts'

tellStories()
// A wake is seen by the look at each open socket, which the other stories leave out.
beforeEach(() => {
  vi.mocked(globalThis.setInterval).mockRestore()
})

/** A look each second, and the spread. */
const SPREAD_MS = 6 * SECOND

const connected = async (options: Partial<AuthedSocketOptions> = {}): Promise<Story> => {
  const story = storyOf({ lifetimeMs: 24 * HOUR }, options)
  story.socket.connect()
  await pass(10 * SECOND)
  expect(story.server.dials).toHaveLength(1)
  return story
}

const passTo = async ({ dials }: Story['server'], ms: number): Promise<number> => {
  await pass(ms)
  return dials.length
}

const BEATING = plain({ heartbeat: { frame: 'ping', everyMs: 25_000, timeoutMs: 10_000 } })
const ONE_WAY = plain({ heartbeat: { frame: 'ping', everyMs: 25_000 } })

type Page = ReturnType<typeof openPage>
/** How long the machine sleeps, what the page says then, and whether there is another dial. */
const NEWS: readonly (readonly [string, (page: Page) => void, 'dials' | 'stays'])[] = [
  ['a sleep of 61 s', () => sleep(61 * SECOND), 'dials'],
  ['a sleep of 8 h', () => sleep(8 * HOUR), 'dials'],
  ['offline, online', (page) => page.goes('offline', 'online'), 'dials'],
  ['offline, online, visible', (page) => page.goes('offline', 'online', 'visible'), 'dials'],
  ['a sleep of 50 s', () => sleep(50 * SECOND), 'stays'],
  ['online', (page) => page.goes('online'), 'stays'],
  ['offline', (page) => page.goes('offline'), 'stays'],
  ['visible', (page) => page.goes('visible'), 'stays'],
  ['pageshow', (page) => page.goes('pageshow'), 'stays'],
  ['a sleep of 50 s, visible', (page) => [sleep(50 * SECOND), page.goes('visible')], 'stays'],
]

describe('where nothing can be asked', () => {
  test.each(NEWS)('%s: %s', async (_, happens, then) => {
    const page = openPage()
    const { server, socket } = await connected()
    happens(page)
    await pass(SPREAD_MS)
    expect(server.dials).toHaveLength(then === 'dials' ? 2 : 1)
    await pass(HOUR)
    expect(server.dials).toHaveLength(then === 'dials' ? 2 : 1)
    expect(socket.state).toBe('connected')
  })

  test('a heartbeat that expects no answer asks nothing', async () => {
    const { server } = await connected({ protocol: ONE_WAY })
    sleep(2 * MINUTE)
    await pass(SPREAD_MS)
    expect(server.dials).toHaveLength(2)
  })

  test('many sockets do not dial at once', async () => {
    const { server, socket } = storyOf({ lifetimeMs: 24 * HOUR }, { protocol: roomPerSocket() })
    for (let room = 0; room < 40; room += 1) socket.join(`room ${room}`)
    await pass(MINUTE)
    const before = server.dials.length
    sleep(HOUR)
    const wokeAt = Date.now()
    await pass(SPREAD_MS)
    const delays = server.dials.slice(before).map(({ at }) => at - wokeAt)
    expect(delays).toHaveLength(40)
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(3 * SECOND)
  })

  test('a socket that was left meanwhile dials nothing', async () => {
    seed(2)
    const { server, socket } = await connected()
    sleep(HOUR)
    const before = await passTo(server, SECOND)
    expect(before).toBe(1)
    await socket.disconnect()
    expect(await passTo(server, MINUTE)).toBe(before)
  })

  test('a worker, which has no document, hears of the network', async () => {
    const page = openPage()
    vi.stubGlobal('document', undefined)
    const { server } = await connected()
    page.goes('offline', 'online')
    await pass(SPREAD_MS)
    expect(server.dials).toHaveLength(2)
  })
})

describe('a hidden tab whose timers ring once a minute', () => {
  test.each([
    ['nothing that can be asked', undefined],
    ['a heartbeat', BEATING],
    ['a heartbeat that expects no answer', ONE_WAY],
  ])('does not sleep: with %s there is no dial in 2 h', async (_, protocol) => {
    const page = openPage()
    const { server } = await connected(protocol && { protocol })
    page.goes('hidden')
    let answered = 0
    for (let minute = 0; minute < 120; minute += 1) {
      sleep(MINUTE - SECOND)
      await pass(SECOND)
      // Frames are not held back.
      if (server.received.length > answered) server.say('"pong"')
      answered = server.received.length
    }
    expect(server.dials).toHaveLength(1)
  })
})

describe('where a ping can be asked', () => {
  const ASKING = NEWS.map(([name, happens]) => [name, happens] as const).filter(
    ([name]) => name !== 'offline',
  )
  test.each(ASKING)('%s: asks at once, and keeps what answers', async (_, happens) => {
    seed(3)
    const page = openPage()
    const { server } = await connected({ protocol: BEATING })
    server.say('"so far"')
    const before = server.received.length
    happens(page)
    await pass(1_100)
    expect(server.received.length).toBe(before + 1)
    server.say('"pong"')
    await pass(24 * SECOND)
    expect(server.dials).toHaveLength(1)
  })

  test.each(ASKING)('%s: leaves what does not answer within 3 s', async (_, happens) => {
    const page = openPage()
    const { server, socket } = await connected({ protocol: BEATING })
    server.say('"so far"')
    happens(page)
    const at = Date.now()
    const left: number[] = []
    socket.on('disconnected', () => left.push(Date.now() - at))
    await pass(6 * SECOND)
    expect(left).toHaveLength(1)
    expect(left[0]).toBeGreaterThanOrEqual(3 * SECOND)
    // The look that saw the sleep came within a second.
    expect(left[0]).toBeLessThan(4_200)
    expect(server.dials).toHaveLength(2)
  })

  test('goes on as ever without news', async () => {
    const page = openPage()
    const { server } = await connected({ protocol: BEATING })
    page.goes('offline', 'hidden')
    server.say('"so far"')
    const before = server.received.length
    await pass(24 * SECOND)
    expect(server.received.length).toBe(before)
  })
})
