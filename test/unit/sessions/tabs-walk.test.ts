/** Tabs that open, ask, freeze, thaw, die, sign in and out in any order: what holds whatever they do. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { pass, SECOND, tellStories } from '../../support/story.ts'
import { type BrowserOptions, type Refresh, type Tab, TabBrowser } from '../../support/tabs.ts'

tellStories()

const MINUTE = 60 * SECOND
/** A request that has not answered for so long is given up. */
const GIVEN_UP_MS = 30 * SECOND

const verbs = [
  'ask',
  'open',
  'kill',
  'freeze',
  'thaw',
  'login',
  'switch',
  'logout',
  'down',
] as const
type Verb = (typeof verbs)[number]
interface Step {
  readonly verb: Verb
  readonly tab: number
  readonly waitMs: number
}

const step = (allowed: readonly Verb[]): fc.Arbitrary<Step> =>
  fc.record({
    verb: fc.oneof(
      { arbitrary: fc.constant('ask' as const), weight: 4 },
      { arbitrary: fc.constantFrom(...allowed), weight: 3 },
    ),
    tab: fc.nat(7),
    // Together, one after another, within one request, past an expiry.
    waitMs: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 150 }),
      fc.constant(2 * SECOND),
      fc.constant(61 * SECOND),
    ),
  })

const take = (browser: TabBrowser, { verb, tab: index }: Step): void => {
  const tab = browser.live[index % browser.live.length] as Tab
  switch (verb) {
    case 'ask':
      tab.insist()
      break
    case 'open':
      if (browser.live.length < 8) browser.open()
      break
    case 'kill':
      if (browser.live.length > 1) tab.kill()
      break
    case 'freeze':
      tab.freeze()
      break
    case 'thaw':
      tab.thaw()
      break
    case 'login':
      tab.login('ann')
      break
    case 'switch':
      tab.switch(`user ${index}`)
      break
    case 'logout':
      tab.logout()
      break
    case 'down':
      browser.server.isDown = !browser.server.isDown
  }
}

/** Two requests with one refresh token. */
interface Twice {
  readonly first: Refresh
  readonly second: Refresh
}

const twiceSent = (browser: TabBrowser): Twice[] => {
  const { refreshes } = browser.server
  return refreshes.flatMap((second, index) => {
    const [first] = refreshes
      .slice(0, index)
      .reverse()
      .filter(({ token }) => token === second.token)
    return first ? [{ first, second }] : []
  })
}

/** The first one's tab died or slept, its answer was none, or it was given up. */
const isExcused = (browser: TabBrowser, { first, second }: Twice): boolean =>
  first.outcome === 'down' ||
  second.at - first.at >= GIVEN_UP_MS ||
  browser.tabs.some(({ name, isDead }) => name === first.tab && isDead)

const settle = async (browser: TabBrowser): Promise<void> => {
  browser.server.isDown = false
  for (const tab of browser.live) tab.thaw()
  await pass(3 * MINUTE)
  for (const tab of browser.live) tab.insist()
  await pass(5 * MINUTE)
}

const walked = async (options: BrowserOptions, steps: readonly Step[]): Promise<TabBrowser> => {
  const browser = new TabBrowser(options)
  browser.open()
  await pass(SECOND)
  browser.tabs[0]?.login('ann')
  await pass(SECOND)
  browser.open()
  browser.open()
  await pass(SECOND)
  for (const one of steps) {
    take(browser, one)
    await pass(one.waitMs)
  }
  return browser
}

it.each<[string, BrowserOptions, readonly Verb[]]>([
  ['by message', {}, verbs],
  ['by a store', { share: 'store' }, verbs],
  ['without locks', { locks: false }, verbs],
])(
  'no refresh token is sent twice, and all agree in the end: %s',
  async (_, options, allowed) => {
    const runs = fc.asyncProperty(
      fc.array(step(allowed), { minLength: 4, maxLength: 25 }),
      fc.nat(1_000_000),
      async (steps, seed) => {
        const browser = await walked({ ...options, seed, graceMs: 24 * 60 * MINUTE }, steps)
        await settle(browser)
        expect(twiceSent(browser).filter((twice) => !isExcused(browser, twice))).toEqual([])
        const seen = browser.live.map(({ user, token }) => `${user} ${token}`)
        expect(new Set(seen).size).toBe(1)
        expect(browser.server.revoked).toBe(0)
      },
    )
    const { AUTHED_SOCKET_RUNS: count = '25', AUTHED_SOCKET_SEED: seed = '1' } = process.env
    await fc.assert(runs, { numRuns: Number(count), seed: Number(seed) })
  },
  900_000,
)
