import { expect, it } from 'vitest'
import { sleepOf } from '../../../src/core/sleep.ts'

const HOUR_MS = 3_600_000
it.each([
  // The wall clock, the clock that may stop in sleep, and what it was.
  [1_000, 1_000, 'shown', 'none', 'as ever'],
  [3_500, 1_000, 'shown', 'none', 'a clock that was corrected'],
  [-HOUR_MS, 1_000, 'shown', 'none', 'a clock that was set back'],
  [30_000, 30_000, 'shown', 'none', 'a busy thread'],
  [5_000, 1_000, 'shown', 'short', 'a nap'],
  [60_000, 1_000, 'shown', 'short', 'a minute'],
  [62_000, 1_000, 'shown', 'long', 'more than a minute'],
  [8 * HOUR_MS, 1_000, 'shown', 'long', 'a night'],
  [8 * HOUR_MS, 1_000, 'hidden', 'long', 'a night of a hidden tab'],
  [62_000, 62_000, 'shown', 'long', 'a sleep in which both clocks go on'],
  [60_000, 60_000, 'shown', 'none', 'a minute, likewise'],
  [60_000, 60_000, 'hidden', 'none', 'timers once a minute'],
  [63_000, 63_000, 'hidden', 'none', 'timers once a minute, on a busy machine'],
  [62_000, 1_000, 'hidden', 'short', 'a short sleep of a hidden tab'],
  [HOUR_MS, HOUR_MS, 'hidden', 'long', 'a frozen tab'],
] as const)('%i and %i ms (%s) are %s: %s', (wentMs, ranMs, page, sleep, _) => {
  expect(sleepOf({ wentMs, ranMs, everyMs: 1_000 }, page)).toBe(sleep)
})
