import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cookieSession, type Session, shareTabs } from '../../../src/index.ts'
import { holderOf } from '../../../src/sessions/registry.ts'
import { openPage, pass, SECOND, tellStories, turn } from '../../support/story.ts'

tellStories()

const ALICE = { username: 'alice', password: 'correct-horse' }
const URL = 'https://page.example/login/'

interface Tab {
  readonly session: Session<typeof ALICE>
  readonly events: string[]
}

let key = ''
let tests = 0
const channels: BroadcastChannel[] = []
beforeEach(() => {
  // Tabs of earlier tests are open still.
  key = `shop ${tests++}`
})
afterEach(() => {
  for (const channel of channels.splice(0)) channel.close()
})

/** One tab of a page: `BroadcastChannel` is that of Node. */
const open = async (): Promise<Tab> => {
  const session = cookieSession({
    login: URL,
    logout: 'https://page.example/logout/',
    fetch: async () => Response.json({}),
    tabs: shareTabs({ key, share: 'broadcast' }),
  })
  const events: string[] = []
  session.on('signedin', () => events.push('in'))
  session.on('signedout', () => events.push('out'))
  await session.restore()
  await pass(SECOND)
  return { session, events }
}

interface Word {
  readonly type: 'in' | 'out' | 'hello'
  readonly at: number
}

/** A script of the same origin: hears all, and says what it likes. */
const stranger = (hear: (word: Word) => void = () => {}): ((word: unknown) => void) => {
  const channel = new BroadcastChannel(`authed-socket:${key}/cookie`)
  channels.push(channel)
  // What the tabs say is of this shape, as the tests show.
  channel.onmessage = (event) => hear((event as MessageEvent<Word>).data)
  return (word) => channel.postMessage(word)
}

/** Words between channels are no timers: they come with real turns. */
const heard = async () => {
  for (let turns = 0; turns < 20; turns++) await turn()
}

const eventsOf = (tabs: readonly Tab[]) => tabs.map(({ events }) => events.join(' '))

describe('tabs with one cookie', () => {
  it('sign out together, and in together', async () => {
    openPage()
    const tabs = [await open(), await open(), await open()]
    const own = key
    key = 'another key'
    const other = await open()
    key = own
    await tabs[1]?.session.logout()
    await heard()
    expect(eventsOf([...tabs, other])).toEqual(['in out', 'in out', 'in out', 'in'])
    await tabs[2]?.session.login(ALICE)
    await heard()
    expect(eventsOf(tabs)).toEqual(['in out in', 'in out in', 'in out in'])
  })

  it('let the sockets of the others forget who was there, since it may be somebody else', async () => {
    openPage()
    const [one, other] = [await open(), await open()]
    const changes: string[] = []
    holderOf(other.session).join({
      granted: () => {},
      signedIn: (who) => changes.push(who),
      loggedOut: () => {},
    })
    await one.session.login(ALICE)
    await heard()
    expect([eventsOf([other]), changes]).toEqual([['in out in'], ['another']])
  })

  it('believe a page that begins after a logout: a form may have signed the user in', async () => {
    openPage()
    const before = await open()
    await before.session.logout()
    await pass(SECOND)
    const after = await open()
    await heard()
    expect([after.session.signedIn, before.session.signedIn]).toEqual([true, false])
  })

  it('learn what they missed when they are seen again', async () => {
    const page = openPage()
    const tab = await open()
    const at = Date.now() + 5
    const say = stranger(
      ({ type }) => type === 'hello' && say({ authedSocket: 1, type: 'out', at }),
    )
    page.shows()
    await heard()
    expect([tab.session.signedIn, tab.events]).toEqual([false, ['in', 'out']])
  })

  it('tell who was away what counts now, and nothing to who knows it', async () => {
    openPage()
    const words: Word[] = []
    const say = stranger((word) => words.push(word))
    const tab = await open()
    await tab.session.logout()
    await heard()
    const [out] = words
    if (out === undefined) throw new Error('nothing was said')
    for (const at of [out.at, out.at - 1]) say({ authedSocket: 1, type: 'hello', at })
    await heard()
    expect(words).toEqual([out, out])
  })

  it('go by what was said last, whenever it comes', async () => {
    openPage()
    const tab = await open()
    const say = stranger()
    const at = Date.now() + 5
    say({ authedSocket: 1, type: 'out', at })
    for (const late of [at, at - 1]) say({ authedSocket: 1, type: 'in', at: late })
    await heard()
    expect(tab.events).toEqual(['in', 'out'])
  })

  it('share no cookie, no password and no name', async () => {
    openPage()
    const words: Word[] = []
    stranger((word) => words.push(word))
    const tab = await open()
    await tab.session.login(ALICE)
    await tab.session.logout()
    await heard()
    expect(words).toEqual([
      { authedSocket: 1, type: 'in', at: expect.any(Number) },
      { authedSocket: 1, type: 'out', at: expect.any(Number) },
    ])
  })

  it('are not impressed by what no tab says', async () => {
    openPage()
    const tab = await open()
    const say = stranger()
    const at = Date.now() + 1_000
    const strange: unknown[] = [
      ...[undefined, null, 5, 'out', [], {}, { type: 'out', at }],
      { authedSocket: 2, type: 'out', at },
      { authedSocket: 1, type: 'out' },
      { authedSocket: 1, type: '__proto__', at },
      ...[-1, 0.5, Number.NaN, '9', 2 ** 53 - 1, 2 ** 60].map((when) => ({
        authedSocket: 1,
        type: 'out',
        at: when,
      })),
    ]
    for (const word of strange) say(word)
    await heard()
    expect([tab.session.signedIn, tab.events]).toEqual([true, ['in']])
  })

  it('of which the clock was set back, is heard all the same', async () => {
    openPage()
    const [one, other] = [await open(), await open()]
    await one.session.logout()
    await heard()
    vi.setSystemTime(Date.now() - 3_600_000)
    await one.session.login(ALICE)
    await heard()
    expect(eventsOf([one, other])).toEqual(['in out in', 'in out in'])
  })

  it('are not there in Node', async () => {
    const words: Word[] = []
    stranger((word) => words.push(word))
    const session = cookieSession({
      cookie: 'sessionid=abc',
      tabs: shareTabs({ key, share: 'broadcast' }),
    })
    await session.restore()
    await session.logout()
    await heard()
    expect(words).toEqual([])
  })
})
