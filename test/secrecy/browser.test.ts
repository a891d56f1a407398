/** The same in Chromium, with what only a browser has: its console, storages, cookies, channels and address. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tableUnder } from '../docs/markdown.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'
import { Canaries } from './canaries.ts'
import type { Life } from './life.ts'
import type { Seen } from './page.ts'
import { CANARIES, chance } from './size.ts'
import { BROWSER_WAYS, type Way } from './ways.ts'

/** A page is slower than Node, and holds no more of ours. */
const TOKENS = Math.ceil(CANARIES / 10)
const A_PAGE = 20

interface PageGlobals {
  secrecy: typeof import('./page.ts')
}

const canaries = new Canaries()
const leaks = new Set<string>()
const channelNames = new Set<string>()
/** Console, storages, cookies, address and timings. */
const around: string[] = []
const consoles: string[] = []

let browser: Browser
let server: ReferenceServer
let site: { url: string; close(): void }

async function serve(): Promise<typeof site> {
  const entry = fileURLToPath(new URL('page.ts', import.meta.url))
  const script = await pageScript(entry, 'secrecy')
  const html = `<!doctype html><title>secrecy</title><script>${script}</script>`
  const listener = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close() {
      listener.closeAllConnections()
      listener.close()
    },
  }
}

async function withPage<Result>(visit: (page: Page) => Promise<Result>): Promise<Result> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    page.on('console', (message) => consoles.push(`${message.text()} ${message.location().url}`))
    page.on('pageerror', (error) => around.push(`${error.message} ${error.stack}`))
    await page.goto(site.url)
    const result = await visit(page)
    around.push(await remainsOf(context, page))
    return result
  } finally {
    await context.close()
  }
}

/** What stays with the browser, and what scripts of others on the page can read. */
async function remainsOf(context: BrowserContext, page: Page): Promise<string> {
  const stored = await context.storageState({ indexedDB: true })
  const seen = await page.evaluate(() =>
    JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      document.cookie,
      location.href,
      document.documentElement.outerHTML.slice(-2_000),
      performance.getEntries(),
      Object.entries(history.state ?? {}),
    ]),
  )
  return JSON.stringify(stored) + seen
}

function judge(label: string, { sightings }: Seen): void {
  for (const { where, text } of sightings)
    if (canaries.in(text).size > 0) leaks.add(`${label}: ${where}`)
}

async function liveAll(): Promise<void> {
  const { pick, garbage } = chance(2)
  const plans: (Life & { way: Way })[] = []
  for (let index = 0; index < TOKENS; index += 1) {
    const way = BROWSER_WAYS[index % BROWSER_WAYS.length] as Way
    const fate = pick(['accepted', 'refused', 'thrown', 'stuck'] as const)
    const lifetimeMs = 300_000 + index * 1_000
    const minted =
      fate === 'accepted' ? await server.mint({ user: 'alice', lifetimeMs }) : undefined
    const token = minted?.access ?? garbage()
    canaries.add({ token, label: way })
    // One dial in each page ends before it opens: Chromium delays the next ones more and more.
    const path =
      index % A_PAGE < BROWSER_WAYS.length && fate === 'refused' ? 'nowhere' : pathOf(way)
    plans.push({ url: `${server.url}/ws/${path}/room-${index}`, way, fate, tokens: [token] })
  }
  for (let from = 0; from < plans.length; from += A_PAGE) {
    const some = plans.slice(from, from + A_PAGE)
    // Runs in the page.
    const seen = await withPage((page) =>
      page.evaluate((lives) => (globalThis as unknown as PageGlobals).secrecy.lives(lives), some),
    )
    judge('a life', seen)
    for (const { where } of seen.channels) channelNames.add(where)
  }
}

const pathOf = (way: Way): string => (way === 'first-message' ? 'first' : 'chat')

/** Runs in the page. */
const inSession = (shared: boolean): Promise<Seen> =>
  withPage((page) =>
    page.evaluate(
      ([origin, isShared]) =>
        (globalThis as unknown as PageGlobals).secrecy.session(origin, isShared),
      [server.url, shared] as const,
    ),
  )

beforeAll(async () => {
  ;[browser, server, site] = await Promise.all([launchChromium(), createReferenceServer(), serve()])
  await liveAll()
}, 3_600_000)
afterAll(async () => {
  await Promise.all([browser?.close(), server?.close()])
  site?.close()
})

describe(`${TOKENS} tokens in Chromium`, () => {
  it('stand in no error, event, status, log line, diary or property', () => {
    expect([...leaks]).toEqual([])
    expect(canaries.size).toBe(TOKENS)
  })

  it('stand in no storage, cookie, address, timing or page error, and go over no channel', () => {
    expect([...canaries.in(around.join('\n'))]).toEqual([])
    expect([...channelNames]).toEqual([])
  })

  it('stand in the console where docs/security.md says so', () => {
    const found = canaries.in(consoles.join('\n'))
    const seen = BROWSER_WAYS.map((way) => [way, found.has(way) ? 'yes' : 'no'])
    const told = tableUnder('docs/security.md', 'Who logs it')
      .filter(([way]) => (BROWSER_WAYS as readonly string[]).includes(way ?? ''))
      .map((row) => [row[0], row[5]])
    expect(seen).toEqual(told)
    // Each of them had a dial that failed, which Chromium tells of.
    expect(consoles.filter((line) => line.includes('/ws/nowhere/')).length).toBeGreaterThan(0)
  })
})

describe('a session in Chromium', () => {
  it('keeps its tokens to itself, also after logout()', async () => {
    const seen = await inSession(false)
    const own = new Canaries()
    for (const token of seen.tokens) own.add({ token, label: 'session' })
    expect(seen.tokens).toHaveLength(4)
    const texts = [...seen.sightings, ...seen.channels].map(({ text }) => text)
    expect([...own.in([...texts, ...around].join('\n'))]).toEqual([])
    expect(seen.channels).toEqual([])
  })

  it('puts them on the channel of its key where tabs share it, and on no other', async () => {
    const seen = await inSession(true)
    const own = new Canaries()
    for (const token of seen.tokens) own.add({ token, label: 'session' })
    const holders = seen.channels.filter(({ text }) => own.in(text).size > 0)
    expect(new Set(holders.map(({ where }) => where))).toEqual(new Set(['authed-socket:shop']))
    expect([...own.in(seen.sightings.map(({ text }) => text).join('\n'))]).toEqual([])
    expect([...own.in(around.join('\n'))]).toEqual([])
  })
})
