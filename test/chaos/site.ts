/** What the clients of a run connect to: a server, or several on one store. */
import { startServer, type TestServer } from '../support/servers.ts'

export const SITE_NAMES = ['node'] as const
export type SiteName = (typeof SITE_NAMES)[number]

export interface Site {
  readonly name: SiteName
  /** `ws://` + a door + this. */
  readonly path: string
  readonly workers: number
  /** What the store knows survives the processes. */
  readonly remembers: boolean
  readonly resumeWindowMs: number
  readonly heartbeatMs: number
  /** Codes with which it may refuse a good send. */
  readonly refusals: readonly string[]
  /** The port that the next connection goes to. */
  target(): number
  /** Tokens of one user, none like another. */
  mint(user: string, count: number): Promise<string[]>
  restart(signal: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void>
  killWorker(index: number, downMs: number): Promise<void>
  restartRedis(downMs: number): Promise<void>
  stop(): Promise<void>
  /** What its processes wrote to stderr. */
  output(): string
}

const HOUR_MS = 3_600_000
/** Dead connections are found out in seconds, where the server lets a test say so. */
const HEARTBEAT_MS = 1_000

class OneServer implements Site {
  readonly name: SiteName
  readonly path = '/ws/rooms'
  readonly workers = 1
  readonly remembers = false
  readonly resumeWindowMs = 120_000
  readonly heartbeatMs = HEARTBEAT_MS
  readonly refusals = []
  readonly #server: TestServer

  constructor(name: SiteName, server: TestServer) {
    this.name = name
    this.#server = server
  }

  target(): number {
    return this.#server.port
  }

  mint(user: string, count: number): Promise<string[]> {
    return mint(this.#server, user, count)
  }

  async restart(signal: 'SIGTERM' | 'SIGKILL', downMs: number): Promise<void> {
    await this.#server.kill(signal)
    await pause(downMs)
    await this.#server.restart()
    await adjust(this.#server)
  }

  killWorker(_index: number, downMs: number): Promise<void> {
    return this.restart('SIGKILL', downMs)
  }

  async restartRedis(): Promise<void> {}

  stop(): Promise<void> {
    return this.#server.stop()
  }

  output(): string {
    return this.#server.output()
  }
}

async function mint(server: TestServer, user: string, count: number): Promise<string[]> {
  const pairs = Array.from({ length: count }, (_, index) =>
    // A lifetime of its own makes each token another one.
    server.control<{ access: string }>('mint', { user, lifetimeMs: 4 * HOUR_MS + index * 1_000 }),
  )
  return (await Promise.all(pairs)).map(({ access }) => access)
}

/** Settings are as new after each start. */
async function adjust(server: TestServer): Promise<void> {
  await server.control('settings', { heartbeatMs: HEARTBEAT_MS })
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

export async function startSite(name: SiteName): Promise<Site> {
  const server = await startServer('node')
  await adjust(server)
  return new OneServer(name, server)
}
