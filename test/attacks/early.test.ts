/** What it costs that somebody without a good token sends all it can before it is known. */
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import type { Age } from './modules.ts'
import { startPython } from './python.ts'
import { SERVERS, type ServerName, startTarget } from './target.ts'

beforeAll(() => ensurePythonEnv(), 60_000)

const FULL = process.env['AUTHED_SOCKET_ATTACKS'] === 'full'
const COUNT = FULL ? 1_000 : 200
/**
 * Of one socket beyond what a bare and silent one of the same server takes, in KiB: its frame, what the server reads
 * ahead before it can be paused, and as text that has one wide character four times as much.
 */
const MOST_KIB = 100

/** The largest frame that is kept, and a second one that is not to be read. */
const LARGEST = {
  ascii: ['{"type":"call","id":1,"data":"', 'x', 16_350, '"}'],
  'one wide character': ['{"type":"call","id":1,"data":"😀', 'x', 16_340, '"}'],
  objects: ['{"type":"call","id":1,"data":[', '{"":0},', 2_330, '0]}'],
} as const
type Kind = keyof typeof LARGEST

async function settled(read: () => Promise<number>): Promise<number> {
  for (let last = await read(); ; ) {
    await delay(300)
    const now = await read()
    if (Math.abs(now - last) < 1) return now
    last = now
  }
}

/** KiB for each of so many sockets. */
async function costOf(
  name: ServerName,
  age: Age,
  path: string,
  attack: { count: number; text: readonly unknown[]; frames: number },
): Promise<number> {
  const settings = { verify_ms: 60_000, waiting: 2 * COUNT, drain_ms: 0 }
  const target = await startTarget(name, { age, settings })
  const { port } = target
  // What the first one alone brings is not counted.
  const first = startPython('early.py', { port, path, ...attack, count: 3, frames: 0 })
  try {
    await first.line()
    const before = await settled(() => target.rss())
    const attacker = startPython('early.py', { port, path, ...attack })
    try {
      const { here } = await attacker.line<{ here: number }>()
      expect(here).toBe(attack.count)
      return (((await settled(() => target.rss())) - before) * 1_024) / attack.count
    } finally {
      attacker.stop()
    }
  } finally {
    first.stop()
    await target.stop()
  }
}

const SOME: readonly (readonly [ServerName, Kind])[] = [
  ['fastapi-uvicorn', 'ascii'],
  ['channels-daphne', 'objects'],
]
const ALL = SERVERS.flatMap((server) =>
  // The compiler widens the keys.
  (Object.keys(LARGEST) as Kind[]).map((kind) => [server, kind] as const),
)

describe('a socket that waits for its welcome costs little more than a bare one', () => {
  it.each(FULL ? ALL : SOME)('%s: %s', async (name, kind) => {
    const attack = { count: COUNT, text: LARGEST[kind], frames: 2 }
    const bare = await costOf(name, 'new', '/bare', { ...attack, text: ['', '', 0, ''], frames: 0 })
    const cost = await costOf(name, 'new', '/ws/rooms', attack)
    console.log(name, kind, 'KiB each:', cost.toFixed(1), 'bare:', bare.toFixed(1))
    expect(cost - bare).toBeLessThan(MOST_KIB)
  })
})

describe('as it was, it cost megabytes', () => {
  it.each<ServerName>(['fastapi-uvicorn', 'channels-daphne'])('%s', async (name) => {
    const text = ['{"type":"call","id":1,"method":"x","data":[', '{"":0},', 9_000, '0]}']
    const cost = await costOf(name, 'old', '/ws/rooms', { count: 4, text, frames: 64 })
    expect(cost).toBeGreaterThan(1_024)
  })
})
