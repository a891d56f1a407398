import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestNginx } from './nginx.ts'
import { startNginx } from './nginx.ts'
import type { TestRedis } from './redis.ts'
import { startRedis } from './redis.ts'
import type { TestServer } from './servers.ts'
import { startServer } from './servers.ts'

/** Several processes of the reference server that are one service. */
export interface Cluster {
  readonly redis: TestRedis
  readonly workers: readonly TestServer[]
  readonly nginx: TestNginx
  /** Of nginx. */
  readonly wsUrl: string
  /** Asks every worker; their answers in the order of `workers`. */
  control<Answer>(path: string, body?: object): Promise<Answer[]>
  stop(): Promise<void>
}

/** Workers that share one Redis and accept the same tokens, behind one nginx. */
export async function startCluster(count: number): Promise<Cluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'authed-socket-cluster-'))
  const redis = await startRedis()
  const start = (): Promise<TestServer> => startServer('node', { dataDir, redis: redis.url })
  // The first one alone: it draws the key of the tokens, which the others read.
  const first = await start()
  const rest = await Promise.all(Array.from({ length: count - 1 }, start))
  const workers = [first, ...rest]
  const nginx = await startNginx({ upstreams: workers.map(({ port }) => port) })
  return {
    redis,
    workers,
    nginx,
    wsUrl: nginx.wsUrl,
    control: <Answer>(path: string, body?: object) =>
      Promise.all(workers.map((each) => each.control<Answer>(path, body))),
    async stop() {
      await nginx.stop()
      await Promise.all(workers.map((each) => each.stop()))
      await redis.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
