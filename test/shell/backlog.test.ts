import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backlogOf } from '../../src/shell/backlog.ts'
import { type NativeSocket, pingerOf } from '../../src/shell/native-socket.ts'

const MIB = 2 ** 20

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a backlog', () => {
  it.each([
    ['nothing', 0, 0, 0, 0],
    ['a line of text', 100, 0, 0, 3],
    ['what has left meanwhile', 32_000, 0, 1_000, 0],
    ['the rest of it', 320_000, 0, 4_000, 6_000],
    ['no more than a kernel hides', 64 * MIB, 0, 0, 20_000],
    ['what is still to be seen', 64 * MIB, 4 * MIB, 0, 131_072],
    ['what another one has sent', 0, MIB, 0, 32_768],
  ])('of %s takes its time', (_, sent, buffered, afterMs, lagMs) => {
    const backlog = backlogOf(() => buffered)
    backlog.add('x'.repeat(sent))
    vi.advanceTimersByTime(afterMs)
    expect(Math.round(backlog.lagMs)).toBe(lagMs)
  })
})

/** Answers a ping so long after all that was sent before it. */
const lineOf = () => {
  const socket = Object.assign(new EventEmitter(), {
    readyState: 1,
    close: () => {},
    addEventListener: () => {},
    ping: () => {},
  })
  const backlog = backlogOf(() => 0)
  // As far as it is used.
  const pinger = pingerOf(socket as unknown as NativeSocket, backlog, () => {})
  return { backlog, ping: () => pinger?.ping(), pong: () => socket.emit('pong') }
}

describe('an answer', () => {
  it('shows that what was sent before the ping has arrived', () => {
    const { backlog, ping, pong } = lineOf()
    backlog.add('x'.repeat(MIB / 4))
    ping()
    vi.advanceTimersByTime(5_000)
    pong()
    expect(backlog.lagMs).toBe(0)
  })

  it('and nothing of what was sent since', () => {
    const { backlog, ping, pong } = lineOf()
    ping()
    vi.advanceTimersByTime(1_000)
    backlog.add('x'.repeat(MIB / 2))
    vi.advanceTimersByTime(1_000)
    pong()
    expect(backlog.lagMs).toBeCloseTo(MIB / 2 / 32 - 1_000, 0)
    // Nor does a second ping that is out count anew.
    ping()
    ping()
    vi.advanceTimersByTime(1_000)
    expect(backlog.lagMs).toBeCloseTo(MIB / 2 / 32 - 2_000, 0)
  })

  it.each([
    ['a fast line carries more from then on', 50, 40],
    ['one that took as long as was reckoned with is no faster', 8_000, 16_000],
    ['a slow one is not reckoned with as slower than the slowest', 60_000, 16_000],
  ])('%s', (_, answerMs, atMostMs) => {
    const { backlog, ping, pong } = lineOf()
    backlog.add('x'.repeat(256_000))
    ping()
    vi.advanceTimersByTime(answerMs)
    pong()
    backlog.add('x'.repeat(100_000))
    expect(backlog.lagMs).toBeLessThanOrEqual(atMostMs)
  })
})
