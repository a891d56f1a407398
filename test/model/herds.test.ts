/** How many connections an outage costs a server, and how many of them come together. */
import { describe, expect, it } from 'vitest'
import { Bins } from './bins.ts'
import { type Life, liveAll } from './crowd.ts'
import { ids, MINUTE, SECOND } from './scripts.ts'

const CLIENTS = 2_000
const LOSS = MINUTE
const END = 3 * MINUTE

/** Everybody is cut off at once, and nobody listens for so long. */
const killed =
  (downMs: number, link: Life['link'] = {}) =>
  (roll: number): Life => ({
    connectsAt: roll * 30 * SECOND,
    endsAt: END,
    link,
    dial: (at) => {
      if (at < LOSS) return { closesAt: LOSS }
      return at < LOSS + downMs ? 'refused' : {}
    },
  })

const SEEDS = ids(20)
// 40,000 lives: seconds on an idle machine.
const PATIENCE_MS = 60_000

describe('2,000 clients whose server is away for 3.0 s', () => {
  it.each<[string, Life['link']]>([
    ['on silent sockets', {}],
    ['on sockets with a welcome', { greets: true, ownsRoom: false }],
  ])(
    'make at most 2.5 connections each, and 11 % of them come in 100 ms, %s',
    (_, link) => {
      for (const seed of SEEDS) {
        const bins = new Bins(LOSS, END)
        liveAll(CLIENTS, seed, bins, killed(3 * SECOND, link))
        expect(bins.total('dials', 'probes') / CLIENTS).toBeLessThanOrEqual(2.5)
        expect(bins.largest('dials', 'probes') / CLIENTS).toBeLessThanOrEqual(0.11)
        // Nobody is left behind, and nobody asks for a token.
        expect(bins.total('dials')).toBeGreaterThanOrEqual(CLIENTS)
        expect(bins.total('requests')).toBe(0)
      }
    },
    PATIENCE_MS,
  )

  it('are back after a short loss in less than a second, half of them', () => {
    const bins = new Bins(LOSS, LOSS + 850)
    const first = new Bins(LOSS, END)
    liveAll(CLIENTS, 1, first, killed(0))
    liveAll(CLIENTS, 1, bins, killed(0))
    expect(first.total('dials')).toBe(CLIENTS)
    expect(bins.total('dials')).toBeGreaterThan(CLIENTS * 0.45)
  })
})
