import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Lifetime } from '../../servers/node/rooms/lifetime.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const AHEAD_MS = 300
const LIFETIME_MS = 1_000

/** What is announced, when the clock has gone so much further than the timers. */
function announced(clockAheadMs: number, lifetimeMs: number): number | undefined {
  const told: number[] = []
  const lifetime = new Lifetime({
    aheadMs: () => AHEAD_MS,
    expiring: (inMs) => told.push(inMs),
    ended: () => {},
  })
  lifetime.begin(Date.now() + lifetimeMs)
  vi.setSystemTime(Date.now() + clockAheadMs)
  vi.advanceTimersToNextTimer()
  lifetime.stop()
  return told[0]
}

it.each([
  ['what was asked for, by a timer that is punctual', 0, LIFETIME_MS, 300],
  ['no more, by a timer that rings before its time', -1, LIFETIME_MS, 300],
  ['what is left, by a timer that rings late', 120, LIFETIME_MS, 180],
  ['nothing, by one that rings behind the end', 400, LIFETIME_MS, 0],
  ['half of a short life', 0, 400, 200],
  ['no more than half of it, by one that rings before its time', -1, 400, 200],
])('the end of a token is announced with %s', (_, clockAheadMs, lifetimeMs, inMs) => {
  expect(announced(clockAheadMs, lifetimeMs)).toBe(inMs)
})
