/** Clients whose clock is a day off, against a server whose tokens live for seconds. In real time. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createReferenceServer } from '../../servers/node/server.ts'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const DAY = 86_400_000
const LIFETIME_MS = 6_000
const FOR_MS = 20_000

interface Said {
  readonly now: number
  readonly state: string
  readonly states: readonly string[]
  readonly errors: readonly string[]
}

async function lived(shiftMs: number, renewal: string) {
  const server = await createReferenceServer()
  try {
    server.settings({ accessLifetimeMs: LIFETIME_MS, exactExp: true })
    const begun = Date.now()
    const preload = ['--import', 'tsx', '--import', here('shifted-clock.ts')]
    const args = [...preload, here('shifted-program.ts'), server.url, renewal, String(FOR_MS)]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, SHIFT_MS: String(shiftMs) },
    })
    const { dials, refreshRequests } = server.counts()
    const said = JSON.parse(stdout) as Said
    return { ...said, dials, refreshRequests, tookMs: Date.now() - begun }
  } finally {
    await server.close()
  }
}

const SHIFTS: readonly [string, number][] = [
  ['a day ahead', DAY],
  ['a day behind', -DAY],
  ['ahead by almost a life of its tokens', LIFETIME_MS - 200],
]

describe.concurrent('A client whose clock is', () => {
  it.concurrent.each(SHIFTS)(
    '%s renews once a lifetime on one socket (in-band)',
    async (_, shiftMs) => {
      const { now, state, errors, dials, refreshRequests, tookMs } = await lived(shiftMs, 'in-band')
      expect(Math.abs(now - Date.now() - shiftMs)).toBeLessThan(60_000)
      expect([state, errors, dials]).toEqual(['connected', [], 1])
      expect(refreshRequests).toBeGreaterThanOrEqual(2)
      // Renewed after four fifths of a life at the soonest, but for the first, whose age nobody knows.
      expect(refreshRequests).toBeLessThanOrEqual(2 + tookMs / (0.8 * LIFETIME_MS))
    },
  )

  it.concurrent.each(SHIFTS)(
    '%s renews once a lifetime before it dials (on-close)',
    async (_, shiftMs) => {
      const { state, states, errors, dials, refreshRequests, tookMs } = await lived(
        shiftMs,
        'on-close',
      )
      expect(states).not.toContain('failed')
      expect(state).not.toBe('failed')
      expect(errors).toEqual([])
      expect(dials).toBeGreaterThanOrEqual(3)
      expect(dials).toBeLessThanOrEqual(2 + tookMs / LIFETIME_MS)
      expect(Math.abs(dials - 1 - refreshRequests)).toBeLessThanOrEqual(1)
    },
  )
})
