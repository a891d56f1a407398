import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { type Front, startFront } from '../support/front.ts'

const PROGRAM = fileURLToPath(new URL('exit-program.ts', import.meta.url))

interface Outcome {
  before: string
  after: string
  resolvedMs: number
  exitMs: number
  rejections: string[]
  held: string[]
}

let server: ReferenceServer
let front: Front

beforeAll(async () => {
  server = await createReferenceServer()
  front = await startFront({ target: server.port })
})
afterAll(async () => {
  await front.close()
  await server.close()
})

/** Resolves when the program has ended by itself. */
async function run(situation: string, onFreeze: () => Promise<void> = async () => {}) {
  const { access } = await server.mint({ user: 'alice' })
  const child = fork(PROGRAM, [`${front.wsUrl}/ws/plain`, situation, access], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      output += text
    })
  }
  child.on('message', () => {
    onFreeze().then(() => child.send('frozen'))
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^\{.*\}\n$/) })
  return JSON.parse(output) as Outcome
}

describe('a process after disconnect()', () => {
  it.each([
    { situation: 'at-once', mode: 'pass', before: 'authenticating' },
    { situation: 'authenticating', mode: 'pass', before: 'authenticating' },
    { situation: 'connecting', mode: 'black-hole', before: 'connecting' },
    { situation: 'connected', mode: 'pass', before: 'connected' },
    { situation: 'waiting', mode: 'bad-gateway', before: 'waiting' },
    { situation: 'waiting', mode: 'absent', before: 'waiting' },
    { situation: 'waiting', mode: 'reset', before: 'waiting' },
  ] as const)('ends within 100 ms when it was $situation ($mode)', async (row) => {
    const exits: number[] = []
    // A busy machine only adds to the time, so the best of three tells.
    while (exits.length < 3 && !exits.some((ms) => ms < 100)) {
      await front.setMode(row.mode)
      const outcome = await run(row.situation)
      await front.reset()
      expect(outcome).toMatchObject({
        before: row.before,
        after: 'idle',
        rejections: [],
        held: [],
      })
      exits.push(outcome.exitMs)
    }
    expect(Math.min(...exits)).toBeLessThan(100)
  })

  it('ends soon when the peer is dead, and disconnect() does not wait for it (N03)', async () => {
    const outcome = await run('dead', () => front.setMode('black-hole'))
    await front.reset()
    expect(outcome).toMatchObject({ before: 'connected', after: 'idle', rejections: [], held: [] })
    // The peer would be waited for 30 s.
    expect(outcome.resolvedMs).toBeLessThan(1_000)
    expect(outcome.exitMs).toBeLessThan(10_000)
  })
})
