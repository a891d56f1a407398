/** What the clients of a run connect to: a server, or several on one Redis. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type ServerName, startServer, type TestServer } from '../support/servers.ts'

interface SiteKind {
  readonly server: ServerName
  readonly workers: number
  readonly store: 'memory' | 'redis'
}

const SITES = {
  node: { server: 'node', workers: 1, store: 'memory' },
  fastapi: { server: 'fastapi-websockets', workers: 1, store: 'memory' },
  channels: { server: 'channels-daphne', workers: 1, store: 'memory' },
  'node-redis': { server: 'node', workers: 2, store: 'redis' },
  'fastapi-redis': { server: 'fastapi-websockets', workers: 2, store: 'redis' },
  'channels-redis': { server: 'channels-daphne', workers: 2, store: 'redis' },
} as const satisfies Record<string, SiteKind>

export type SiteName = keyof typeof SITES
// The keys of a constant are the names in its type.
export const SITE_NAMES = Object.keys(SITES) as SiteName[]

export interface SiteOptions {
  /** The server's, in ms. Default 120,000. */
  readonly resumeWindowMs?: number
  /** Of the control door, besides. */
  readonly settings?: object
  /** Processes, where they share a Redis. Default 2. */
  readonly workers?: number
}

const HOUR_MS = 3_600_000
/** Dead connections are found out in seconds. */
const HEARTBEAT_MS = 1_000
const WINDOW_MS = 120_000

/** Where a run's clients go, and what can be done to it. */
export class Site {
  /** `ws://` + a door + this. */
  readonly path = '/ws/rooms'
  readonly name: SiteName
  readonly redis: TestRedis | undefined
  readonly workers: readonly TestServer[]
  readonly resumeWindowMs: number
  readonly #dataDir: string
  readonly #settings: object
  readonly #down = new Set<TestServer>()
  #turn = 0

  constructor(
    name: SiteName,
    parts: {
      readonly workers: readonly TestServer[]
      readonly redis: TestRedis | undefined
      readonly dataDir: string
      readonly resumeWindowMs: number
      readonly settings: object
    },
  ) {
    this.name = name
    this.workers = parts.workers
    this.redis = parts.redis
    this.resumeWindowMs = parts.resumeWindowMs
    this.#dataDir = parts.dataDir
    this.#settings = parts.settings
  }

  /** What the store knows outlives the processes. */
  get remembers(): boolean {
    return this.redis !== undefined
  }

  /** The port that the next connection goes to: each process in turn, as a balancer does it. */
  target(): number {
    const up = this.workers.filter((worker) => !this.#down.has(worker))
    this.#turn += 1
    return (up[this.#turn % up.length] ?? this.#first).port
  }

  /** Tokens of one user, none like another. */
  mint(user: string, count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, (_, turn) => this.mintOne(user, turn)))
  }

  /** A lifetime of its own makes the token of each turn another one. */
  async mintOne(user: string, turn: number): Promise<string> {
    const lifetimeMs = 4 * HOUR_MS + turn * 1_000
    const { access } = await this.#first.control<{ access: string }>('mint', { user, lifetimeMs })
    return access
  }

  async restart(signal: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void> {
    await Promise.all(this.workers.map((worker) => this.#restart(worker, signal, downMs)))
  }

  killWorker(index: number, downMs: number): Promise<void> {
    const worker = this.workers[index % this.workers.length] ?? this.#first
    return this.#restart(worker, 'SIGKILL', downMs)
  }

  async restartRedis(downMs: number): Promise<void> {
    await this.redis?.kill('SIGKILL')
    await pause(downMs)
    await this.redis?.restart()
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()))
    await this.redis?.stop()
    await rm(this.#dataDir, { recursive: true, force: true })
  }

  /** What its processes wrote to stderr. */
  output(): string {
    return this.workers.map((worker) => worker.output()).join('')
  }

  async adjust(worker: TestServer): Promise<void> {
    const { resumeWindowMs } = this
    const settings = { heartbeatMs: HEARTBEAT_MS, resumeWindowMs, ...this.#settings }
    await worker.control('settings', settings)
  }

  get #first(): TestServer {
    const [first] = this.workers
    if (first === undefined) throw new Error('a site has at least one server')
    return first
  }

  async #restart(worker: TestServer, signal: NodeJS.Signals, downMs: number): Promise<void> {
    this.#down.add(worker)
    await worker.kill(signal)
    await pause(downMs)
    await worker.restart()
    // Settings are as new after each start.
    await this.adjust(worker)
    this.#down.delete(worker)
  }
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Starts the processes of a site, and its Redis where it has one. */
export async function startSite(name: SiteName, options: SiteOptions = {}): Promise<Site> {
  const { server, workers: usual, store }: SiteKind = SITES[name]
  const count = store === 'redis' ? (options.workers ?? usual) : 1
  const dataDir = await mkdtemp(join(tmpdir(), 'authed-socket-chaos-'))
  const redis = store === 'redis' ? await startRedis() : undefined
  const start = () => startServer(server, { dataDir, ...(redis && { redis: redis.url }) })
  // The first one alone: it draws the key of the tokens, which the others read.
  const workers = [await start()]
  workers.push(...(await Promise.all(Array.from({ length: count - 1 }, start))))
  const resumeWindowMs = options.resumeWindowMs ?? WINDOW_MS
  const { settings = {} } = options
  const site = new Site(name, { workers, redis, dataDir, resumeWindowMs, settings })
  await Promise.all(workers.map((worker) => site.adjust(worker)))
  return site
}
