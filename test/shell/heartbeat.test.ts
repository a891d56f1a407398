import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { beat } from '../../src/shell/heartbeat.ts'

const EVERY_MS = 25_000
const TIMEOUT_MS = 10_000
/** How often it looks: a quarter of the shorter of the two. */
const GLANCE_MS = TIMEOUT_MS / 4

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** @param answerMs how long a peer takes to answer a ping; `undefined`: it is dead */
function pulseOf(answerMs?: number, numbers = { everyMs: EVERY_MS, timeoutMs: TIMEOUT_MS }) {
  const since = Date.now()
  const pings: number[] = []
  const deaths: number[] = []
  const frames: string[] = []
  let lastFrameAt = Date.now()
  const hear = () => {
    lastFrameAt = Date.now()
  }
  const stop = beat(
    { frame: 'ping', ...numbers },
    {
      lastFrameAt: () => lastFrameAt,
      ping: (frame) => {
        frames.push(frame)
        pings.push(Date.now() - since)
        if (answerMs !== undefined) setTimeout(hear, answerMs)
      },
      dead: () => deaths.push(Date.now() - since),
    },
  )
  onTestFinished(stop)
  return { pings, deaths, frames, hear, stop }
}

describe('a heartbeat', () => {
  it('finds a dead peer within everyMs + timeoutMs and two glances', async () => {
    const { pings, deaths, frames } = pulseOf()
    await vi.advanceTimersByTimeAsync(EVERY_MS + TIMEOUT_MS + 2 * GLANCE_MS)
    expect(frames).toEqual(['ping'])
    expect(pings[0]).toBeGreaterThanOrEqual(EVERY_MS)
    expect(pings[0]).toBeLessThanOrEqual(EVERY_MS + GLANCE_MS)
    expect(deaths[0]).toBeGreaterThanOrEqual((pings[0] ?? 0) + TIMEOUT_MS)
    expect(deaths[0]).toBeLessThanOrEqual(EVERY_MS + TIMEOUT_MS + 2 * GLANCE_MS)
  })

  it('leaves a peer alone that answers just in time, for a day', async () => {
    const { pings, deaths } = pulseOf(TIMEOUT_MS - 1)
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect(deaths).toEqual([])
    expect(pings.length).toBeGreaterThan(86_400_000 / (EVERY_MS + TIMEOUT_MS + 2 * GLANCE_MS))
  })

  it('pings nobody who speaks by himself', async () => {
    const { pings, deaths, hear } = pulseOf()
    const talk = setInterval(hear, EVERY_MS - GLANCE_MS)
    await vi.advanceTimersByTimeAsync(3_600_000)
    clearInterval(talk)
    expect([pings, deaths]).toEqual([[], []])
  })

  it('takes any frame as the answer to its ping', async () => {
    const { pings, deaths, hear } = pulseOf()
    await vi.advanceTimersByTimeAsync(EVERY_MS + GLANCE_MS)
    expect(pings).toHaveLength(1)
    hear()
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS + GLANCE_MS)
    expect(deaths).toEqual([])
  })

  it('stops, and leaves no timer', async () => {
    const { pings, stop } = pulseOf()
    stop()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(pings).toEqual([])
  })

  it('arms one timer, whatever arrives', async () => {
    const { hear } = pulseOf()
    for (let frame = 0; frame < 1_000; frame += 1) hear()
    expect(vi.getTimerCount()).toBe(1)
  })

  it.each([1, 4, 10])('does not spin when it is told %i ms', async (ms) => {
    const setInterval = vi.spyOn(globalThis, 'setInterval')
    pulseOf(0, { everyMs: ms, timeoutMs: ms })
    expect(setInterval.mock.calls[0]?.[1]).toBeGreaterThanOrEqual(10)
  })

  it('is not fooled by a timer that comes once a minute, as in a hidden tab', async () => {
    const { pings, deaths } = pulseOf(50)
    for (let minute = 0; minute < 60; minute += 1) {
      // The clock runs, the timers do not; frames come when they come.
      vi.setSystemTime(Date.now() + 60_000 - GLANCE_MS - 100)
      await vi.advanceTimersByTimeAsync(GLANCE_MS + 100)
    }
    expect(deaths).toEqual([])
    expect(pings.length).toBeGreaterThan(50)
  })

  const HOUR_MS = 3_600_000
  it.each([
    ['before the ping', 0, -HOUR_MS],
    ['while a ping is out', EVERY_MS + GLANCE_MS, -HOUR_MS],
    ['before the ping', 0, HOUR_MS],
  ])('finds a dead peer when the clock was set %s (after %i ms, by %i ms)', async (_, at, by) => {
    const { deaths } = pulseOf()
    await vi.advanceTimersByTimeAsync(at)
    vi.setSystemTime(Date.now() + by)
    await vi.advanceTimersByTimeAsync(EVERY_MS + 2 * TIMEOUT_MS)
    expect(deaths.length).toBeGreaterThan(0)
  })

  it.each([-HOUR_MS, HOUR_MS])(
    'leaves a live peer alone when the clock is set by %i ms',
    async (by) => {
      const { deaths, pings } = pulseOf(50)
      for (let jump = 0; jump < 10; jump += 1) {
        await vi.advanceTimersByTimeAsync(EVERY_MS / 2)
        vi.setSystemTime(Date.now() + by)
        await vi.advanceTimersByTimeAsync(EVERY_MS)
      }
      expect(deaths).toEqual([])
      expect(pings.length).toBeGreaterThan(5)
    },
  )
})
