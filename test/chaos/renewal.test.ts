/** A slice of `npm run test:renewal`: both ways beside each other. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startSlowClock } from '../support/slow-clock.ts'
import { renew, type Way } from './renewal-run.ts'

const RENEWALS = 100

let stopClock: () => Promise<void>
beforeAll(() => {
  stopClock = startSlowClock()
})
afterAll(() => stopClock())

it.concurrent.each([
  // A dial for each client, and one for each renewal that was done when the talking ended.
  ['swap', RENEWALS],
  ['in-band', 0],
] satisfies [Way, number][])(
  `${RENEWALS} renewals by %s lose nothing, double nothing, and leave no room for a moment`,
  async (way, swaps) => {
    const { dials, renewals, acknowledged, delivered, seconds, ...wrong } = await renew({
      way,
      renewals: RENEWALS,
      clients: 16,
      lifetimeMs: 1_000,
      seed: 1,
      limitMs: 120_000,
    })
    expect(renewals).toBeGreaterThanOrEqual(RENEWALS)
    expect(delivered).toBeGreaterThan(acknowledged)
    expect(dials).toBeGreaterThanOrEqual(swaps)
    if (way === 'in-band') expect(dials).toBe(16)
    const nothing = { lost: 0, doubled: 0, outOfOrder: 0, outsideMs: 0, gaps: 0, errors: [] }
    expect(wrong).toEqual({ way, ...nothing })
  },
)
