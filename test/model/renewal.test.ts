/** A younger token on the live socket: stories of the two machines together. */
import { describe, expect, it } from 'vitest'
import { transition } from '../../src/core/link-machine.ts'
import type { LinkState } from '../../src/core/link-state.ts'
import { accept, HOUR, ids, jwt, MINUTE, opaque, renewing, SECOND } from './scripts.ts'
import { type Answering, type Asked, type Options, type Server, Simulator } from './simulator.ts'
import { linkLimits } from './walk.ts'

const welcome: Server = () => [
  { afterMs: 50, do: 'open' },
  { afterMs: 60, do: 'greet' },
]

const tell = (options: Partial<Options>, play: (sim: Simulator) => void): void => {
  for (const seed of ids(8))
    play(
      new Simulator({
        source: renewing(opaque(5 * MINUTE)),
        server: welcome,
        renewals: 'taken',
        link: { renewal: 'in-band', greets: true },
        seed,
        ...options,
      }),
    )
}

const reasons = (sim: Simulator) => sim.requests.map(({ reason }) => reason)

describe('A token that is renewed in-band', () => {
  it.each([-24 * HOUR, 0, 24 * HOUR])(
    'costs one request a lifetime, and no dial (skew %d ms)',
    (skewMs) => {
      tell({ source: renewing(jwt(300)), skewMs }, (sim) => {
        sim.connect(0).run(HOUR)
        expect(sim.dials).toHaveLength(1)
        // A lead of a tenth to a fifth: twelve lifetimes take 13 to 15 of them.
        expect(sim.requests.length).toBeGreaterThanOrEqual(13)
        expect(sim.requests.length).toBeLessThanOrEqual(16)
        expect(sim.offers.length).toBe(sim.requests.length - 1)
        expect(new Set(reasons(sim).slice(1))).toEqual(new Set(['renewal']))
      })
    },
  )

  it.each([
    [299_999, 15],
    [299_000, 15],
    [250_000, 16],
    // Three quarters of its life seem to be left of each: renewed that much sooner.
    [74_000, 20],
    [225_000, 80],
  ])('is no loop with a clock that is ahead by %d ms of 300,000', (skewMs, most) => {
    tell({ source: renewing(jwt(300)), skewMs }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.dials).toHaveLength(1)
      expect(sim.requests.length).toBeLessThanOrEqual(most + 1)
      expect(sim.requests.length).toBeGreaterThanOrEqual(12)
    })
  })

  it('costs ten sockets one request a lifetime, and tells each of them', () => {
    tell({}, (sim) => {
      sim.connect(...ids(10)).run(20 * MINUTE)
      expect(sim.dials).toHaveLength(10)
      expect(sim.requests.length).toBeLessThanOrEqual(6)
      expect(sim.offers.length).toBe(10 * (sim.requests.length - 1))
    })
  })

  it('is replaced before the next dial where the server does not take it', () => {
    tell({ renewals: 'refused' }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([sim.dials.length, sim.offers.length, sim.requests.length]).toEqual([1, 1, 2])
    })
  })

  it('is not asked for again where the source has no younger one', () => {
    const constant = renewing(() => ({ value: 'one', expiresInMs: 5 * MINUTE }))
    tell({ source: constant }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([sim.dials.length, sim.offers.length, sim.requests.length]).toEqual([1, 0, 2])
    })
  })

  it('costs few requests while the source is down, and the socket stays', () => {
    const down = (asked: Asked): Answering =>
      asked.n === 1
        ? renewing(opaque(5 * MINUTE))(asked)
        : { answer: { say: 'unavailable' }, afterMs: 100 }
    tell({ source: down }, (sim) => {
      sim.connect(...ids(10)).run(14 * MINUTE)
      // They begin a minute before the end of the token, and end with it: the socket is kept by the server.
      expect(sim.requests.length).toBeGreaterThan(3)
      expect(sim.requests.length).toBeLessThanOrEqual(14)
      expect(sim.dials).toHaveLength(10)
    })
  })

  it('comes late, from a source that hangs and answers after 12 s', () => {
    const slow = (asked: Asked): Answering => {
      const answer = renewing(opaque(5 * MINUTE))(asked)
      return asked.n === 2 ? { ...answer, afterMs: 12 * SECOND } : answer
    }
    tell({ source: slow, session: { rotates: true } }, (sim) => {
      sim.connect(0).run(6 * MINUTE)
      expect([sim.dials.length, sim.requests.length, sim.offers.length]).toEqual([1, 2, 1])
    })
  })

  it('whose time came while the machine slept is wanted when the page shows, and not before', () => {
    const plan = { kind: 'planned', at: 5_000 } as const
    const slept: LinkState = {
      kind: 'connected',
      memory: { everConnected: true, failures: 0, dials: 1 },
      credential: { id: 1, receivedAt: 0, lifetimeMs: 6_000 },
      openedAt: 0,
      trust: 'proven',
      renewal: plan,
    }
    const nudged = (at: number) => {
      const next = transition(
        slept,
        { type: 'nudge', at, roll: 0 },
        linkLimits({ closeAtExpiry: false }),
      )
      return next.kind === 'connected' && next.renewal
    }
    expect([nudged(4_999), nudged(5_000)]).toEqual([plan, { kind: 'wanted' }])
  })

  it('whose end is not known is renewed when the server says that it expires', () => {
    tell({ source: renewing() }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests).toHaveLength(1)
      sim.tell(0, { type: 'expiring' })
      sim.run(MINUTE)
      expect([sim.dials.length, sim.requests.length, sim.offers.length]).toEqual([1, 2, 1])
    })
  })

  it('is left alone on servers that do not offer it', () => {
    tell({ server: accept, link: { renewal: 'in-band' } }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([sim.dials.length, sim.requests.length]).toEqual([1, 1])
    })
  })
})
