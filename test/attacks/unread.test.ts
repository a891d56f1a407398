/** A client that sends and reads nothing is read no further: what waits for it stays with it. */
import { beforeAll, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import type { Age } from './modules.ts'
import { startPython } from './python.ts'
import { type ServerName, startTarget } from './target.ts'

beforeAll(() => ensurePythonEnv(), 60_000)

const MB = 1_048_576

/** What the server takes and what it costs, in MB. No budget: it would end the connection first. */
async function unread(name: ServerName, age: Age) {
  const settings = { frames_per_second: null, bytes_per_second: null, stall_ms: 60_000 }
  const target = await startTarget(name, { age, settings })
  const { port } = target
  const attacker = startPython('unread.py', { port, bytes: 60_000, seconds: 3 })
  try {
    const before = await target.rss()
    const { taken } = await attacker.line<{ taken: number }>()
    return { taken: taken / MB, memory: (await target.rss()) - before }
  } finally {
    attacker.stop()
    await target.stop()
  }
}

it.each<ServerName>(['fastapi-uvicorn', 'channels-daphne'])('%s', async (name) => {
  expect((await unread(name, 'new')).memory).toBeLessThan(50)
})

it('as it was, daphne took all', async () => {
  expect((await unread('channels-daphne', 'old')).memory).toBeGreaterThan(50)
})
