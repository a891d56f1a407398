/** Real tabs of Chromium on one reference server, which the tests open, kill and look at. */
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import type { Settings } from '../servers/node/state.ts'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'
import { seeded } from '../support/seeded.ts'
import type { Look, makeTab } from './tabs-page.ts'

interface PageGlobals {
  tabsPage: { makeTab: typeof makeTab }
  tab: ReturnType<typeof makeTab>
}

/** Decides over each refresh before it leaves its tab. */
export type Gate = (tab: Tab) => 'go' | 'wait'

export interface Tab {
  readonly name: string
  readonly page: Page
}

const bundle = (): Promise<string> =>
  pageScript(fileURLToPath(new URL('tabs-page.ts', import.meta.url)), 'tabsPage')

const inPage = (page: Page, what: 'restore' | 'connect' | 'logout'): Promise<unknown> =>
  page.evaluate<unknown, typeof what>(
    (verb) => (globalThis as unknown as PageGlobals).tab[verb](),
    what,
  )

/** One window: pages that share storage, locks and channels. */
export class TabWindow {
  readonly server: ReferenceServer
  readonly tabs: Tab[] = []
  gate: Gate = () => 'go'
  readonly #context: BrowserContext
  readonly #roll: () => number
  #opened = 0

  private constructor(server: ReferenceServer, context: BrowserContext, seed: number) {
    this.server = server
    this.#context = context
    this.#roll = seeded(seed)
  }

  static async open(
    browser: Browser,
    settings: Partial<Settings>,
    seed: number,
  ): Promise<TabWindow> {
    const html = `<!doctype html><title>tabs</title><script>${await bundle()}</script>`
    const server = await createReferenceServer({
      fallback: (_, response) => response.setHeader('content-type', 'text/html').end(html),
    })
    server.settings({ exactExp: true, closeAtExpiry: true, ...settings })
    const window = new TabWindow(server, await browser.newContext(), seed)
    await window.#context.exposeFunction('tabsCue', (name: string) => {
      const tab = window.tabs.find((one) => one.name === name)
      return tab ? window.gate(tab) : 'go'
    })
    return window
  }

  async close(): Promise<void> {
    await this.#context.close()
    await this.server.close()
  }

  /** A tab that signs in, or takes over what the others have. */
  async add(user?: string): Promise<Tab> {
    const page = await this.#context.newPage()
    const tab = { name: `tab ${this.#opened++}`, page }
    this.tabs.push(tab)
    await page.goto(`${this.server.url}/tabs`)
    const restEveryMs = 200 + this.#roll() * this.server.settings({}).accessLifetimeMs
    await page.evaluate(
      ([name, ms]) => {
        const scope = globalThis as unknown as PageGlobals
        scope.tab = scope.tabsPage.makeTab(name, ms)
      },
      [tab.name, restEveryMs] as const,
    )
    await inPage(page, 'restore')
    if (user !== undefined) await this.login(tab, user)
    page.evaluate(() => (globalThis as unknown as PageGlobals).tab.connect()).catch(() => {})
    return tab
  }

  login({ page }: Tab, user: string): Promise<void> {
    return page.evaluate((name) => (globalThis as unknown as PageGlobals).tab.login(name), user)
  }

  logout({ page }: Tab): Promise<unknown> {
    return inPage(page, 'logout')
  }

  /** Ends as by a crash: no event runs, and no message leaves. */
  async kill(tab: Tab): Promise<void> {
    this.tabs.splice(this.tabs.indexOf(tab), 1)
    const session = await this.#context.newCDPSession(tab.page)
    const crashed = new Promise<void>((resolve) => tab.page.once('crash', () => resolve()))
    session.send('Page.crash').catch(() => {})
    await crashed
    tab.page.close().catch(() => {})
  }

  look(): Promise<Look[]> {
    return Promise.all(
      this.tabs.map(({ page }) =>
        page.evaluate(() => (globalThis as unknown as PageGlobals).tab.look()),
      ),
    )
  }

  /** Every tab is connected, and all with the same token. */
  async isWhole(): Promise<boolean> {
    const looks = await this.look()
    return (
      looks.every(({ state }) => state === 'connected') &&
      new Set(looks.map(({ tokenExpiresAt }) => tokenExpiresAt)).size === 1
    )
  }
}

export const openBrowser = (): Promise<Browser> => launchChromium()

/** Looks again and again; fails when it is not so in time. */
export const until = async (
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<number> => {
  const since = Date.now()
  for (;;) {
    if (await isSo()) return Date.now() - since
    if (Date.now() - since > withinMs) throw new Error(`within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
