/** What forgets the backoff: that a connection lasted, and nothing that a server says. */
import { describe, expect, it } from 'vitest'
import type { LinkEvent, LinkLimits, LinkState } from '../../src/core/link-state.ts'
import { swappingMachine } from '../../src/core/link-swap.ts'
import {
  accept,
  dialInTurn,
  HOUR,
  ids,
  MINUTE,
  opaque,
  renewing,
  SECOND,
  untilExpiry,
} from './scripts.ts'
import { LINK_LIMITS, type Options, type Server, Simulator, type Step } from './simulator.ts'

const SEEDS = ids(20)
const OPEN_MS = 80

/** Lets everybody in, by a word or by its silence, and drops them so long after the open. */
const dropping =
  (afterMs: number, code: number, word?: 'greet' | 'frame'): Server =>
  () => [
    { afterMs: OPEN_MS, do: 'open' },
    ...(word ? [{ afterMs: OPEN_MS + 5, do: word } satisfies Step] : []),
    { afterMs: OPEN_MS + afterMs, do: 'close', code },
  ]

const GREETS: Partial<LinkLimits> = { greets: true, ownsRoom: false }

/** Each way of being let in. */
const WAYS: readonly [string, Partial<Options>, 'greet' | 'frame' | undefined][] = [
  ['an open', {}, undefined],
  ['a first frame', {}, 'frame'],
  ['a greeting', { link: { greets: true } }, 'greet'],
  ['a welcome', { link: GREETS }, 'greet'],
  [
    'a welcome, and tokens that are renewed in-band',
    { link: { ...GREETS, renewal: 'in-band' }, renewals: 'taken' },
    'greet',
  ],
  ['the answer to a first message', { link: { ...GREETS, answerTimeoutMs: 5_000 } }, 'greet'],
  [
    'a welcome, and tokens that are renewed by a second socket',
    { machine: swappingMachine, link: { ...GREETS, renewal: { kind: 'swap' } } },
    'greet',
  ],
]

const gaps = ({ dials }: Simulator): number[] =>
  dials.slice(1).map(({ at }, n) => at - (dials[n]?.at ?? 0))

const told = (options: Partial<Options> & { server: Server }, seed: number): Simulator =>
  new Simulator({ source: renewing(), host: () => 'answers', seed, ...options })

describe.each(WAYS)('a server that lets in with %s, and drops', (_, options, word) => {
  it.each([
    [0.03, 1006],
    [0.03, 1011],
    [0.03, 1012],
    [1, 1000],
    [4.8, 1006],
  ])('after %d s, with %i, is dialed as rarely as one that is away', (seconds, code) => {
    for (const seed of SEEDS) {
      const sim = told({ ...options, server: dropping(seconds * SECOND, code, word) }, seed)
      sim.connect(0).run(HOUR)
      // Ten dials of the growing backoff, then about one a minute.
      expect(sim.dials.length).toBeLessThan(75)
      expect(Math.min(...gaps(sim).slice(10))).toBeGreaterThanOrEqual(45 * SECOND)
      expect(sim.session.phase.kind).toBe('held')
    }
  })

  it('after 6 s, for ever, is dialed with the first delay each time', () => {
    for (const seed of SEEDS) {
      const sim = told({ ...options, server: dropping(6 * SECOND, 1006, word) }, seed)
      sim.connect(0).run(HOUR)
      for (const gap of gaps(sim)) {
        expect(gap).toBeGreaterThanOrEqual(6 * SECOND + OPEN_MS + 199)
        expect(gap).toBeLessThanOrEqual(6 * SECOND + OPEN_MS + 1_501)
      }
      expect(sim.requests).toHaveLength(1)
    }
  })
})

describe('a welcome proves the credential:', () => {
  it('a server that welcomes and drops costs no refresh and no probe', () => {
    for (const seed of SEEDS) {
      const sim = told({ link: GREETS, server: dropping(30, 1006, 'greet') }, seed)
      sim.connect(0).run(HOUR)
      expect([sim.requests.length, sim.probes.length]).toEqual([1, 0])
    }
  })

  it('earlier silence is forgotten with it', () => {
    const silent: Server = () => [{ afterMs: OPEN_MS, do: 'fail' }]
    const server = dialInTurn(silent, silent, silent, dropping(10 * SECOND, 1006, 'greet'))
    const sim = told({ link: GREETS, server, host: () => 'gone' }, 1)
    sim.connect(0)
    while (sim.dials.length < 4) sim.run(100)
    sim.run(200)
    expect(sim.link(0)).toMatchObject({ kind: 'connected', trust: 'settled' })
    expect(sim.link(0).memory).toMatchObject({ failures: 3 })
    expect(sim.link(0).memory.suspectSince).toBeUndefined()
    sim.run(5 * SECOND)
    expect(sim.link(0).memory.failures).toBe(0)
  })
})

describe('what is no failure of the connection', () => {
  it.each<[string, Partial<LinkLimits>]>([
    ['of its own', {}],
    ['of a server that greets', GREETS],
  ])('is the end of a 4 s token: one dial and one request a life, on a socket %s', (_, link) => {
    for (const seed of SEEDS) {
      const server: Server = (dial) => {
        const steps = untilExpiry(dial)
        return link.greets
          ? [...steps.slice(0, 1), { afterMs: 85, do: 'greet' }, ...steps.slice(1)]
          : steps
      }
      const sim = told({ source: renewing(opaque(4 * SECOND)), link, server }, seed)
      sim.connect(0).run(10 * MINUTE)
      const lives = (10 * MINUTE) / (4 * SECOND)
      expect(sim.dials.length).toBeGreaterThan(lives * 0.9)
      expect(sim.dials.length).toBeLessThanOrEqual(lives + 1)
      expect(sim.requests.length).toBe(sim.dials.length)
    }
  })

  it.each(['reconnect', 'redial'] as const)('is a %s', (type) => {
    const sim = told({ link: GREETS, server: dropping(HOUR, 1006, 'greet') }, 1)
    sim.connect(0)
    for (const n of ids(20)) sim.at((n + 1) * SECOND, () => sim.tell(0, { type }))
    sim.run(30 * SECOND)
    expect(sim.dials).toHaveLength(21)
    expect(sim.link(0).memory.failures).toBe(0)
  })

  it.each([1012, 1013])('is %i after a long life: the first dial is spread over 5 s', (code) => {
    const waits = ids(200).flatMap((seed) => {
      const server = dialInTurn(dropping(MINUTE, code, 'greet'), accept)
      const sim = told({ link: GREETS, server }, seed)
      return gaps(sim.connect(0).run(2 * MINUTE)).slice(0, 1)
    })
    const [low, high] = [Math.min(...waits), Math.max(...waits)].map((at) => at - MINUTE - OPEN_MS)
    expect(low).toBeLessThan(500)
    expect(high).toBeGreaterThan(4_500)
    expect(high).toBeLessThanOrEqual(5_001)
  })

  it.each(['joining', 'joined'] as const)(
    'is a swap: the second socket (%s) takes over the failures, and has to last itself',
    (kind) => {
      const limits: LinkLimits = { ...LINK_LIMITS, ...GREETS, renewal: { kind: 'swap' } }
      const [first, second] = [1, 2].map((id) => ({ id, receivedAt: 0 }))
      if (!first || !second) throw new Error('two credentials')
      const swapping: LinkState = {
        kind: 'connected',
        memory: { everConnected: true, failures: 3, dials: 4, suspectSince: 0, settledOn: 1 },
        credential: first,
        openedAt: 0,
        trust: 'settled',
        renewal: {
          kind: 'swapping',
          successor: { kind, credential: second, since: 800, openedAt: 900, greetedAt: 950 },
        },
      }
      const lost = { verdict: 'retry', problem: { kind: 'timeout' } } as const
      const end: LinkEvent = { type: 'closed', at: 1_000, roll: 0, dial: 4, ...lost }
      const alone = swappingMachine.transition(swapping, end, limits)
      expect(alone).toMatchObject({
        kind: 'connected',
        memory: { failures: 3, suspectSince: undefined, settledOn: 2 },
      })
      const lasted = { kind: 'timer', event: 'settled', at: 5_900, key: 'settled 5900' }
      expect(swappingMachine.workOf(alone, limits)).toContainEqual(lasted)
      const ring: LinkEvent = { type: 'settled', at: 5_900, roll: 0 }
      const settled = swappingMachine.transition(alone, ring, limits)
      expect(settled.memory.failures).toBe(0)
      expect(swappingMachine.workOf(settled, limits)).not.toContainEqual(lasted)
    },
  )
})
