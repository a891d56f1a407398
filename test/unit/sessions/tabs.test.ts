import { describe, expect, it } from 'vitest'
import { openPage, pass, SECOND, tellStories } from '../../support/story.ts'
import { type BrowserOptions, type Tab, TabBrowser } from '../../support/tabs.ts'

tellStories()

const MINUTE = 60 * SECOND

/** So many tabs; somebody is signed in, in all of them. */
const signedIn = async (count: number, options: BrowserOptions = {}) => {
  const browser = new TabBrowser(options)
  const first = browser.open()
  await pass(SECOND)
  first.login('ann')
  await pass(SECOND)
  for (let tab = 1; tab < count; tab++) browser.open()
  await pass(SECOND)
  return browser
}

const outcomesOf = async (tabs: readonly Tab[], withinMs: number): Promise<string[]> => {
  const outcomes = tabs.map(() => 'waits')
  tabs.forEach((tab, index) => {
    tab.ask().then(
      (token) => {
        outcomes[index] = token
      },
      (error: Error) => {
        outcomes[index] = error.name
      },
    )
  })
  await pass(withinMs)
  return outcomes
}

const WAYS = [
  ['by message', { share: 'broadcast' }],
  ['by a store', { share: 'store' }],
  ['by message, each with a store of its own', { share: 'own' }],
  ['by message, without locks', { share: 'broadcast', locks: false }],
  ['by a store, without locks', { share: 'store', locks: false }],
] as const satisfies [string, BrowserOptions][]

describe.each(WAYS)('tabs that share %s', (_, way) => {
  it('take over the session of another tab when they open, and ask nobody', async () => {
    const { server, tabs } = await signedIn(5, way)
    expect(tabs.map(({ user }) => user)).toEqual(Array(5).fill('ann'))
    expect(server.refreshes).toEqual([])
    expect(await tabs[4]?.restored).toBe(true)
    expect(new Set(tabs.map(({ token }) => token)).size).toBe(1)
  })

  it('ask once at each expiry, whoever comes first, and all get the same', async () => {
    const { server, tabs } = await signedIn(10, way)
    for (let expiry = 1; expiry <= 20; expiry++) {
      await pass(MINUTE)
      const tokens = new Set(await outcomesOf(tabs, 2 * SECOND))
      expect([tokens.size, [...tokens][0]?.length]).toEqual([1, tabs[0]?.token?.length])
      expect([server.refreshes.length, server.revoked]).toEqual([expiry, 0])
    }
  })

  it('follow a tab that had asked long before they want to', async () => {
    const { server, tabs } = await signedIn(3, way)
    await pass(MINUTE)
    await outcomesOf(tabs.slice(0, 1), SECOND)
    expect(new Set(tabs.map(({ token }) => token)).size).toBe(1)
    await outcomesOf(tabs.slice(1), SECOND)
    expect(server.refreshes.length).toBe(1)
  })

  it('are refused together, and nobody asks again', async () => {
    const { server, tabs } = await signedIn(10, way)
    for (const family of server.families) family.revoked = true
    await pass(MINUTE)
    expect(await outcomesOf(tabs, 2 * SECOND)).toEqual(Array(10).fill('TokenRefusedError'))
    await pass(10 * MINUTE)
    expect(server.refreshes.length).toBe(1)
    expect(tabs.map(({ events }) => events)).toEqual(Array(10).fill(['in', 'out']))
  })

  it('hear of a refusal, where they were not asking', async () => {
    const { server, tabs } = await signedIn(3, way)
    for (const family of server.families) family.revoked = true
    await pass(MINUTE)
    await outcomesOf(tabs.slice(0, 1), SECOND)
    expect(tabs.map(({ session }) => session.signedIn)).toEqual([false, false, false])
  })

  it('wait out an outage of the endpoint, and then ask once', async () => {
    const { server, tabs } = await signedIn(5, way)
    server.isDown = true
    await pass(MINUTE)
    for (const tab of tabs) tab.insist()
    await pass(2 * MINUTE)
    expect(server.refreshes.length).toBeGreaterThan(1)
    server.isDown = false
    await pass(4 * MINUTE)
    expect(server.refreshes.filter(({ outcome }) => outcome === 'new').length).toBe(1)
    expect(server.revoked).toBe(0)
    expect(new Set(tabs.map(({ token }) => token)).size).toBe(1)
  })

  it('sign out together within a second, also offline', async () => {
    const { server, tabs } = await signedIn(5, way)
    server.isDown = true
    tabs[2]?.logout()
    expect(tabs[2]?.session.signedIn).toBe(false)
    await pass(SECOND)
    expect(tabs.map(({ events }) => events)).toEqual(Array(5).fill(['in', 'out']))
    expect(await outcomesOf(tabs, MINUTE)).toEqual(Array(5).fill('TokenRefusedError'))
    expect(server.refreshes).toEqual([])
  })

  it('sign in together, and follow who signs in as somebody else', async () => {
    const { tabs } = await signedIn(3, way)
    tabs[0]?.logout()
    await pass(SECOND)
    tabs[1]?.login('bob')
    await pass(SECOND)
    expect(tabs.map(({ user }) => user)).toEqual(['bob', 'bob', 'bob'])
    tabs[2]?.switch('cid')
    await pass(SECOND)
    expect(tabs.map(({ user }) => user)).toEqual(['cid', 'cid', 'cid'])
    expect(tabs[0]?.events).toEqual(['in', 'out', 'in', 'out', 'in'])
  })

  it('agree on one login where two sign in at once', async () => {
    const { server, tabs } = await signedIn(4, way)
    tabs[0]?.switch('bob')
    tabs[3]?.switch('cid')
    await pass(2 * SECOND)
    const users = new Set(tabs.map(({ user }) => user))
    expect(users.size).toBe(1)
    await pass(MINUTE)
    expect(new Set(await outcomesOf(tabs, 2 * SECOND)).size).toBe(1)
    expect(server.refreshes.length).toBe(1)
  })
})

describe.each(WAYS)('tabs that share %s: whose hands it is in', (_, way) => {
  type Verb = 'login' | 'switch' | 'logout' | 'renew'
  /** How much the other tab hears of it: all at once, all late, or nothing until it asks for a token itself. */
  type Hears = 'awake' | 'late' | 'deaf'

  const SEQUENCES = [
    ['changes', ['switch']],
    ['changes', ['switch', 'renew']],
    ['changes', ['switch', 'login']],
    ['changes', ['login', 'switch']],
    ['changes', ['renew', 'switch', 'login', 'renew']],
    ['changes', ['switch', 'switch']],
    ['changes', ['logout', 'login']],
    ['changes', ['logout', 'login', 'login']],
    ['stays', ['login']],
    ['stays', ['login', 'login']],
    ['stays', ['renew', 'login', 'renew']],
    ['stays', ['renew', 'renew']],
  ] as const satisfies [string, readonly Verb[]][]

  const act = async (tab: Tab, verb: Verb): Promise<void> => {
    if (verb === 'renew') {
      await pass(MINUTE)
      await outcomesOf([tab], SECOND)
    } else if (verb === 'logout') tab.logout()
    else tab[verb]('ann')
    await pass(SECOND)
  }

  const handsAfter = async (
    browser: TabBrowser,
    verbs: readonly Verb[],
    hears: Hears,
  ): Promise<string> => {
    const [one, other] = browser.tabs as [Tab, Tab]
    const before = other.since
    if (hears !== 'awake') other.freeze()
    for (const verb of verbs) await act(one, verb)
    if (hears !== 'awake') other.thaw(hears === 'deaf' ? 'deaf' : undefined)
    await pass(MINUTE)
    await outcomesOf([other, one], 2 * SECOND)
    expect([other.user, other.token]).toEqual(['ann', one.token])
    return other.since > before ? 'changes' : 'stays'
  }

  const rows = SEQUENCES.flatMap(([outcome, verbs]) =>
    (['awake', 'late', 'deaf'] as const).map((hears) => [outcome, verbs, hears] as const),
  )

  it.each(rows)(
    '%s, where another tab of the same name did %j, and this one was %s',
    async (...row) => {
      const [outcome, verbs, hears] = row
      expect(await handsAfter(await signedIn(2, way), verbs, hears)).toBe(outcome)
    },
  )

  it.each(rows)('%s after an earlier switch too: %j, %s', async (outcome, verbs, hears) => {
    const browser = await signedIn(2, way)
    browser.tabs[1]?.switch('ann')
    await pass(SECOND)
    expect(await handsAfter(browser, verbs, hears)).toBe(outcome)
  })

  it('stays where a tab opens after a switch, and drops nothing there', async () => {
    const browser = await signedIn(2, way)
    browser.tabs[0]?.switch('ann')
    await pass(SECOND)
    const hands = browser.tabs.map(({ since }) => since)
    const later = browser.open()
    await pass(SECOND)
    expect([later.user, later.since]).toEqual(['ann', 0])
    expect(browser.tabs.slice(0, 2).map(({ since }) => since)).toEqual(hands)
  })
})

describe('tabs of an older version on the same channel', () => {
  const logins = ['switch', 'login'] as const

  it.each(logins)('follow a %s(), and are followed by name', async (verb) => {
    const browser = await signedIn(2)
    const [one, other] = browser.tabs as [Tab, Tab]
    one[verb]('ann')
    await pass(SECOND)
    const before = other.since
    const said = browser.spoken
      .filter(
        (word): word is { edition: string; tokens: { access: string } } =>
          typeof word === 'object' && word !== null && 'tokens' in word,
      )
      .at(-1)
    const [at, ...parts] = said?.edition.split('/') ?? []
    expect(parts).toHaveLength(4)
    const edition = `${Number(at) + 1}/${'0'.repeat(32)}/0/held/${'1'.repeat(32)}`
    browser.post(undefined, { ...said, edition })
    await pass(SECOND)
    expect([one.since, other.since]).toEqual([one.since, before])
    other.switch('ann')
    await pass(SECOND)
    expect([one.token, other.since > before]).toEqual([other.token, true])
  })
})

describe('a store that a program without tabs has written', () => {
  it.each(['switch', 'login'] as const)('serves both tabs, through a %s()', async (verb) => {
    const browser = await signedIn(1, { share: 'store' })
    const { edition: _, ...bare } = JSON.parse(browser.stored ?? '{}')
    browser.tabs[0]?.kill()
    browser.store.set(JSON.stringify(bare))
    await pass(100)
    const [one, other] = [browser.open(), browser.open()]
    await pass(2 * SECOND)
    const before = [one.since, other.since]
    expect([one.user, other.user, browser.server.refreshes]).toEqual(['ann', 'ann', []])
    await pass(MINUTE)
    await outcomesOf([one, other], 2 * SECOND)
    expect([one.since, other.since]).toEqual(before)
    one[verb]('ann')
    await pass(SECOND)
    const changes = [one.since, other.since].map((since, index) => since > (before[index] ?? 0))
    expect(changes).toEqual(verb === 'switch' ? [true, true] : [false, false])
  })
})

describe('tabs with a store of their own', () => {
  const keptBy = (tabs: readonly Tab[]) =>
    new Set(tabs.map(({ kept }) => (kept === null ? kept : JSON.parse(kept).refresh)))

  it('all keep what one of them renewed, and nothing after a logout', async () => {
    const { tabs } = await signedIn(3, { share: 'own' })
    const [first] = keptBy(tabs)
    await pass(MINUTE)
    await outcomesOf(tabs.slice(0, 1), SECOND)
    const [second, ...others] = keptBy(tabs)
    expect([second === first, others]).toEqual([false, []])
    tabs[1]?.logout()
    await pass(SECOND)
    expect([...keptBy(tabs)]).toEqual([null])
  })
})

describe('a leader that dies', () => {
  /** At an expiry all tabs ask; returns the leader before its request has left. */
  const leaderOf = async (browser: TabBrowser): Promise<Tab> => {
    await pass(MINUTE)
    for (const tab of browser.tabs) tab.ask().catch(() => {})
    await pass(3)
    const turn = browser.table.held.find(({ mode }) => mode === 'exclusive')
    if (!turn) throw new Error('nobody has the lock')
    return turn.tab
  }

  it('before its request leaves: another asks at once', async () => {
    const browser = await signedIn(5)
    const leader = await leaderOf(browser)
    leader.kill()
    await pass(SECOND)
    expect(browser.server.refreshes.map(({ outcome }) => outcome)).toEqual(['new'])
    expect(new Set(browser.live.map(({ token }) => token)).size).toBe(1)
  })

  it('after it has left, with grace at the server: another asks at once', async () => {
    const browser = await signedIn(5, { graceMs: 10 * SECOND })
    const leader = await leaderOf(browser)
    while (browser.server.refreshes.length === 0) await pass(1)
    leader.kill()
    await pass(SECOND)
    expect(browser.server.refreshes.map(({ outcome }) => outcome)).toEqual(['new', 'again'])
    expect(new Set(browser.live.map(({ token }) => token)).size).toBe(1)
    expect(browser.live.every(({ session }) => session.signedIn)).toBe(true)
  })

  it('after it has left, without grace: all are refused, by one request', async () => {
    const browser = await signedIn(5)
    const leader = await leaderOf(browser)
    while (browser.server.refreshes.length === 0) await pass(1)
    leader.kill()
    await pass(10 * MINUTE)
    expect(browser.server.refreshes.map(({ outcome }) => outcome)).toEqual(['new', 'refused'])
    expect(browser.live.every(({ session }) => !session.signedIn)).toBe(true)
  })

  it('without locks: is waited for as long as a request is, and then replaced by one', async () => {
    const browser = await signedIn(5, { locks: false, graceMs: MINUTE })
    await pass(MINUTE)
    for (const tab of browser.tabs) tab.ask().catch(() => {})
    while (browser.server.refreshes.length === 0) await pass(1)
    browser.tabs.find(({ name }) => name === browser.server.refreshes[0]?.tab)?.kill()
    await pass(29 * SECOND)
    expect(browser.server.refreshes.length).toBe(1)
    await pass(5 * SECOND)
    expect(browser.server.refreshes.map(({ outcome }) => outcome)).toEqual(['new', 'again'])
    expect(new Set(browser.live.map(({ token }) => token)).size).toBe(1)
  })

  it.each([true, false])('frozen with its request on the wire (locks: %s)', async (locks) => {
    const browser = await signedIn(5, { locks, graceMs: MINUTE })
    await pass(MINUTE)
    for (const tab of browser.tabs) tab.ask().catch(() => {})
    while (browser.server.refreshes.length === 0) await pass(1)
    const { server } = browser
    const leader = browser.tabs.find(({ name }) => name === server.refreshes[0]?.tab)
    leader?.freeze()
    await pass(29 * SECOND)
    expect(server.refreshes.length).toBe(1)
    await pass(5 * SECOND)
    expect(server.refreshes.map(({ outcome }) => outcome)).toEqual(['new', 'again'])
    leader?.thaw()
    await pass(5 * SECOND)
    expect(server.refreshes.length).toBe(2)
    expect(new Set(browser.tabs.map(({ token }) => token)).size).toBe(1)
    // The next expiry is as any other.
    await pass(MINUTE)
    expect(new Set(await outcomesOf(browser.tabs, 2 * SECOND)).size).toBe(1)
    expect([server.refreshes.length, server.revoked]).toEqual([3, 0])
  })

  it('thawed in time, it serves all', async () => {
    const browser = await signedIn(5)
    await pass(MINUTE)
    for (const tab of browser.tabs) tab.ask().catch(() => {})
    while (browser.server.refreshes.length === 0) await pass(1)
    const leader = browser.tabs.find(({ name }) => name === browser.server.refreshes[0]?.tab)
    leader?.freeze()
    await pass(20 * SECOND)
    leader?.thaw()
    await pass(SECOND)
    expect(browser.server.refreshes.length).toBe(1)
    expect(new Set(browser.tabs.map(({ token }) => token)).size).toBe(1)
  })
})

describe('a tab that slept', () => {
  it.each([true, false])('learns what it missed before it asks (locks: %s)', async (locks) => {
    const browser = await signedIn(3, { locks })
    const [sleeper, ...others] = browser.tabs
    sleeper?.freeze()
    for (let expiry = 0; expiry < 5; expiry++) {
      await pass(MINUTE)
      await outcomesOf(others, 2 * SECOND)
    }
    sleeper?.thaw()
    const outcomes = await outcomesOf(browser.tabs, 2 * SECOND)
    expect(new Set(outcomes).size).toBe(1)
    expect([browser.server.refreshes.length, browser.server.revoked]).toEqual([5, 0])
  })

  it('does not spend a token that another holds newer, though that one is silent', async () => {
    const browser = await signedIn(2)
    const [one, other] = browser.tabs
    one?.freeze()
    await pass(MINUTE)
    await outcomesOf(browser.tabs.slice(1), SECOND)
    // What it should have heard is lost, and who could repeat it sleeps.
    other?.freeze()
    one?.thaw('deaf')
    const [outcome] = await outcomesOf(browser.tabs.slice(0, 1), 11 * SECOND)
    expect(outcome).toBe('TokenUnavailableError')
    expect(browser.server.refreshes.length).toBe(1)
    other?.kill()
    one?.insist()
    await pass(MINUTE)
    expect(browser.server.refreshes.map(({ outcome }) => outcome)).toEqual(['new', 'refused'])
  })
})

describe('a page that is left', () => {
  it('lets go of what it shows, and learns what it missed when it comes back from the cache', async () => {
    const page = openPage()
    const browser = new TabBrowser()
    const first = browser.open()
    await pass(SECOND)
    first.login('ann')
    await pass(SECOND)
    const other = browser.open()
    await pass(SECOND)
    const shownBy = (tab: Tab) => browser.table.held.filter((lock) => lock.tab === tab).length
    expect([shownBy(first), shownBy(other)]).toEqual([1, 1])
    first.run(() => page.hides())
    await pass(SECOND)
    expect(shownBy(first)).toBe(0)
    first.freeze()
    await pass(MINUTE)
    await outcomesOf([other], SECOND)
    // In the cache messages are lost.
    first.thaw('deaf')
    expect(first.token).not.toBe(other.token)
    first.run(() => page.shows())
    await pass(SECOND)
    expect([shownBy(first), first.token]).toEqual([1, other.token])
    expect(browser.server.refreshes.length).toBe(1)
  })
})

describe('what others say on the channel', () => {
  it('crashes nothing, whatever it is', async () => {
    const browser = await signedIn(2)
    const [word] = browser.spoken.filter(
      (said): said is { edition: string } =>
        typeof said === 'object' && said !== null && 'tokens' in said,
    )
    const later = word?.edition.replace('/0/held/', '/7/held/')
    const tag = { authedSocket: 1 }
    const strange: unknown[] = [
      ...[undefined, null, 5, 'x', [], {}, new Map(), new Date(), { authedSocket: 2 }],
      { ...tag, type: 'state' },
      { ...tag, type: '__proto__', edition: later },
      { ...tag, type: 'state', edition: 5 },
      { ...tag, type: 'state', edition: 'a/b/c/d/e' },
      { ...tag, type: 'state', edition: later },
      { ...tag, type: 'state', edition: later, tokens: 'token' },
      { ...tag, type: 'state', edition: later, tokens: { access: 5, receivedAt: 'now' } },
      { ...tag, type: 'state', edition: later, tokens: { access: 'a', receivedAt: Number.NaN } },
      { ...tag, type: 'lock', word: { type: 'claim', name: 5, id: {} } },
      { ...tag, type: 'lock', word: { type: 'steal', name: 'x', id: 'y' } },
      { ...tag, type: 'lock', word: { type: 'claim', name: 'x'.repeat(1_000), id: 'y' } },
      { ...tag, type: 'hello', edition: {} },
    ]
    for (const data of strange) browser.post(undefined, data)
    await pass(SECOND)
    expect(browser.tabs.map(({ user }) => user)).toEqual(['ann', 'ann'])
    await pass(MINUTE)
    expect(new Set(await outcomesOf(browser.tabs, SECOND)).size).toBe(1)
    expect(browser.server.refreshes.length).toBe(1)
  })

  it('with a store, holds no token', async () => {
    const browser = await signedIn(3, { share: 'store' })
    await pass(MINUTE)
    await outcomesOf(browser.tabs, SECOND)
    expect(JSON.stringify(browser.spoken)).not.toMatch(/refresh-|eyJ/)
    expect(browser.stored).toContain('refresh-0-1')
    browser.tabs[0]?.logout()
    await pass(SECOND)
    expect(browser.stored).toBeNull()
  })
})
