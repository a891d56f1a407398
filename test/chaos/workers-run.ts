/** Clients behind nginx on three workers and one Redis, while one worker after the other is killed. */

import { type Cluster, startCluster } from '../support/cluster.ts'
import { seeded } from '../support/seeded.ts'
import { type Actor, inTurn } from './actor.ts'
import { type Rejoin, rejoinsOf } from './checker/rejoins.ts'
import { Crowd, type CrowdResult, userOf } from './crowd.ts'
import { pause } from './site.ts'

export interface WorkersSize {
  readonly clients: number
  readonly kills: number
  /** From one kill to the next, in ms. */
  readonly everyMs: number
  readonly seed: number
}

export interface WorkersResult extends CrowdResult {
  readonly seed: number
  readonly kills: number
  readonly rejoins: readonly Rejoin[]
}

const WORKERS = 3
const DOWN_MS = 1_000
/** Between two sends of one client, at most. */
const SEND_EVERY_MS = 2_000
const WINDOW_MS = 120_000

export async function runWorkers(size: WorkersSize): Promise<WorkersResult> {
  const cluster = await startCluster(WORKERS)
  const crowd = new Crowd(size.clients)
  const random = seeded(size.seed)
  try {
    const tokens = new Map<string, string[]>()
    for (let client = 0; client < size.clients; client++) {
      const user = userOf(client)
      const known = tokens.get(user) ?? [await mint(cluster, user)]
      tokens.set(user, known)
      // As for users: what is measured here is how long they are away.
      crowd.add({ url: `${cluster.wsUrl}/ws/rooms`, tokens: inTurn(known), retryScale: 1 })
    }
    await crowd.enter()
    let isOver = false
    const talking = crowd.actors.map((actor) => talk(actor, random, () => isOver))
    await killAll(cluster, crowd, size)
    isOver = true
    await Promise.all(talking)
    await crowd.comeToRest()
    const result = crowd.result({ resumeWindowMs: WINDOW_MS, refusals: ['unavailable'] })
    const rejoins = rejoinsOf(result.history.events)
    return { ...result, seed: size.seed, kills: size.kills, rejoins }
  } finally {
    await crowd.disconnect()
    await cluster.stop()
  }
}

async function mint(cluster: Cluster, user: string): Promise<string> {
  const [first] = cluster.workers
  const pair = await first?.control<{ access: string }>('mint', { user, lifetimeMs: 3_600_000 })
  if (pair === undefined) throw new Error('a cluster has at least one worker')
  return pair.access
}

async function talk(actor: Actor, random: () => number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await pause(random() * SEND_EVERY_MS)
    const room = actor.rooms[Math.floor(random() * actor.rooms.length)]
    if (room !== undefined) void actor.send(room)
  }
}

async function killAll(cluster: Cluster, crowd: Crowd, size: WorkersSize): Promise<void> {
  const restarts: Promise<void>[] = []
  for (let turn = 0; turn < size.kills; turn++) {
    const index = turn % cluster.workers.length
    const worker = cluster.workers[index]
    const fault = { kind: 'worker-killed', worker: index, downMs: DOWN_MS, deaf: 0 } as const
    crowd.recorder.record({ kind: 'fault', fault })
    await worker?.kill('SIGKILL')
    restarts.push(pause(DOWN_MS).then(() => worker?.restart()))
    await pause(size.everyMs)
  }
  await Promise.all(restarts)
}
