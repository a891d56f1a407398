import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import type { TestRedis } from '../../support/redis.ts'
import { startRedis } from '../../support/redis.ts'
import type { DialOptions } from '../../support/rooms-client.ts'
import { RoomsClient } from '../../support/rooms-client.ts'

export const STORES = ['memory', 'Redis'] as const
export type StoreName = (typeof STORES)[number]

export interface Stage {
  readonly server: ReferenceServer
  /** A second server with the same rooms; in memory it is the first one. */
  readonly other: ReferenceServer
  readonly redis?: TestRedis
  close(): Promise<void>
}

export async function openStage(store: StoreName): Promise<Stage> {
  return store === 'memory' ? inMemory() : onRedis(await startRedis())
}

async function inMemory(): Promise<Stage> {
  const server = await createReferenceServer()
  return { server, other: server, close: () => server.close() }
}

/** Two servers on one Redis, which ends with them. */
export async function onRedis(redis: TestRedis): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), 'authed-socket-stage-'))
  const server = await createReferenceServer({ dataDir, redis: redis.url })
  const other = await createReferenceServer({ dataDir, redis: redis.url })
  return {
    server,
    other,
    redis,
    async close() {
      await Promise.all([server.close(), other.close()])
      await redis.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface Caller extends Omit<DialOptions, 'token'> {
  user?: string
  lifetimeMs?: number
}

/** A welcomed client with a token of its own. At the end of the test nothing may have been wrong with it. */
export async function dial(server: ReferenceServer, caller: Caller = {}): Promise<RoomsClient> {
  const { user = 'alice', lifetimeMs, ...options } = caller
  const { access } = await server.mint({ user, ...(lifetimeMs !== undefined && { lifetimeMs }) })
  const client = watch(new RoomsClient(server.wsUrl, { ...options, token: access }))
  await client.welcome()
  return client
}

/** Ends with the test, which fails when the client saw a frame that should not be. */
export function watch(client: RoomsClient): RoomsClient {
  onTestFinished(() => {
    client.socket.terminate()
    expect(client.problems).toEqual([])
  })
  return client
}

/** In the room already. */
export async function dialInto(
  server: ReferenceServer,
  room: string,
  caller?: Caller,
): Promise<RoomsClient> {
  const client = await dial(server, caller)
  await client.join(room)
  return client
}

let rooms = 0
/** A room that no other test is in. */
export function newRoom(): string {
  rooms += 1
  return `room ${rooms}`
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))
