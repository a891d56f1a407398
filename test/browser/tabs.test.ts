/**
 * Figure 1: real tabs against rotation, reuse detection and 0 s of grace. `npm test` runs the slice,
 * `npm run test:tabs` the full size; sizes and seed are set by the environment (see docs/reliability.md).
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openBrowser, type Tab, TabWindow, until } from './tabs-window.ts'

const { AUTHED_SOCKET_TABS, AUTHED_SOCKET_EXPIRIES, AUTHED_SOCKET_KILLS, AUTHED_SOCKET_SEED } =
  process.env
const SIZES = (AUTHED_SOCKET_TABS ?? '10').split(',').map(Number)
const EXPIRIES = Number(AUTHED_SOCKET_EXPIRIES ?? 20)
const KILLS = Number(AUTHED_SOCKET_KILLS ?? 2)
const SEED = Number(AUTHED_SOCKET_SEED ?? 1)

/** Many tabs on few cores need longer to come back. */
const lifetimeOf = (tabs: number): number => (tabs <= 10 ? 1_000 : 80 * tabs)
const WHOLE_WITHIN_MS = 5_000
const TABS_TO_KILL = 5
/** A tab is killed at each expiry; in between all of them come to rest. */
const KILLED_AT_MS = 4_000

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

const filled = async (
  tabs: number,
  settings: { accessLifetimeMs: number; refreshGraceMs?: number },
): Promise<TabWindow> => {
  const window = await TabWindow.open(browser, settings, SEED)
  onTestFinished(() => window.close())
  await window.add('alice')
  for (let tab = 1; tab < tabs; tab++) await window.add()
  return window
}

describe.each(SIZES)('%i tabs', (size) => {
  const lifetime = lifetimeOf(size)
  it(
    `refresh once at each of ${EXPIRIES} expiries`,
    async () => {
      const window = await filled(size, { accessLifetimeMs: lifetime })
      const { server } = window
      const since = server.refreshes().length
      await until(
        `${EXPIRIES} refreshes`,
        () => server.refreshes().length >= since + EXPIRIES,
        EXPIRIES * lifetime * 4,
      )
      // Longer tokens, so that all can come to rest with the same one.
      server.settings({ accessLifetimeMs: 60_000 })
      await until('all connected with one token', () => window.isWhole(), 4 * lifetime + 20_000)
      const refreshes = server.refreshes().slice(since)
      const gaps = refreshes.slice(1).map(({ at }, index) => at - (refreshes[index]?.at ?? 0))
      const looks = await window.look()
      console.log(
        `${size} tabs, seed ${SEED}: ${refreshes.length} refreshes, shortest gap ${Math.min(...gaps)} ms of a life of ${lifetime} ms, ${server.families().revoked} of ${server.families().total} families revoked`,
      )
      expect(refreshes.map(({ outcome }) => outcome)).toEqual(refreshes.map(() => 'rotated'))
      // A token is replaced at its end, or a quarter of its life before: two within half a life are one too many.
      expect(gaps.filter((gap) => gap < lifetime / 2)).toEqual([])
      expect(server.families()).toEqual({ total: 1, revoked: 0 })
      expect(looks.map(({ events }) => events)).toEqual(looks.map(() => ['in']))
    },
    EXPIRIES * lifetime * 4 + size * 2_000 + 60_000,
  )
})

describe('a leader that is killed', () => {
  /** The next tab that asks; the answer to it says whether its request leaves. */
  const nextLeader = (window: TabWindow, how: 'go' | 'wait'): Promise<Tab> =>
    new Promise((resolve) => {
      window.gate = (tab) => {
        window.gate = () => 'go'
        resolve(tab)
        return how
      }
    })

  const killed = async (
    window: TabWindow,
    how: 'before' | 'after',
  ): Promise<{ tab: Tab; since: number }> => {
    const { server } = window
    const since = server.counts().refreshRequests
    if (how === 'after') server.fault({ on: 'token', kind: 'late', ms: 60_000 })
    const tab = await nextLeader(window, how === 'after' ? 'go' : 'wait')
    if (how === 'after')
      await until('the request arrives', () => server.counts().refreshRequests > since, 2_000)
    await window.kill(tab)
    return { tab, since }
  }

  it.each([
    ['before its request leaves, with 0 s of grace', 'before', 0],
    ['after it has left, with 10 s of grace', 'after', 10_000],
  ] as const)(
    '%s: at most 2 requests, whole again within 5 s',
    async (_, how, refreshGraceMs) => {
      const window = await filled(TABS_TO_KILL, { accessLifetimeMs: KILLED_AT_MS, refreshGraceMs })
      const { server } = window
      const requests: number[] = []
      const took: number[] = []
      for (let kill = 0; kill < KILLS; kill++) {
        await until('whole', () => window.isWhole(), 10_000)
        const { since } = await killed(window, how)
        // Counted until it is whole: the next expiry is another one.
        const before = server.refreshes().length
        took.push(
          await until('a new token', () => server.refreshes().length > before, WHOLE_WITHIN_MS),
        )
        requests.push(server.counts().refreshRequests - since)
        await until('whole', () => window.isWhole(), WHOLE_WITHIN_MS)
        await window.add()
      }
      console.log(`killed ${how}, seed ${SEED}: requests ${requests}, new token after ms ${took}`)
      expect(Math.max(...requests)).toBeLessThanOrEqual(2)
      expect(server.families()).toEqual({ total: 1, revoked: 0 })
      const looks = await window.look()
      expect(looks.map(({ events }) => events)).toEqual(looks.map(() => ['in']))
    },
    KILLS * 20_000 + 60_000,
  )

  it(
    'after it has left, with 0 s of grace: one TokenRefusedError in every tab, and no further request',
    async () => {
      const rounds = Math.max(1, Math.floor(KILLS / 2))
      for (let round = 0; round < rounds; round++) {
        const window = await filled(TABS_TO_KILL, { accessLifetimeMs: KILLED_AT_MS })
        const { server } = window
        await until('whole', () => window.isWhole(), 10_000)
        const { since } = await killed(window, 'after')
        await until(
          'all signed out',
          async () => (await window.look()).every(({ state }) => state === 'failed'),
          WHOLE_WITHIN_MS,
        )
        await new Promise((resolve) => setTimeout(resolve, 3_000))
        const looks = await window.look()
        // The session and the socket each say it, in either order.
        expect(looks.map(({ events }) => [...events].sort())).toEqual(
          looks.map(() => ['TOKEN_REFUSED', 'in', 'out']),
        )
        expect(server.counts().refreshRequests - since).toBe(2)
        expect(server.refreshes().at(-1)?.outcome).toBe('refused')
      }
    },
    KILLS * 20_000 + 60_000,
  )
})

it('a logout reaches the other tabs within a second, and a login as somebody else takes them over', async () => {
  const window = await filled(4, { accessLifetimeMs: 60_000 })
  await until('whole', () => window.isWhole(), 10_000)
  const [first, second] = window.tabs as [Tab, Tab]
  await window.logout(second)
  await until(
    'all signed out',
    async () => (await window.look()).every(({ signedIn, state }) => !signedIn && state === 'idle'),
    1_000,
  )
  await window.login(first, 'bob')
  await until(
    'all signed in',
    async () => (await window.look()).every((look) => look.signedIn),
    1_000,
  )
  const looks = await window.look()
  expect(looks.map(({ events }) => events)).toEqual(looks.map(() => ['in', 'out', 'in']))
  expect(window.server.openSockets()).toBe(0)
})
