/**
 * A browser's tabs, in one process and on a virtual clock: each is a session of its own, with locks, a channel
 * and a network that the test can kill, freeze and thaw. Real tabs are in test/browser/tabs.test.ts.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { vi } from 'vitest'
import { shown } from '../../src/core/identity.ts'
import {
  type PasswordCredentials,
  type Session,
  shareTabs,
  simpleJwt,
  type TokenStore,
} from '../../src/index.ts'
import { holderOf } from '../../src/sessions/registry.ts'
import { seeded } from './seeded.ts'
import { afterStory } from './story.ts'

const ORIGIN = 'http://localhost:1'

/** Whose code runs: its timers sleep with it, and end with it. */
const running = new AsyncLocalStorage<Tab>()

let areKept = false

/** To be called on a faked clock. */
const keepTimersWithTheirTab = (): void => {
  if (areKept) return
  areKept = true
  const { setTimeout: start } = globalThis
  const own = (task: () => void, ms?: number) => {
    const tab = running.getStore()
    return start(tab ? () => tab.run(task) : task, ms)
  }
  globalThis.setTimeout = own as typeof setTimeout
  afterStory(() => {
    globalThis.setTimeout = start
    areKept = false
  })
}

const as = (username: string): PasswordCredentials => ({ username, password: 'x' })

interface Waiting {
  readonly name: string
  readonly mode: 'exclusive' | 'shared'
  readonly tab: Tab
  grant(): void
}

/** The browser's list of locks. Requests are served in order; a tab that ends leaves nothing behind. */
class LockTable {
  #held: Waiting[] = []
  #queue: Waiting[] = []

  request(waiting: Waiting): void {
    this.#queue.push(waiting)
    this.#serve()
  }

  drop(gone: (waiting: Waiting) => boolean): void {
    this.#held = this.#held.filter((waiting) => !gone(waiting))
    this.#queue = this.#queue.filter((waiting) => !gone(waiting))
    this.#serve()
  }

  get held(): readonly Waiting[] {
    return this.#held
  }

  #serve(): void {
    const blocked = new Set<string>()
    for (const waiting of [...this.#queue]) {
      const others = this.#held.filter(({ name }) => name === waiting.name)
      const isFree =
        others.length === 0 ||
        (waiting.mode === 'shared' && others.every(({ mode }) => mode === 'shared'))
      if (blocked.has(waiting.name) || !isFree) {
        blocked.add(waiting.name)
        continue
      }
      this.#queue = this.#queue.filter((one) => one !== waiting)
      this.#held.push(waiting)
      waiting.grant()
    }
  }
}

/** As much of a LockManager as is used, for one tab. */
class TabLockManager {
  readonly #table: LockTable
  readonly #tab: Tab

  constructor(table: LockTable, tab: Tab) {
    this.#table = table
    this.#tab = tab
  }

  request(
    name: string,
    { mode = 'exclusive', signal }: { mode?: 'exclusive' | 'shared'; signal?: AbortSignal },
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    if (this.#tab.isDead) return new Promise(() => {})
    return new Promise((resolve, reject) => {
      let isGranted = false
      const waiting: Waiting = {
        name,
        mode,
        tab: this.#tab,
        grant: () => {
          isGranted = true
          // A grant is a message from the browser: it takes its time, and finds a frozen tab asleep.
          this.#tab.soon(() =>
            work()
              .then(resolve, reject)
              .finally(() => this.#table.drop((one) => one === waiting)),
          )
        },
      }
      if (signal?.aborted) reject(signal.reason)
      else {
        signal?.addEventListener('abort', () => {
          if (isGranted) return
          this.#table.drop((one) => one === waiting)
          reject(signal.reason)
        })
        this.#table.request(waiting)
      }
    })
  }

  async query(): Promise<{ held: { name: string }[] }> {
    const held = this.#table.held.map(({ name }) => ({ name }))
    return new Promise((resolve) => this.#tab.soon(() => resolve({ held })))
  }
}

export interface BrowserOptions {
  readonly seed?: number
  readonly locks?: boolean
  /** How long the server still takes a refresh token that was used. */
  readonly graceMs?: number
  readonly lifetimeMs?: number
  /** `own`: by message, and each tab has a store of its own, as `sessionStorage` is. */
  readonly share?: 'broadcast' | 'store' | 'own'
}

interface Family {
  readonly user: string
  current: number
  revoked: boolean
  readonly usedAt: Map<number, number>
}

export interface Refresh {
  readonly at: number
  readonly tab: string
  readonly token: string
  outcome: 'pending' | 'new' | 'again' | 'refused' | 'down'
}

/** Rotates refresh tokens. One that comes twice ends its family, after the grace. */
export class RotatingServer {
  readonly refreshes: Refresh[] = []
  readonly families: Family[] = []
  revocations = 0
  isDown = false
  readonly #options: BrowserOptions

  constructor(options: BrowserOptions) {
    this.#options = options
  }

  get revoked(): number {
    return this.families.filter(({ revoked }) => revoked).length
  }

  answer(path: string, body: Record<string, string>, tab: string): Response {
    if (path === '/obtain') {
      this.families.push({
        user: body['username'] ?? '',
        current: 0,
        revoked: false,
        usedAt: new Map(),
      })
      return this.#tokens(this.families.length - 1)
    }
    if (path === '/revoke') {
      this.revocations++
      return Response.json({})
    }
    return this.#refresh(body['refresh'] ?? '', tab)
  }

  #refresh(token: string, tab: string): Response {
    const refresh: Refresh = { at: Date.now(), tab, token, outcome: 'pending' }
    this.refreshes.push(refresh)
    if (this.isDown) {
      refresh.outcome = 'down'
      return new Response('<html>', { status: 502 })
    }
    const [id = -1, turn = -1] = token.split('-').slice(1).map(Number)
    const family = this.families[id]
    const usedAt = family?.usedAt.get(turn)
    const isLate = usedAt !== undefined && Date.now() - usedAt > (this.#options.graceMs ?? 0)
    if (!family || family.revoked || isLate) {
      if (family) family.revoked = true
      refresh.outcome = 'refused'
      return Response.json({ detail: 'Token is blacklisted' }, { status: 401 })
    }
    family.usedAt.set(turn, usedAt ?? Date.now())
    refresh.outcome = usedAt === undefined ? 'new' : 'again'
    family.current++
    return this.#tokens(id)
  }

  #tokens(id: number): Response {
    const { user, current } = this.families[id] as Family
    const { lifetimeMs = 60_000 } = this.#options
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { sub: user, jti: `${id}-${current}`, iat: 0, exp: lifetimeMs / 1_000 }
    const access = `${encode({ alg: 'none' })}.${encode(claims)}.x`
    return Response.json({ access, refresh: `refresh-${id}-${current}` })
  }
}

export class TabBrowser {
  readonly server: RotatingServer
  readonly tabs: Tab[] = []
  readonly table = new LockTable()
  readonly options: BrowserOptions
  readonly roll: () => number
  /** What every script of the origin could hear. */
  readonly spoken: unknown[] = []
  #stored: string | null = null

  constructor(options: BrowserOptions = {}) {
    this.options = options
    this.server = new RotatingServer(options)
    this.roll = seeded(options.seed ?? 1)
    keepTimersWithTheirTab()
  }

  get stored(): string | null {
    return this.#stored
  }

  /** Takes its time, as a database does; what a tab was writing when it died is lost. */
  readonly store: TokenStore = {
    get: () => this.#within(() => this.#stored),
    set: (value) =>
      this.#within(() => {
        this.#stored = value
      }),
  }

  get live(): Tab[] {
    return this.tabs.filter(({ isDead }) => !isDead)
  }

  #within<Value>(use: () => Value): Promise<Value> {
    return new Promise((resolve) => setTimeout(() => resolve(use()), this.roll() * 30))
  }

  /** A new tab, which restores what there is. */
  open(): Tab {
    const tab = new Tab(this, `tab ${this.tabs.length}`)
    this.tabs.push(tab)
    return tab
  }

  post(from: object | undefined, data: unknown): void {
    this.spoken.push(data)
    for (const tab of this.tabs)
      for (const channel of tab.channels)
        if (channel !== from) tab.soon(() => channel.onmessage?.({ data: structuredClone(data) }))
  }
}

interface Heard {
  onmessage: ((event: { data: unknown }) => void) | null
}

export class Tab {
  readonly name: string
  readonly session: Session<PasswordCredentials>
  readonly channels: Heard[] = []
  /** What this tab finds after a reload, where it has a store of its own. */
  kept: string | null = null
  readonly events: string[] = []
  readonly restored: Promise<boolean>
  isDead = false
  /** What was due while it was frozen. */
  #asleep: (() => void)[] | undefined
  readonly #browser: TabBrowser

  constructor(browser: TabBrowser, name: string) {
    this.#browser = browser
    this.name = name
    const { share = 'broadcast' } = browser.options
    this.session = simpleJwt({
      obtain: `${ORIGIN}/obtain`,
      refresh: `${ORIGIN}/refresh`,
      revoke: `${ORIGIN}/revoke`,
      fetch: (input, init) => this.#fetch(new URL(String(input)), init),
      ...(share === 'own' && { refreshToken: this.#ownStore() }),
      tabs: shareTabs({ key: 'k', share: share === 'store' ? browser.store : 'broadcast' }),
    })
    this.session.on('signedin', () => this.events.push('in'))
    this.session.on('signedout', () => this.events.push('out'))
    this.restored = this.#inside(() => this.session.restore())
    this.restored.catch(() => {})
  }

  /** Who is signed in here; `undefined` when nobody is. */
  get user(): string | undefined {
    return this.session.signedIn ? shown(holderOf(this.session).identity.token) : undefined
  }

  /** Rises whenever it is somebody else here: what was of the one before is gone. */
  get since(): number {
    return holderOf(this.session).identity.since
  }

  get token(): string | undefined {
    const { held } = holderOf(this.session)
    return held && holderOf(this.session).tokenOf(held.id)
  }

  login(user: string): void {
    this.run(() => this.session.login(as(user)))
  }

  switch(user: string): void {
    this.run(() => this.session.switch(as(user)))
  }

  logout(): void {
    this.run(() => this.session.logout())
  }

  /** As a socket whose token the server has just rejected, or that wants to dial. */
  async ask(): Promise<string> {
    const token = await running.run(this, () => holderOf(this.session).token())
    return token ?? ''
  }

  /** As a link that wants to dial: waits until it may. */
  insist(): void {
    const seat = holderOf(this.session).join({
      granted: ({ kind }) => kind === 'go' && seat.leave(),
      signedIn: () => {},
      loggedOut: () => seat.leave(),
    })
    this.run(() => seat.report({ kind: 'asking', demand: { kind: 'plain' } }))
  }

  /** Ends like a crash: no event, no last word; its locks are free. */
  kill(): void {
    this.isDead = true
    this.#browser.table.drop(({ tab }) => tab === this)
  }

  freeze(): void {
    this.#asleep ??= []
  }

  /** `deaf`: what was due is lost. */
  thaw(how?: 'deaf'): void {
    const due = this.#asleep ?? []
    this.#asleep = undefined
    if (how !== 'deaf') for (const task of due) task()
  }

  /** A task of this tab. */
  run(task: () => void): void {
    if (this.isDead) return
    if (this.#asleep) this.#asleep.push(() => this.run(task))
    else running.run(this, task)
  }

  /** A task from outside: a message, an answer, a lock. */
  soon(task: () => void): void {
    running.exit(() => setTimeout(() => this.run(task), this.#browser.roll() * 4))
  }

  async #fetch(url: URL, init: RequestInit | undefined): Promise<Response> {
    const body: Record<string, string> = JSON.parse(String(init?.body ?? '{}'))
    // A tab that dies or sleeps meanwhile sends nothing.
    await new Promise<void>((resolve) => setTimeout(resolve, 5 + this.#browser.roll() * 20))
    const response = this.#browser.server.answer(url.pathname, body, this.name)
    return new Promise((resolve) => {
      const comes = () => this.soon(() => resolve(response))
      running.exit(() => setTimeout(comes, 5 + this.#browser.roll() * 100))
    })
  }

  #ownStore(): TokenStore {
    return {
      get: () => this.kept,
      set: (value) => {
        this.kept = value
      },
    }
  }

  /** The session opens locks and channel when it is first used, and finds those of this tab. */
  #inside<Value>(use: () => Value): Value {
    const browser = this.#browser
    const tab = this
    class Channel implements Heard {
      onmessage: Heard['onmessage'] = null
      constructor() {
        tab.channels.push(this)
      }
      postMessage(data: unknown): void {
        if (!tab.isDead) browser.post(this, structuredClone(data))
      }
    }
    const hasLocks = browser.options.locks !== false
    vi.stubGlobal('BroadcastChannel', Channel)
    vi.stubGlobal('navigator', hasLocks ? { locks: new TabLockManager(browser.table, this) } : {})
    try {
      return running.run(this, use)
    } finally {
      vi.unstubAllGlobals()
    }
  }
}
