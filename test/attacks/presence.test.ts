/** Nobody is thrown out of a room, or kept from it, by what another user shows there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import { startRedis, type TestRedis } from '../support/redis.ts'
import type { Age } from './modules.ts'
import { askPython, startPython } from './python.ts'
import { type ServerName, startTarget } from './target.ts'

let redis: TestRedis
beforeAll(async () => {
  ;[redis] = await Promise.all([startRedis(), ensurePythonEnv()])
}, 60_000)
afterAll(() => redis?.stop())

const FULL = process.env['AUTHED_SOCKET_ATTACKS'] === 'full'

interface Guest {
  readonly answer?: string
  readonly bytes?: number
  readonly members?: number
  readonly pong?: string
}

interface Bomb {
  readonly count: number
  readonly bytes: number
}

type Store = 'memory' | 'redis'

async function bombed(name: ServerName, store: Store, age: Age, bomb: Bomb) {
  const url = store === 'redis' ? redis.url : undefined
  const target = await startTarget(name, { age, redis: url })
  const { port } = target
  const room = `lobby ${name} ${age} ${bomb.bytes}`
  const attacker = startPython('bomb.py', { port, room, ...bomb })
  try {
    const codes = await attacker.line<Record<string, number>>()
    return { codes, guest: await askPython<Guest>('guest.py', { port, room }) }
  } finally {
    attacker.stop()
    await target.stop()
  }
}

const BOMBS: readonly (readonly [string, Bomb, readonly string[]])[] = [
  ['large entries', { count: 42, bytes: 60_000 }, ['too-large']],
  ['many entries', { count: 60, bytes: 900 }, ['joined', 'too-large']],
]
const SERVERS: readonly (readonly [ServerName, Store])[] = FULL
  ? [
      ['fastapi-uvicorn', 'memory'],
      ['fastapi-uvicorn', 'redis'],
      ['channels-uvicorn', 'memory'],
      ['channels-daphne', 'memory'],
      ['channels-daphne', 'redis'],
    ]
  : [
      ['fastapi-uvicorn', 'memory'],
      ['channels-daphne', 'redis'],
    ]

describe.each(SERVERS)('%s, rooms in %s', (name, store) => {
  it.each(BOMBS)('%s', async (what, bomb, answers) => {
    const { codes, guest } = await bombed(name, store, 'new', bomb)
    if (FULL) console.log(name, store, what, JSON.stringify({ codes, guest }))
    expect(Object.keys(codes).sort()).toEqual(answers)
    expect(guest).toMatchObject({ answer: 'joined', pong: 'pong' })
    expect(guest.bytes).toBeLessThan(65_536)
  })
})

it.each<readonly [ServerName, number]>([
  ['fastapi-uvicorn', 42],
  ...(FULL ? ([['channels-daphne', 20]] as const) : []),
])('as it was, %s threw the guest out, or left it without an answer', async (name, count) => {
  const { guest } = await bombed(name, 'memory', 'old', { count, bytes: 60_000 })
  expect(guest).not.toHaveProperty('answer')
})
