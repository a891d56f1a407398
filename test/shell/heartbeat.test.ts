import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Beat, beat } from '../../src/shell/heartbeat.ts'

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

interface Numbers {
  readonly everyMs?: number
  readonly timeoutMs?: number | undefined
  readonly handshakeMs?: number
}

/** @param answerMs how long a peer takes to answer a ping; `undefined`: it is dead */
function pulseOf(answerMs?: number, numbers: Numbers = {}) {
  const { everyMs = EVERY_MS } = numbers
  const timeoutMs = 'timeoutMs' in numbers ? numbers.timeoutMs : TIMEOUT_MS
  const since = Date.now()
  const pings: number[] = []
  const deaths: number[] = []
  const line = { lagMs: 0, bytes: 0, answerMs }
  let seen = 0
  const pulse: Beat = beat({
    everyMs,
    timeoutMs,
    handshakeMs: numbers.handshakeMs ?? 0,
    ping: () => {
      pings.push(Date.now() - since)
      if (line.answerMs !== undefined) setTimeout(pulse.heard, line.answerMs)
    },
    dead: () => deaths.push(Date.now() - since),
    lagMs: () => line.lagMs,
    stirred: () => {
      const before = seen
      seen = line.bytes
      return seen !== before
    },
  })
  onTestFinished(pulse.stop)
  return { pings, deaths, line, ...pulse }
}

describe('a heartbeat', () => {
  it('finds a dead peer within everyMs + timeoutMs and two glances', async () => {
    const { pings, deaths } = pulseOf()
    await vi.advanceTimersByTimeAsync(EVERY_MS + TIMEOUT_MS + 2 * GLANCE_MS)
    expect(pings).toHaveLength(1)
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
    const { pings, deaths, heard } = pulseOf()
    const talk = setInterval(heard, EVERY_MS - GLANCE_MS)
    await vi.advanceTimersByTimeAsync(3_600_000)
    clearInterval(talk)
    expect([pings, deaths]).toEqual([[], []])
  })

  it('takes any frame as the answer to its ping', async () => {
    const { pings, deaths, heard } = pulseOf()
    await vi.advanceTimersByTimeAsync(EVERY_MS + GLANCE_MS)
    expect(pings).toHaveLength(1)
    heard()
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
    const { heard } = pulseOf()
    for (let frame = 0; frame < 1_000; frame += 1) heard()
    expect(vi.getTimerCount()).toBe(1)
  })

  it.each([1, 4, 10])('does not spin when it is told %i ms', async (ms) => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout')
    pulseOf(undefined, { everyMs: ms, timeoutMs: ms })
    await vi.advanceTimersByTimeAsync(100)
    for (const [, delay] of setTimeout.mock.calls) expect(delay).toBeGreaterThanOrEqual(10)
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

/** All pings until then, in ms from the open. */
const pingsUntil = async (ms: number, answerMs: number | undefined, numbers: Numbers) => {
  const { pings, deaths } = pulseOf(answerMs, numbers)
  await vi.advanceTimersByTimeAsync(ms)
  return { pings, deaths }
}

describe('a heartbeat of a server that reads and does not answer', () => {
  it.each([
    ['no timeout', undefined, 20],
    ['a long one', 120_000, 20],
    ['the longest', 2 ** 31 - 1, 20],
  ])('goes on each everyMs with %s', async (_, timeoutMs, count) => {
    const { pings, deaths } = await pingsUntil(100_000, undefined, { everyMs: 5_000, timeoutMs })
    expect(pings).toEqual(Array.from({ length: count }, (_, i) => 5_000 * (i + 1)))
    expect(deaths).toEqual([])
  })

  it('leaves it after the timeout from the first one, and not before', async () => {
    const { pings, deaths } = await pingsUntil(60_000, undefined, {
      everyMs: 5_000,
      timeoutMs: 12_000,
    })
    expect(pings).toEqual([5_000, 10_000, 15_000])
    expect(deaths).toEqual([17_050])
  })
})

describe('a look that is late', () => {
  /** The thread is busy: the clock goes on, then the timer rings, then what waited has its turn. */
  const busy = async (ms: number, then: () => void = () => {}) => {
    vi.setSystemTime(Date.now() + ms)
    await vi.advanceTimersByTimeAsync(250)
    then()
  }
  const numbers = { everyMs: 1_000, timeoutMs: 1_000 }

  it.each([100, 760, 800, 1_500, 10_000, 3_600_000])(
    'gives an answer its turn after %i ms',
    async (ms) => {
      const { pings, deaths, heard } = pulseOf(undefined, numbers)
      await vi.advanceTimersByTimeAsync(1_000)
      expect(pings).toHaveLength(1)
      await busy(ms, heard)
      await vi.advanceTimersByTimeAsync(500)
      expect(deaths).toEqual([])
    },
  )

  it('finds a dead peer all the same, though each look is late', async () => {
    const { deaths } = pulseOf(undefined, numbers)
    for (let minute = 0; minute < 4 && deaths.length === 0; minute += 1) await busy(60_000)
    expect(deaths).toHaveLength(1)
  })

  it('is not measured as a slow answer', async () => {
    const { deaths, line, heard } = pulseOf(undefined, numbers)
    await vi.advanceTimersByTimeAsync(1_000)
    await busy(3_600_000, heard)
    line.answerMs = undefined
    const before = Date.now()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(deaths).toHaveLength(1)
    expect(before).toBeLessThan(Date.now())
  })
})

describe('patience', () => {
  it.each([
    ['a fast line', 50, 10_000],
    ['a slow line without loss', 2_000, 10_000],
    ['an answer that was sent again', 4_200, 21_000],
    ['one that was sent again twice', 8_600, 43_000],
    ['the slowest', 17_400, 60_000],
  ])('after %s (%i ms) is %i ms', async (_, answerMs, patienceMs) => {
    const { line, pings, deaths, heard } = pulseOf(undefined, { everyMs: 20_000 })
    await vi.advanceTimersByTimeAsync(20_000)
    vi.setSystemTime(Date.now())
    if (answerMs > TIMEOUT_MS) {
      // It can only be seen to be so slow where it was waited for so long.
      await vi.advanceTimersByTimeAsync(4_200)
      heard()
      await vi.advanceTimersByTimeAsync(20_000)
    }
    await vi.advanceTimersByTimeAsync(answerMs)
    heard()
    const asked = pings.length
    line.answerMs = undefined
    await vi.advanceTimersByTimeAsync(20_000 + patienceMs - 1)
    expect(deaths).toEqual([])
    await vi.advanceTimersByTimeAsync(100)
    expect(deaths).toEqual([(pings[asked] ?? 0) + patienceMs + 50])
  })

  it('grows by what has to leave before the ping', async () => {
    const { line, deaths } = pulseOf()
    line.lagMs = 30_000
    await vi.advanceTimersByTimeAsync(EVERY_MS + TIMEOUT_MS + 29_000)
    expect(deaths).toEqual([])
    await vi.advanceTimersByTimeAsync(1_100)
    expect(deaths).toHaveLength(1)
  })

  it('is there anew when bytes came that are no frame yet, and ends when they end', async () => {
    const { line, deaths } = pulseOf()
    const download = setInterval(() => {
      line.bytes += 1
    }, 1_000)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(deaths).toEqual([])
    clearInterval(download)
    await vi.advanceTimersByTimeAsync(2 * (EVERY_MS + TIMEOUT_MS))
    expect(deaths).toHaveLength(1)
  })
})

describe('a check', () => {
  it.each([
    ['nothing is known of the line', 0, undefined, 3_000],
    ['it opened fast', 100, undefined, 3_000],
    ['it opened slowly', 2_500, undefined, 7_500],
    ['it opened at the last moment', 9_900, undefined, 10_000],
    ['answers are fast', 100, 50, 3_000],
    ['answers are slow', 100, 2_000, 6_000],
    ['answers are very slow', 100, 8_000, 10_000],
  ])('where %s (%i, %s ms) waits %i ms', async (_, handshakeMs, answerMs, waitMs) => {
    const { line, pings, deaths, check } = pulseOf(answerMs, { handshakeMs })
    await vi.advanceTimersByTimeAsync(answerMs === undefined ? 0 : EVERY_MS + answerMs)
    line.answerMs = undefined
    const from = pings.length
    expect(check()).toBe(true)
    expect(pings).toHaveLength(from + 1)
    await vi.advanceTimersByTimeAsync(waitMs)
    expect(deaths).toEqual([])
    await vi.advanceTimersByTimeAsync(50)
    expect(deaths).toHaveLength(1)
  })

  it('is one, however many reasons there are, and none of them prolongs it', async () => {
    const { pings, deaths, check } = pulseOf()
    for (let second = 0; second < 3; second += 1) {
      check()
      check()
      await vi.advanceTimersByTimeAsync(1_000)
    }
    await vi.advanceTimersByTimeAsync(50)
    expect([pings, deaths]).toEqual([[0], [3_050]])
  })

  it('takes the place of a ping that was out when the machine fell asleep', async () => {
    const { deaths, check, heard } = pulseOf()
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    vi.setSystemTime(Date.now() + 3_600_000)
    check()
    await vi.advanceTimersByTimeAsync(2_900)
    expect(deaths).toEqual([])
    heard()
    await vi.advanceTimersByTimeAsync(EVERY_MS - 1_000)
    expect(deaths).toEqual([])
  })

  it('is over with the answer, and the next one is new', async () => {
    const { pings, deaths, check } = pulseOf(50)
    for (let n = 0; n < 5; n += 1) {
      check()
      await vi.advanceTimersByTimeAsync(5_000)
    }
    expect(pings).toHaveLength(5)
    expect(deaths).toEqual([])
  })

  it('tells nothing where no answer is expected', async () => {
    const { pings, check } = pulseOf(undefined, { timeoutMs: undefined })
    expect(check()).toBe(false)
    expect(pings).toEqual([])
  })
})
