/** 1008 is said of bad tokens, and of too many messages: what it means depends on how far the socket had come. */
import { describe, expect, it } from 'vitest'
import { swappingMachine } from '../../src/core/link-swap.ts'
import {
  accept,
  acceptThen,
  constant,
  dialInTurn,
  everFailed,
  forced,
  HOUR,
  ids,
  inTurn,
  jwt,
  kinds,
  MINUTE,
  opaque,
  perLink,
  renewing,
  SECOND,
  saying,
  secretive,
  tell,
} from './scripts.ts'
import { type Options, type Server, Simulator, type Source, type Step } from './simulator.ts'

const OPEN: Step = { afterMs: 80, do: 'open' }

/** Welcomes, and closes so long after it. */
const welcomeThen =
  (code: number, ms: number): Server =>
  () => [OPEN, { afterMs: 90, do: 'greet' }, { afterMs: 90 + ms, do: 'close', code }]

/** Takes each value for so long from its first dial on, then closes with the code, and rejects it from then on. */
const revoking = (code: number, lifeMs: number): Server => {
  const since = new Map<string, number>()
  return ({ at, token }) => {
    const first = since.get(token.value) ?? at
    since.set(token.value, first)
    return [OPEN, { afterMs: Math.max(81, first + lifeMs - at), do: 'close', code }]
  }
}

/** Closes at the token's end, before it too where it had ended. */
const atItsEnd =
  (code: number): Server =>
  ({ at, token }) => [
    OPEN,
    { afterMs: Math.max(81, (token.diesAt ?? Number.POSITIVE_INFINITY) - at), do: 'close', code },
  ]

const EVERY_DIAL: Partial<Options> = { session: { everyDial: true } }
const FIXED: Partial<Options> = {
  source: constant(),
  session: { canRenew: false, canAsk: false },
}
const FAILING: Partial<Options> = { source: inTurn(renewing(), saying('unavailable')) }

describe('1008 from a socket that had settled', () => {
  const greets = { link: { greets: true } }
  it.each<[string, Server, Partial<Options>]>([
    ['after 6 s', acceptThen(1008, 6 * SECOND), {}],
    ['after 19 s', acceptThen(1008, 19 * SECOND), {}],
    ['after 25 s, when the token had proven itself', acceptThen(1008, 25 * SECOND), {}],
    ['right after a welcome', welcomeThen(1008, 1), greets],
    ['a second after a welcome', welcomeThen(1008, SECOND), greets],
    ['of a function that is asked before each dial', acceptThen(1008, 6 * SECOND), EVERY_DIAL],
    ['of a source that has one value', acceptThen(1008, 6 * SECOND), { source: constant() }],
    ['of a source that fails from then on', acceptThen(1008, 6 * SECOND), FAILING],
    [
      'of a refresh token that rotates',
      acceptThen(1008, 6 * SECOND),
      { session: { rotates: true } },
    ],
    ['of a token that cannot be renewed', acceptThen(1008, 6 * SECOND), FIXED],
  ])('is a lost connection, for ever: %s', (_, server, options) => {
    tell({ source: renewing(), server, ...options }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(everFailed(sim)).toBe(false)
      // At most one forced refresh in ten minutes.
      expect(forced(sim)).toBeLessThanOrEqual(6)
      const times = sim.requests.filter(({ fresh }) => fresh).map(({ at }) => at)
      expect(times.slice(1).every((at, i) => at - (times[i] ?? 0) >= 10 * MINUTE)).toBe(true)
      // A server that says why it closes is left in peace more and more.
      expect(sim.dials.length).toBeGreaterThan(20)
      expect(sim.dials.length).toBeLessThanOrEqual(100)
      expect(sim.probes).toEqual([])
    })
  })

  it('once costs one refresh, and a dial as soon as after any other loss', () => {
    const server = dialInTurn(acceptThen(1008, MINUTE), accept)
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(MINUTE + 3 * SECOND)
      expect([kinds(sim), sim.dials.length, forced(sim)]).toEqual([['connected'], 2, 1])
    })
  })

  it('is met as soon as any other loss where the last one was ten minutes ago', () => {
    tell({ source: renewing(), server: acceptThen(1008, 11 * MINUTE) }, (sim) => {
      sim.connect(0).run(3 * HOUR)
      const gaps = sim.dials.slice(1).map(({ at }, i) => at - (sim.dials[i]?.at ?? 0))
      expect(gaps.length).toBeGreaterThan(14)
      expect(gaps.every((gap) => gap < 11 * MINUTE + 2 * SECOND)).toBe(true)
    })
  })

  it('of one room among three touches no other, and asks for nothing', () => {
    const server = perLink(acceptThen(1008, 6 * SECOND), accept, accept)
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0, 1, 2).run(HOUR)
      expect(sim.states.filter(({ link, kind }) => link > 0 && kind === 'connected')).toHaveLength(
        2,
      )
      expect([sim.requests.length, sim.link(0).kind === 'refused']).toEqual([1, false])
      expect(everFailed(sim)).toBe(false)
    })
  })

  it('of ten sockets at once costs one refresh, and ends nothing', () => {
    const server: Server = ({ at }) =>
      at < MINUTE ? [OPEN, { afterMs: MINUTE - at, do: 'close', code: 1008 }] : [OPEN]
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(...ids(10)).run(10 * MINUTE)
      expect(new Set(kinds(sim))).toEqual(new Set(['connected']))
      expect([sim.requests.length, sim.dials.length]).toEqual([2, 20])
    })
  })

  it.each([
    ['once', 30 * MINUTE, 10 * MINUTE],
    ['again and again, sooner than doubt may ask', MINUTE, 10 * MINUTE],
  ])('since the value was revoked is got over by another one: %s', (_, lifeMs, runMs) => {
    tell({ source: renewing(), server: revoking(1008, lifeMs) }, (sim) => {
      sim.connect(0).run(lifeMs + runMs)
      expect(everFailed(sim)).toBe(false)
      // One dial with the revoked value, where it was not refreshed before.
      expect(sim.dials.length).toBeLessThanOrEqual(2 * Math.ceil((lifeMs + runMs) / lifeMs))
      const connected = sim.states.filter(({ kind }) => kind === 'connected')
      expect(connected.length).toBeGreaterThanOrEqual(Math.floor((runMs / lifeMs) * 0.9))
    })
  })

  it('and then before settling counts as any rejection: 2 requests, 3 dials', () => {
    // The server is right: the account is gone. Nothing was refreshed meanwhile, since doubt had asked.
    const server = dialInTurn(
      acceptThen(1008, 6 * SECOND),
      acceptThen(1008, 6 * SECOND),
      acceptThen(1008, SECOND),
    )
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(2 * MINUTE)
      expect(sim.link(0)).toMatchObject({ kind: 'failed', action: 'sign-in' })
      expect([sim.requests.length, sim.dials.length]).toEqual([3, 2 + 3])
    })
  })

  it('leaves a socket that swaps to its successor', () => {
    const options: Options = {
      source: renewing(opaque(10 * MINUTE)),
      server: (dial) =>
        dial.n === 1 ? welcomeThen(1008, 2 * MINUTE)(dial) : welcomeThen(1000, HOUR)(dial),
      machine: swappingMachine,
      link: { ownsRoom: false, greets: true, renewal: { kind: 'swap' } },
    }
    tell(options, (sim) => {
      sim.connect(0).run(5 * MINUTE)
      expect([kinds(sim), everFailed(sim), forced(sim)]).toEqual([['connected'], false, 1])
    })
  })
})

describe('1008 at the end of a token is its expiry', () => {
  it.each<[string, number, number, Source]>(
    [0, 10 * MINUTE, -10 * MINUTE].flatMap((skewMs): [string, number, number, Source][] => [
      ['an opaque token of 4 s', skewMs, 4, renewing(opaque(4 * SECOND))],
      ['an opaque token of 30 s', skewMs, 30, renewing(opaque(30 * SECOND))],
      ['a JWT of 30 s', skewMs, 30, renewing(jwt(30))],
      ['a JWT of 4 s', skewMs, 4, renewing(jwt(4))],
    ]),
  )('%s costs one dial and one request a life (clock off by %d ms)', (_, skewMs, life, source) => {
    for (const seed of ids(4))
      for (const settleMs of [500, 5_000]) {
        const options = { source, server: atItsEnd(1008), skewMs, seed, link: { settleMs } }
        const sim = new Simulator(options)
        sim.connect(0).run(10 * MINUTE + 900)
        expect(everFailed(sim)).toBe(false)
        expect(sim.requests.length).toBe(sim.dials.length)
        expect(sim.dials.length).toBeGreaterThanOrEqual(600 / (life + 0.3) - 1)
      }
  })

  it('is got over with one dial more where only the server knows the end', () => {
    tell({ source: renewing(secretive(30 * SECOND)), server: atItsEnd(1008) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(everFailed(sim)).toBe(false)
      expect(sim.dials.length).toBeLessThanOrEqual(2 * 120)
      expect(sim.requests.length).toBeLessThanOrEqual(121)
    })
  })
})

describe('controls: the rounds stand', () => {
  it.each([
    ['4003 after 6 s', acceptThen(4003, 6 * SECOND)],
    ['3000 after 6 s', acceptThen(3000, 6 * SECOND)],
    ['4401 after 6 s', acceptThen(4401, 6 * SECOND)],
    ['1008 at once', acceptThen(1008, 1)],
    ['1008 after 1 s', acceptThen(1008, SECOND)],
    ['1008 after 4.9 s', acceptThen(1008, 4_900)],
  ])('%s costs 2 requests and 3 dials, and ends', (_, server) => {
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([kinds(sim), sim.requests.length, sim.dials.length]).toEqual([['failed'], 2, 3])
    })
  })

  it.each([1000, 1001, 1006, 1011, 4999])('%d after settling costs no refresh', (code) => {
    tell({ source: renewing(), server: acceptThen(code, 6 * SECOND) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([everFailed(sim), sim.requests.length]).toEqual([false, 1])
      // Nothing was said that would be said again: dialed soon, each time.
      expect(sim.dials.length).toBeGreaterThan(400)
    })
  })
})
