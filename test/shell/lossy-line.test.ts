/**
 * A day on a line that loses packets. By TCP's model a lost packet, and all that is behind it, comes when it is
 * sent again: after 2.2 s, then after twice as long, and so on.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Beat, beat } from '../../src/shell/heartbeat.ts'
import { seeded } from '../support/seeded.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ONE_WAY_MS = 1_000
const LOSS = 0.05
const AGAIN_MS = 2_200
const UPLOAD_BYTES = 2 ** 20
/** Bytes in a ms. */
const UPLOAD_RATE = 50

// A day is some fifty thousand timers.
vi.setConfig({ testTimeout: 60_000 })
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** One direction of one connection: nothing overtakes. */
class Direction {
  readonly #roll: () => number
  readonly #loss: number
  #freeAt = 0
  #lastAt = 0

  constructor(roll: () => number, loss: number) {
    this.#roll = roll
    this.#loss = loss
  }

  /** @returns how long it takes from now */
  carry(bytes: number): number {
    const now = Date.now()
    this.#freeAt = Math.max(this.#freeAt, now) + bytes / UPLOAD_RATE
    let at = this.#freeAt + ONE_WAY_MS
    for (let again = AGAIN_MS; this.#roll() < this.#loss; again *= 2) at += again
    this.#lastAt = Math.max(this.#lastAt, at)
    return this.#lastAt - now
  }
}

interface Day {
  readonly seed: number
  readonly pace: { everyMs: number; timeoutMs: number }
  readonly loss: number
  readonly wakes: number
  /** What the kernel takes at once is on its way all the same. */
  readonly lag: 'told' | 'hidden'
}

/** @returns how often a link that was alive was left */
const alarmsOf = ({ seed, pace, loss, wakes, lag }: Day): number => {
  const roll = seeded(seed)
  let alarms = 0
  let current: Beat | undefined
  let up = new Direction(roll, loss)
  let leavesAt = 0
  const open = () => {
    up = new Direction(roll, loss)
    const down = new Direction(roll, loss)
    const mine: Beat = beat({
      ...pace,
      handshakeMs: 2 * ONE_WAY_MS,
      ping: () => {
        const arrivesMs = up.carry(6)
        setTimeout(() => {
          const answersMs = down.carry(6)
          setTimeout(() => mine.heard(), answersMs)
        }, arrivesMs)
      },
      dead: () => {
        alarms += 1
        open()
      },
      lagMs: () => (lag === 'told' ? Math.max(0, leavesAt - Date.now()) : 0),
    })
    current = mine
  }
  open()
  for (let n = 0; n < wakes; n += 1) setTimeout(() => current?.check(), roll() * DAY_MS)
  setTimeout(() => {
    leavesAt = Date.now() + UPLOAD_BYTES / 32
    up.carry(UPLOAD_BYTES)
  }, 12 * HOUR_MS)
  vi.advanceTimersByTime(DAY_MS)
  current?.stop()
  vi.clearAllTimers()
  return alarms
}

/** The distribution of hundreds of days is in docs/reliability.md. */
const SEEDS = Array.from(
  { length: Number(process.env['AUTHED_SOCKET_DAYS'] ?? 2) },
  (_, i) => i + 1,
)

const PACES = [
  ['pings of the protocol', { everyMs: 8_000, timeoutMs: 10_000 }],
  ['a heartbeat of 25 s', { everyMs: 25_000, timeoutMs: 10_000 }],
] as const

describe.each(PACES)('a day with %s', (_, pace) => {
  it.each(SEEDS)('has one false alarm at most, by seed %i', (seed) => {
    expect(alarmsOf({ seed, pace, loss: LOSS, wakes: 200, lag: 'told' })).toBeLessThanOrEqual(1)
  })

  it('has none on a line that loses nothing', () => {
    expect(alarmsOf({ seed: 1, pace, loss: 0, wakes: 200, lag: 'told' })).toBe(0)
  })
})

it('an upload that is not reckoned with is a false alarm', () => {
  const [[, pace]] = PACES
  expect(alarmsOf({ seed: 1, pace, loss: 0, wakes: 0, lag: 'hidden' })).toBe(1)
})
