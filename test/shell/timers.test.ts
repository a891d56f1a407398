import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { callAt, moment } from '../../src/shell/timers.ts'

const LONGEST_MS = 2 ** 31 - 1
const DAY_MS = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('callAt', () => {
  it.each([1, 1_000, DAY_MS, LONGEST_MS - 1, LONGEST_MS, LONGEST_MS + 1, 90 * DAY_MS])(
    'calls back after %i ms, once, and not before',
    async (ms) => {
      let calls = 0
      callAt(Date.now() + ms, () => {
        calls += 1
      })
      await vi.advanceTimersByTimeAsync(ms - 1)
      expect(calls).toBe(0)
      await vi.advanceTimersByTimeAsync(1)
      expect(calls).toBe(1)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('asks the platform for no more than it can', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout')
    callAt(Date.now() + 1_000 * DAY_MS, () => {})
    expect(setTimeout.mock.calls[0]?.[1]).toBe(LONGEST_MS)
  })

  it.each([-1, -DAY_MS, 0])('calls back at once, yet not before it returns (%i ms)', async (ms) => {
    let calls = 0
    callAt(Date.now() + ms, () => {
      calls += 1
    })
    expect(calls).toBe(0)
    await vi.advanceTimersByTimeAsync(0)
    expect(calls).toBe(1)
  })

  it.each([0, 1, 2])('can be stopped in its part %i', async (parts) => {
    let calls = 0
    const stop = callAt(Date.now() + 3 * LONGEST_MS, () => {
      calls += 1
    })
    await vi.advanceTimersByTimeAsync(parts * LONGEST_MS)
    stop()
    stop()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(4 * LONGEST_MS)
    expect(calls).toBe(0)
  })

  it('never calls back for an instant that never comes', async () => {
    let calls = 0
    const stop = callAt(Number.POSITIVE_INFINITY, () => {
      calls += 1
    })
    await vi.advanceTimersByTimeAsync(3 * LONGEST_MS)
    expect(calls).toBe(0)
    stop()
  })
})

describe('moment', () => {
  it('is the time of the clock, and a number from 0 to 1 that is drawn anew', () => {
    const moments = Array.from({ length: 1_000 }, moment)
    expect(new Set(moments.map(({ at }) => at))).toEqual(new Set([Date.now()]))
    expect(new Set(moments.map(({ roll }) => roll)).size).toBeGreaterThan(990)
    for (const { roll } of moments) {
      expect(roll).toBeGreaterThanOrEqual(0)
      expect(roll).toBeLessThan(1)
    }
  })
})
