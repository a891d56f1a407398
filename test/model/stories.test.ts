/** Each sentence of the rules, told as a story of both machines. Times are virtual. */
import { describe, expect, it } from 'vitest'
import { shown } from '../../src/core/identity.ts'
import { transition as linkTransition } from '../../src/core/link-machine.ts'
import {
  accept,
  acceptThen,
  constant,
  DAY,
  dialInTurn,
  everFailed,
  HOUR,
  hang,
  ids,
  inTurn,
  jwt,
  kinds,
  MINUTE,
  opaque,
  perLink,
  refuseUnseen,
  reject,
  renewing,
  SECOND,
  saying,
  secretive,
  tell,
  untilExpiry,
} from './scripts.ts'
import { type Options, type Server, Simulator, type Source, type Step } from './simulator.ts'

const SEEDS = ids(8)

const gaps = (times: readonly { at: number }[]): number[] =>
  times.slice(1).map(({ at }, index) => at - (times[index]?.at ?? 0))

const requestsSince = (sim: Simulator, ms: number) => sim.requests.filter(({ at }) => at >= ms)
const phase = (sim: Simulator) => sim.session.phase.kind

describe('a rejection', () => {
  it.each([
    ['a close with 4003 right after the open', reject],
    ['a 401 of the handshake', (() => [{ afterMs: 80, do: 'status', status: 401 }]) as Server],
    ['a 403 of the handshake', (() => [{ afterMs: 80, do: 'status', status: 403 }]) as Server],
    ['a close with 4003 after 6 s', acceptThen(4003, 6 * SECOND)],
  ])(
    'of a revoked session costs 2 requests and 3 dials, then silence for a day: %s',
    (_, server) => {
      tell({ source: renewing(), server }, (sim) => {
        sim.connect(0).run(45 * SECOND)
        expect(sim.link(0)).toMatchObject({
          kind: 'failed',
          action: 'sign-in',
          problem: { kind: 'rejected' },
        })
        expect([sim.requests.length, sim.dials.length]).toEqual([2, 3])
        sim.run(DAY)
        expect([sim.requests.length, sim.dials.length]).toEqual([2, 3])
        expect(kinds(sim)).toEqual(['failed'])
      })
    },
  )

  it('is spaced by 5 to 15 s before the third dial, which carries the value of the second', () => {
    tell({ source: renewing(), server: reject }, (sim) => {
      sim.connect(0).run(MINUTE)
      const [, second, third] = sim.dials
      expect(third?.token).toBe(second?.token)
      const [quick, spaced] = gaps(sim.dials)
      expect(quick).toBeLessThan(500)
      expect(spaced).toBeGreaterThanOrEqual(5 * SECOND)
      expect(spaced).toBeLessThanOrEqual(15 * SECOND + 100)
    })
  })

  it.each<[string, Source, NonNullable<Options['session']>, number]>([
    ['cannot renew', constant(), { canRenew: false, canAsk: false }, 1],
    ['answers with the same value', constant(), {}, 2],
    [
      'answers with the same value, and is asked before each dial',
      constant(),
      { everyDial: true },
      2,
    ],
  ])('goes straight to the confirming dial where the source %s', (_, source, session, requests) => {
    tell({ source, server: reject, session }, (sim) => {
      sim.connect(0).run(DAY)
      expect([sim.dials.length, sim.requests.length]).toEqual([2, requests])
      expect(gaps(sim.dials)[0]).toBeGreaterThanOrEqual(5 * SECOND)
      expect(phase(sim)).toBe('refused')
    })
  })

  it('asks a function before every dial except the confirming one', () => {
    tell({ source: renewing(), server: reject, session: { everyDial: true } }, (sim) => {
      sim.connect(0).run(DAY)
      expect(sim.requests.map(({ reason, fresh }) => [reason, fresh])).toEqual([
        ['connect', false],
        ['rejected', true],
      ])
      expect(sim.dials).toHaveLength(3)
    })
  })

  it('is over when the confirming dial is accepted: a restarting database signs nobody out', () => {
    const server = dialInTurn(reject, reject, accept)
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(MINUTE)
      expect([kinds(sim), sim.dials.length, sim.requests.length]).toEqual([['connected'], 3, 2])
    })
  })

  it('is forgotten after 20 s accepted, and not before', () => {
    const twice = (openMs: number): Server =>
      dialInTurn(reject, reject, acceptThen(4003, openMs), accept)
    tell({ source: renewing(), server: twice(21 * SECOND) }, (sim) => {
      sim.connect(0).run(2 * MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['connected'], 3])
    })
    tell({ source: renewing(), server: twice(19 * SECOND) }, (sim) => {
      sim.connect(0).run(2 * MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['failed'], 2])
    })
  })

  it('asks for another value where the token of the confirming dial has expired meanwhile', () => {
    const server = dialInTurn(reject, reject, accept)
    tell({ source: renewing(opaque(4 * SECOND)), server }, (sim) => {
      sim.connect(0).run(20 * SECOND)
      expect(sim.dials.map(({ token }) => token.value)).toEqual(['token 1', 'token 2', 'token 3'])
      expect(sim.requests).toHaveLength(3)
      expect(everFailed(sim)).toBe(false)
    })
  })

  it.each([
    ['while the second value is on trial', 0],
    ['while the second value is asked for', 8 * SECOND],
  ])('is not forgotten for a socket that lives on the first value, %s', (_, slowMs) => {
    // Link 1 has been accepted for 20 s just when link 0 stands before its second or third rejection.
    const source = inTurn(
      renewing(),
      renewing(() => ({}), 80 + slowMs),
    )
    const kicked = dialInTurn(acceptThen(4003, 15 * SECOND), reject)
    tell({ source, server: perLink(kicked, accept) }, (sim) => {
      sim.connect(0, 1).run(5 * MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['refused', 'connected'], 2])
    })
  })

  it('asks for nothing during the pause, whoever comes, and whatever has expired', () => {
    tell({ source: renewing(opaque(4 * SECOND)), server: reject }, (sim) => {
      sim.connect(0).run(4_500)
      expect(phase(sim)).toBe('held')
      sim.connect(1).run(400)
      expect(sim.requests).toHaveLength(2)
      expect(sim.link(1)).toMatchObject({ deferred: { problem: { kind: 'closed', code: 4003 } } })
      sim.run(15 * SECOND)
      expect(sim.requests).toHaveLength(3)
    })
  })

  it('spends nothing on a disconnected socket while it waits for the confirming dial', () => {
    tell({ source: renewing(opaque(4 * SECOND)), server: reject }, (sim) => {
      sim.connect(0).run(SECOND).disconnect(0).run(DAY)
      expect([sim.requests.length, sim.dials.length]).toEqual([2, 2])
    })
  })

  it('of ten links is counted once for each round, and the scout alone dials after it', () => {
    tell({ source: renewing(), server: reject }, (sim) => {
      sim.connect(...ids(10)).run(DAY)
      expect(sim.requests).toHaveLength(2)
      expect(sim.dials).toHaveLength(10 + 1 + 1)
      expect(new Set(kinds(sim))).toEqual(new Set(['failed']))
    })
  })

  it('of one forbidden link among three refuses that room and asks for nothing', () => {
    tell({ source: renewing(), server: perLink(reject, accept, accept) }, (sim) => {
      sim.connect(0, 1, 2).run(HOUR)
      expect(kinds(sim)).toEqual(['refused', 'connected', 'connected'])
      expect([sim.requests.length, sim.dials.length]).toEqual([1, 3])
    })
  })

  it('waits with its judgement until the other links have settled, 5 s after their open', () => {
    tell({ source: renewing(), server: perLink(reject, accept, accept) }, (sim) => {
      sim.connect(0, 1, 2).run(5 * SECOND)
      expect(kinds(sim)).toEqual(['authenticating', 'connected', 'connected'])
      sim.run(200)
      expect(kinds(sim)).toEqual(['refused', 'connected', 'connected'])
    })
  })

  it('of a room that was joined later leaves the others untouched', () => {
    tell({ source: renewing(), server: perLink(accept, reject) }, (sim) => {
      sim.connect(0).run(MINUTE).connect(1).run(MINUTE)
      expect(kinds(sim)).toEqual(['connected', 'refused'])
      expect(sim.requests).toHaveLength(1)
    })
  })

  it('before settling is about the room, also of a socket that was open', () => {
    tell({ source: renewing(), server: perLink(accept, acceptThen(4003, SECOND)) }, (sim) => {
      sim.connect(0).run(MINUTE).connect(1).run(MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['connected', 'refused'], 1])
    })
  })

  it('where links have no room of their own is a configuration to fix', () => {
    const options: Options = {
      source: renewing(),
      server: perLink(accept, reject),
      link: { ownsRoom: false },
    }
    tell(options, (sim) => {
      sim.connect(0).run(MINUTE).connect(1).run(MINUTE)
      expect(sim.link(1)).toMatchObject({
        kind: 'failed',
        action: 'fix-configuration',
        problem: { kind: 'unwelcome' },
      })
      expect(sim.link(0).kind).toBe('connected')
    })
  })

  it('of a link that had settled on this credential is about the credential, though others are settled', () => {
    const first = dialInTurn(acceptThen(1006, MINUTE), reject, accept)
    tell({ source: renewing(), server: perLink(first, accept) }, (sim) => {
      sim.connect(0, 1).run(3 * MINUTE)
      expect(sim.requests.map(({ reason }) => reason)).toEqual(['connect', 'rejected'])
      expect(kinds(sim)).toEqual(['connected', 'connected'])
    })
  })

  it('is about the credential also after a disconnect: it had settled on the value before', () => {
    const server = perLink(dialInTurn(accept, reject, accept), accept)
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0, 1).run(MINUTE).disconnect(0).connect(0).run(MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['connected', 'connected'], 2])
    })
  })

  it('sends a link first that was not rejected, and refuses the room once that one has settled', () => {
    // Both were rejected while a database restarted; then only link 0 stays forbidden.
    const server = perLink(reject, dialInTurn(reject, accept), accept)
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0, 1).run(170).connect(2).run(MINUTE)
      expect(kinds(sim)).toEqual(['refused', 'connected', 'connected'])
      const fresh = sim.dials.filter(({ token }) => token.value === 'token 2')
      expect(fresh[0]?.link).toBe(2)
      expect(gaps(fresh)[0]).toBeGreaterThan(5 * SECOND)
      expect([sim.requests.length, sim.dials.length]).toEqual([2, 5])
    })
  })

  it('does not end the session while a link is settled', () => {
    // Link 1 lives on the first value. Link 0 had settled, and is closed again and again.
    const kicked = dialInTurn(acceptThen(4003, 30 * SECOND), reject)
    tell(
      { source: renewing(), server: perLink(kicked, accept, dialInTurn(reject, accept)) },
      (sim) => {
        sim.connect(0, 1).run(HOUR)
        expect(kinds(sim)).toEqual(['refused', 'connected'])
        expect(phase(sim)).toBe('held')
        expect(sim.requests).toHaveLength(2)
        expect(sim.dials.filter(({ link }) => link === 0)).toHaveLength(3)
        // The count is over with it: the next rejection is a first one, and costs a fresh value.
        sim.connect(2).run(MINUTE)
        expect([kinds(sim), sim.requests.length]).toEqual([
          ['refused', 'connected', 'connected'],
          3,
        ])
      },
    )
  })

  it('by accept and 4003 after 6 s, each time, ends the session within 45 s', () => {
    tell({ source: renewing(), server: acceptThen(4003, 6 * SECOND) }, (sim) => {
      sim.connect(0).run(45 * SECOND)
      expect([phase(sim), kinds(sim)]).toEqual(['refused', ['failed']])
    })
  })

  it('of an authenticated probe is a rejection, and never refuses a room', () => {
    tell({ source: renewing(), server: refuseUnseen, host: () => 'refused' }, (sim) => {
      sim.connect(0).run(DAY)
      expect([phase(sim), sim.requests.length, sim.dials.length]).toEqual(['refused', 2, 3])
      expect(sim.probes).toHaveLength(3)
    })
    const server = perLink(refuseUnseen, accept)
    tell({ source: renewing(), server, host: () => 'refused' }, (sim) => {
      sim
        .connect(1)
        .run(MINUTE)
        .connect(0)
        .run(10 * MINUTE)
      expect(sim.states.some(({ kind }) => kind === 'refused')).toBe(false)
      expect(sim.link(1).kind).toBe('connected')
    })
  })
})

describe('at the end of its life a credential', () => {
  const SKEWS = [0, 10 * MINUTE, -10 * MINUTE, DAY, -DAY]
  it.each(
    SKEWS.flatMap((skewMs): [string, number, number, Source, number][] => [
      ['an opaque token of 30 s', skewMs, 30, renewing(opaque(30 * SECOND)), 0],
      ['a JWT of 4 s', skewMs, 4, renewing(jwt(4)), 1],
    ]),
  )(
    '%s costs one dial and one request a life (clock off by %d ms)',
    (_, skewMs, life, source, rounding) => {
      for (const seed of ids(4)) {
        const sim = new Simulator({ source, server: untilExpiry, skewMs, seed })
        sim.connect(0).run(HOUR)
        expect(everFailed(sim)).toBe(false)
        expect(sim.requests.length).toBe(sim.dials.length)
        expect(sim.dials.length).toBeGreaterThanOrEqual(3600 / (life + 0.3) - 1)
        // Whole seconds of `iat` shorten a life by up to one.
        expect(sim.dials.length).toBeLessThanOrEqual(3600 / (life - rounding) + 1)
        expect(gaps(sim.dials).every((gap) => gap > (life - rounding - 0.3) * SECOND)).toBe(true)
      }
    },
  )

  it('an opaque token of 30 s whose life only the server knows is replaced for ever', () => {
    const options = { source: renewing(secretive(30 * SECOND)), server: untilExpiry }
    tell(options, (sim) => {
      sim.connect(0).run(HOUR)
      expect(everFailed(sim)).toBe(false)
      expect(sim.requests.length).toBe(sim.dials.length)
      expect(sim.dials.length).toBeLessThanOrEqual(121)
    })
  })

  it.each([false, true])(
    'ten links closed by one expiry make one request (asked before each dial: %s)',
    (everyDial) => {
      const options = {
        source: renewing(opaque(10 * MINUTE)),
        server: untilExpiry,
        session: { everyDial },
      }
      tell(options, (sim) => {
        sim.connect(...ids(10)).run(15 * MINUTE)
        expect(sim.requests).toHaveLength(2)
        expect(sim.dials).toHaveLength(20)
        expect(new Set(kinds(sim))).toEqual(new Set(['connected']))
      })
    },
  )

  it('is replaced before the next dial, and never sent', () => {
    const server = dialInTurn(acceptThen(1006, 20 * MINUTE), accept)
    tell({ source: renewing(opaque(10 * MINUTE)), server }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests.map(({ reason }) => reason)).toEqual(['connect', 'renewal'])
      expect(sim.dials.map(({ token }) => token.value)).toEqual(['token 1', 'token 2'])
      // The live socket was kept for ten minutes beyond the expiry.
      expect(sim.requests[1]?.at).toBeGreaterThan(20 * MINUTE)
    })
  })

  it('is left at once with closeAtExpiry', () => {
    const options = {
      source: renewing(opaque(10 * MINUTE)),
      server: accept,
      link: { closeAtExpiry: true },
    }
    tell(options, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests.length).toBeGreaterThanOrEqual(6)
      expect(sim.requests.length).toBeLessThanOrEqual(7)
      expect(everFailed(sim)).toBe(false)
    })
  })

  it('that cannot be replaced ends the session, and only then', () => {
    const options: Options = {
      source: constant({ expiresInMs: MINUTE }),
      server: dialInTurn(acceptThen(1006, 2 * MINUTE), accept),
      session: { canRenew: false, canAsk: false },
    }
    tell(options, (sim) => {
      sim.connect(0).run(119 * SECOND)
      expect(kinds(sim)).toEqual(['connected'])
      sim.run(HOUR)
      expect(sim.link(0)).toMatchObject({
        kind: 'failed',
        action: 'sign-in',
        problem: { kind: 'expired' },
      })
      expect([sim.dials.length, sim.requests.length]).toEqual([1, 1])
    })
  })

  it('forgets the rejections before it, where it had been accepted', () => {
    const server = dialInTurn(reject, untilExpiry, reject, accept)
    tell({ source: renewing(opaque(10 * SECOND)), server }, (sim) => {
      sim.connect(0).run(15 * SECOND)
      const values = sim.dials.map(({ token }) => token.value)
      expect(values).toEqual(['token 1', 'token 2', 'token 3', 'token 4'])
    })
  })

  it('counts nothing and forgets nothing, where it had not', () => {
    // The confirming dial falls into the last quarter of 17 s at times.
    const atExpiry: number[] = []
    for (const seed of ids(40)) {
      const sim = new Simulator({ source: renewing(opaque(17 * SECOND)), server: reject, seed })
      sim.connect(0).run(5 * MINUTE)
      expect([phase(sim), sim.dials.length]).toEqual(['refused', sim.requests.length + 1])
      atExpiry.push(sim.requests.length - 2)
    }
    expect(new Set(atExpiry)).toEqual(new Set([0, 1]))
  })

  it('resets the backoff: what failed before is forgotten', () => {
    const far = dialInTurn(refuseUnseen, refuseUnseen, acceptThen(4003, 3 * SECOND), hang)
    tell({ source: renewing(opaque(40 * MINUTE)), server: far, host: () => 'gone' }, (sim) => {
      sim.connect(0).run(13 * SECOND)
      expect(sim.link(0)).toMatchObject({ kind: 'connecting', memory: { failures: 2 } })
    })
    const short = dialInTurn(refuseUnseen, refuseUnseen, untilExpiry, hang)
    tell(
      {
        source: renewing(opaque(14 * SECOND)),
        server: short,
        host: () => 'gone',
        link: { settleMs: MINUTE },
      },
      (sim) => {
        sim.connect(0).run(20 * SECOND)
        expect(sim.link(0)).toMatchObject({ kind: 'connecting', memory: { failures: 0 } })
      },
    )
  })
})

describe('the same expired token for ever', () => {
  it.each<[string, Source]>([
    ['is not a loop', constant({ expiresInMs: MINUTE })],
    ['that had expired when it came is not a loop', constant({ expiresInMs: -1 })],
  ])('%s', (_, source) => {
    tell({ source, server: acceptThen(4003, MINUTE) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests.length).toBeLessThan(60)
      expect(sim.dials.length).toBeLessThanOrEqual(1)
      expect(phase(sim)).toBe('backing-off')
      expect(sim.link(0)).toMatchObject({ deferred: { problem: { kind: 'expired' } } })
    })
  })
})

describe('suspicion', () => {
  it('of a refusal that shows nothing, for a day, costs one forced refresh and at most 1,500 dials', () => {
    const options = { source: renewing(opaque(HOUR)), server: refuseUnseen }
    for (const seed of ids(3)) {
      const sim = new Simulator({ ...options, seed })
      sim.connect(0).run(DAY)
      expect(sim.requests.filter(({ reason }) => reason === 'rejected')).toHaveLength(1)
      expect(sim.requests.length).toBeLessThanOrEqual(24 + 2)
      expect(sim.dials.length).toBeLessThanOrEqual(1_500)
      expect(sim.dials.length).toBeGreaterThan(1_300)
      expect(everFailed(sim)).toBe(false)
    }
  })

  it.each([1, 10])(
    'of an accepted credential during a rollout of 20 s refreshes nothing (%d links)',
    (count) => {
      // The host answers 502 meanwhile: it "answers".
      const rollout: Server = ({ at }) => {
        const steps: Step[] = [{ afterMs: 80, do: 'open' }]
        if (at < 10 * MINUTE)
          return [...steps, { afterMs: 10 * MINUTE - at, do: 'close', code: 1006 }]
        return at < 10 * MINUTE + 20 * SECOND ? [{ afterMs: 80, do: 'fail' }] : steps
      }
      for (const seed of ids(40)) {
        const sim = new Simulator({ source: renewing(opaque(HOUR)), server: rollout, seed })
        sim.connect(...ids(count)).run(15 * MINUTE)
        expect(sim.requests).toHaveLength(1)
        expect(new Set(kinds(sim))).toEqual(new Set(['connected']))
      }
    },
  )

  it('of an accepted credential for more than 30 s costs one refresh', () => {
    const server: Server = dialInTurn(acceptThen(1006, MINUTE), refuseUnseen)
    tell({ source: renewing(opaque(DAY)), server }, (sim) => {
      sim.connect(0).run(MINUTE + 30 * SECOND)
      expect(sim.requests).toHaveLength(1)
      sim.run(3 * MINUTE)
      expect(sim.requests.map(({ reason, fresh }) => [reason, fresh])).toEqual([
        ['connect', false],
        ['rejected', true],
      ])
      sim.run(HOUR)
      expect(sim.requests).toHaveLength(2)
    })
  })

  it.each([
    ['gone', 1],
    ['accepted', 1],
    ['answers', 2],
  ] as const)('of a host that is %s makes %d requests, and asks seldom', (found, requests) => {
    tell({ source: renewing(), server: refuseUnseen, host: () => found }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests).toHaveLength(requests)
      const pauses = sim.probes.slice(1).map((at, n) => at - (sim.probes[n] ?? 0))
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(30 * SECOND)
      // Who answers was suspected, and refreshed for: nothing more can follow.
      if (found === 'answers') expect(sim.probes).toHaveLength(1)
      else expect(sim.probes.length).toBeGreaterThan(40)
    })
  })

  it.each([1000, 1005, 1006, 1011])('begins with a close %d before settling', (code) => {
    tell({ source: renewing(), server: acceptThen(code, 300) }, (sim) => {
      sim.connect(0).run(MINUTE)
      expect(sim.requests).toHaveLength(2)
    })
  })

  it.each<[string, Server]>([
    ['a status that was seen', () => [{ afterMs: 80, do: 'status', status: 503 }]],
    ['any other code', acceptThen(1001, 300)],
    ['a close after settling', acceptThen(1006, 5_100)],
  ])('is never %s', (_, server) => {
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(10 * MINUTE)
      expect([sim.requests.length, sim.probes.length]).toEqual([1, 0])
    })
  })

  it('of a Wi-Fi that opens for 2 s and drops, for an hour, costs at most one refresh a life', () => {
    tell({ source: renewing(opaque(20 * MINUTE)), server: acceptThen(1006, 2 * SECOND) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests.length).toBeLessThanOrEqual(4)
      expect(everFailed(sim)).toBe(false)
    })
  })

  it('asks for nothing while a link of the session is open', () => {
    tell({ source: renewing(), server: perLink(accept, refuseUnseen) }, (sim) => {
      sim.connect(0, 1).run(HOUR)
      expect(sim.requests).toHaveLength(1)
      expect(sim.link(0).kind).toBe('connected')
    })
  })

  it('may refresh again once some link has settled', () => {
    const server = dialInTurn(
      refuseUnseen,
      refuseUnseen,
      acceptThen(1006, 10 * SECOND),
      refuseUnseen,
    )
    tell({ source: renewing(opaque(DAY)), server }, (sim) => {
      sim.connect(0).run(5 * MINUTE)
      expect(sim.requests).toHaveLength(3)
    })
  })

  it.each<[string, Source]>([
    ['is unavailable', saying('unavailable')],
    ['returns the same value', constant({ value: 'token 1' })],
    ['never answers', () => ({ answer: { say: 'unavailable' }, afterMs: undefined })],
  ])('proves nothing where the refresh %s: it dials again', (_, second) => {
    tell({ source: inTurn(renewing(), second), server: refuseUnseen }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.requests).toHaveLength(2)
      expect(sim.dials.length).toBeGreaterThan(50)
      expect(phase(sim)).toBe('held')
    })
  })

  it('ends the session where the refresh is refused', () => {
    tell({ source: inTurn(renewing(), saying('refused')), server: refuseUnseen }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([phase(sim), kinds(sim), sim.requests.length]).toEqual(['refused', ['failed'], 2])
    })
  })

  it('asks nothing where the session cannot renew, and never fails', () => {
    const session = { canRenew: false, canAsk: false }
    tell({ source: constant(), server: refuseUnseen, session }, (sim) => {
      sim.connect(0).run(DAY / 4)
      expect([sim.requests.length, everFailed(sim)]).toEqual([1, false])
    })
  })
})

describe('a token request', () => {
  it('is made before every dial where the source caches for itself', () => {
    const options: Options = {
      source: constant(),
      server: refuseUnseen,
      session: { everyDial: true },
      host: () => 'gone',
    }
    tell(options, (sim) => {
      sim.connect(0).run(10 * MINUTE)
      expect(sim.dials.length).toBeGreaterThan(10)
      expect(sim.requests.length - sim.dials.length).toBeLessThanOrEqual(1)
      expect(sim.requests.length).toBeGreaterThanOrEqual(sim.dials.length)
    })
  })

  it('that is unavailable is repeated at most 14 times in 10 min, and a live socket is kept', () => {
    const source = inTurn(renewing(opaque(MINUTE)), saying('unavailable'))
    tell({ source, server: perLink(accept, acceptThen(1006, 2 * MINUTE)) }, (sim) => {
      sim.connect(0, 1).run(2 * MINUTE)
      const from = sim.now
      sim.run(10 * MINUTE)
      expect(requestsSince(sim, from).length).toBeLessThanOrEqual(14)
      expect(requestsSince(sim, from).length).toBeGreaterThanOrEqual(8)
      expect(kinds(sim)).toEqual(['connected', 'authenticating'])
      expect(sim.link(1)).toMatchObject({ deferred: { problem: { kind: 'token-unavailable' } } })
    })
  })

  it('is repeated sooner for news of the page, once in 5 s, and for the verb at once, never against advice', () => {
    tell({ source: saying('unavailable'), server: accept }, (sim) => {
      sim.connect(0).run(10 * MINUTE)
      const from = sim.now
      for (const n of ids(100)) sim.at(from + n * 100, () => sim.dispatch({ type: 'nudge' }))
      sim.run(10 * SECOND)
      expect(requestsSince(sim, from).length).toBe(2)
      sim.run(5 * SECOND).dispatch({ type: 'reconnect' })
      expect(requestsSince(sim, from).length).toBe(3)
    })
    tell({ source: saying('unavailable', MINUTE), server: accept }, (sim) => {
      sim.connect(0)
      for (const n of ids(50))
        sim.at(n * SECOND, () => sim.dispatch({ type: n % 2 ? 'nudge' : 'reconnect' }))
      sim.run(59 * SECOND)
      expect(sim.requests).toHaveLength(1)
      sim.run(2 * SECOND)
      expect(sim.requests).toHaveLength(2)
    })
    tell({ source: saying('unavailable'), server: accept }, (sim) => {
      sim.connect(0).run(SECOND).disconnect(0).run(SECOND)
      sim.dispatch({ type: 'nudge' })
      sim.dispatch({ type: 'reconnect' })
      expect(sim.requests).toHaveLength(1)
    })
  })

  it('obeys Retry-After, and waits U(b/2, b) else', () => {
    tell({ source: saying('unavailable', 30 * SECOND), server: accept }, (sim) => {
      sim.connect(0).run(5 * MINUTE)
      expect(gaps(sim.requests).every((gap) => gap >= 30 * SECOND)).toBe(true)
    })
    tell({ source: saying('unavailable'), server: accept }, (sim) => {
      sim.connect(0).run(20 * MINUTE)
      for (const [n, gap] of gaps(sim.requests).entries()) {
        const upper = Math.min(120, 4 * 2 ** n) * SECOND
        expect(gap).toBeGreaterThanOrEqual(upper / 2 + 79)
        expect(gap).toBeLessThanOrEqual(upper + 81)
      }
    })
  })

  it('without an answer fails after 10 s, and its late answer is not heard', () => {
    const never: Source = ({ n }) => ({
      answer: { token: { value: `late ${n}` } },
      afterMs: 12 * SECOND,
    })
    tell({ source: inTurn(never, renewing()), server: accept }, (sim) => {
      sim.connect(0).run(10 * SECOND)
      expect(sim.link(0)).toMatchObject({ deferred: { problem: { kind: 'token-unavailable' } } })
      sim.run(MINUTE)
      expect(sim.requests[0]?.muted).toBe(true)
      expect(sim.dials.map(({ token }) => token.value)).toEqual(['token 2'])
    })
  })

  it('that spends a refresh token and answers after 12 s is stored, and no second one was sent', () => {
    tell(
      { source: renewing(() => ({}), 12 * SECOND), server: accept, session: { rotates: true } },
      (sim) => {
        sim.connect(0).run(MINUTE)
        expect(sim.requests).toHaveLength(1)
        expect(sim.requests[0]?.muted).toBe(false)
        expect(sim.dials.map(({ at }) => at)).toEqual([12 * SECOND])
      },
    )
  })

  it('that spends a refresh token and never answers is given up after 30 s', () => {
    const never: Source = () => ({ answer: { say: 'unavailable' }, afterMs: undefined })
    const options = {
      source: inTurn(never, renewing()),
      server: accept,
      session: { rotates: true },
    }
    tell(options, (sim) => {
      sim.connect(0).run(2 * MINUTE)
      expect(sim.requests).toHaveLength(2)
      expect(sim.requests[1]?.at).toBeGreaterThanOrEqual(30 * SECOND - 1)
      expect(kinds(sim)).toEqual(['connected'])
    })
  })

  it('that spends a refresh token is waited for by whatever needs one meanwhile', () => {
    // A forced renewal hangs; the held value is rejected while it does.
    const slow: Source = ({ n }) => ({
      answer: { token: { value: `token ${n}` } },
      afterMs: 20 * SECOND,
    })
    const server = dialInTurn(acceptThen(4003, 14 * SECOND), accept)
    const options = { source: inTurn(renewing(), slow), server, session: { rotates: true } }
    tell(options, (sim) => {
      sim
        .connect(0)
        .run(2 * SECOND)
        .dispatch({ type: 'refresh' })
      sim.run(MINUTE)
      expect(sim.requests).toHaveLength(2)
      expect(sim.dials.map(({ token }) => token.value)).toEqual(['token 1', 'token 2'])
    })
  })

  it('that spends a refresh token is not hurried by anything', () => {
    const never: Source = () => ({ answer: { say: 'unavailable' }, afterMs: undefined })
    const options = {
      source: inTurn(never, renewing()),
      server: accept,
      session: { rotates: true },
    }
    tell(options, (sim) => {
      sim.connect(0).run(11 * SECOND)
      const before = sim.session.phase
      sim.dispatch({ type: 'reconnect' })
      sim.dispatch({ type: 'nudge' })
      sim.dispatch({ type: 'refresh' })
      expect([sim.session.phase, sim.requests.length]).toEqual([before, 1])
    })
  })

  it('that spends a refresh token goes on when every socket disconnects, and is stored', () => {
    tell(
      { source: renewing(() => ({}), 5 * SECOND), server: accept, session: { rotates: true } },
      (sim) => {
        sim.connect(0).run(SECOND).disconnect(0).run(MINUTE)
        expect([sim.requests[0]?.muted, phase(sim)]).toEqual([false, 'held'])
        sim.connect(0).run(MINUTE)
        expect(sim.requests).toHaveLength(1)
      },
    )
  })

  it('of other kinds ends when every socket disconnects', () => {
    tell({ source: renewing(() => ({}), 5 * SECOND), server: accept }, (sim) => {
      sim.connect(0).run(SECOND).disconnect(0).run(MINUTE)
      expect([sim.requests[0]?.muted, phase(sim), sim.sessionWork]).toEqual([true, 'absent', []])
    })
  })

  it('is not repeated while nobody waits for it', () => {
    tell({ source: saying('unavailable'), server: accept }, (sim) => {
      sim.connect(0).run(SECOND).disconnect(0).run(DAY)
      expect(sim.requests).toHaveLength(1)
      sim.connect(0).run(SECOND)
      expect(sim.requests).toHaveLength(2)
    })
  })

  it('is discarded by logout, also one that spends a refresh token', () => {
    tell(
      { source: renewing(() => ({}), 5 * SECOND), server: accept, session: { rotates: true } },
      (sim) => {
        sim.connect(0).run(SECOND).logout()
        sim.run(DAY)
        expect([sim.requests[0]?.muted, phase(sim), kinds(sim)]).toEqual([true, 'absent', ['idle']])
      },
    )
  })

  it('that is refused ends the session, and a settled socket is kept until it closes', () => {
    const source = inTurn(renewing(opaque(MINUTE)), saying('refused'))
    const server = perLink(acceptThen(1006, 10 * MINUTE), acceptThen(1006, 2 * MINUTE))
    tell({ source, server }, (sim) => {
      sim.connect(0, 1).run(3 * MINUTE)
      expect([phase(sim), kinds(sim)]).toEqual(['refused', ['connected', 'failed']])
      sim.run(10 * MINUTE)
      expect(kinds(sim)).toEqual(['failed', 'failed'])
      expect(sim.requests).toHaveLength(2)
    })
  })

  it('that brings the token of somebody else is made three times, and the token is not dialed with', () => {
    const source = inTurn(
      renewing(() => ({ identity: 'ann', expiresInMs: MINUTE })),
      renewing(() => ({ identity: 'bob' })),
    )
    tell({ source, server: acceptThen(4003, MINUTE) }, (sim) => {
      sim.connect(0).run(10 * MINUTE)
      expect(sim.dials).toHaveLength(1)
      expect([phase(sim), sim.requests.length]).toEqual(['refused', 4])
      expect(sim.link(0)).toMatchObject({
        kind: 'failed',
        action: 'sign-in',
        problem: { kind: 'token-invalid' },
      })
    })
  })

  it('after a refusal is made once by connect, and serves whoever signed in meanwhile', () => {
    const source = inTurn(
      renewing(() => ({ identity: 'ann' })),
      saying('refused'),
      saying('refused'),
      renewing(() => ({ identity: 'bob' })),
    )
    tell({ source, server: dialInTurn(acceptThen(4003, MINUTE), accept) }, (sim) => {
      sim.connect(0, 1).run(5 * MINUTE)
      expect([phase(sim), sim.requests.length]).toEqual(['refused', 2])
      sim.connect(0, 1).run(5 * MINUTE)
      expect([phase(sim), sim.requests.length]).toEqual(['refused', 3])
      sim.connect(0, 1).run(5 * MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['connected', 'connected'], 4])
      expect(shown(sim.session.whose.name)).toBe('bob')
    })
  })

  it('after a refusal takes no token of another person while a socket of the first is open', () => {
    const source = inTurn(
      renewing(() => ({ identity: 'ann', expiresInMs: MINUTE })),
      saying('refused'),
      renewing(() => ({ identity: 'bob' })),
    )
    tell({ source, server: perLink(accept, acceptThen(1006, 2 * MINUTE)) }, (sim) => {
      sim.connect(0, 1).run(5 * MINUTE)
      expect([phase(sim), kinds(sim)]).toEqual(['refused', ['connected', 'failed']])
      sim.connect(1).run(MINUTE)
      expect([phase(sim), shown(sim.session.whose.name)]).toEqual(['refused', 'ann'])
      expect(sim.dials).toHaveLength(2)
    })
  })

  it('after a refusal is not made where there is nothing left to ask', () => {
    const session = { canRenew: false, canAsk: false }
    tell({ source: constant(), server: reject, session }, (sim) => {
      sim.connect(0).run(MINUTE).connect(0).run(MINUTE)
      expect([sim.requests.length, kinds(sim)]).toEqual([1, ['failed']])
    })
  })

  it('is not repeated by a second socket that was waiting for the scout of a refused session', () => {
    tell({ source: renewing(), server: reject }, (sim) => {
      sim.connect(0).run(SECOND).connect(1).run(DAY)
      expect([phase(sim), kinds(sim)]).toEqual(['refused', ['failed', 'failed']])
      expect(sim.requests).toHaveLength(2)
    })
  })

  it('after logout is made by a verb of the user only, and no link leaves idle by itself', () => {
    tell({ source: renewing(opaque(MINUTE)), server: untilExpiry }, (sim) => {
      sim
        .connect(0, 1)
        .run(90 * SECOND)
        .logout()
      const before = [sim.requests.length, sim.dials.length]
      sim.run(DAY)
      expect([sim.requests.length, sim.dials.length]).toEqual(before)
      expect(kinds(sim)).toEqual(['idle', 'idle'])
      sim.connect(0).run(SECOND)
      expect(sim.link(0).kind).toBe('connected')
    })
  })
})

describe('a login', () => {
  it.each([
    ['of the same person leaves open sockets alone', 'ann', 'ann', 1],
    ['of another person takes them over', 'ann', 'bob', 2],
    ['of somebody takes over the sockets of nobody known', undefined, 'bob', 2],
    ['of nobody known takes over the sockets of somebody', 'ann', undefined, 2],
    ['of nobody known takes over the sockets of nobody known', undefined, undefined, 2],
  ])('%s', (_, before, after, dials) => {
    const named = (identity: string | undefined) => (identity === undefined ? {} : { identity })
    tell({ source: renewing(() => named(before)), server: accept }, (sim) => {
      sim
        .connect(0)
        .run(MINUTE)
        .login({ value: 'login', ...named(after) })
      sim.run(MINUTE)
      expect([kinds(sim), sim.dials.length, sim.requests.length]).toEqual([['connected'], dials, 1])
      expect(shown(sim.session.whose.name)).toBe(after)
    })
  })

  it('brings back the links of a session that had ended, and leaves other failures to the user', () => {
    const server = perLink(dialInTurn(reject, reject, reject, accept), () => [
      { afterMs: 80, do: 'status', status: 404 },
    ])
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0, 1).run(MINUTE)
      expect(kinds(sim)).toEqual(['failed', 'failed'])
      sim.login({ value: 'login' })
      sim.run(MINUTE)
      expect([kinds(sim), sim.requests.length]).toEqual([['connected', 'failed'], 2])
    })
  })

  it('is not undone by what a socket of the old session said', () => {
    tell({ source: renewing(), server: accept }, (sim) => {
      sim.connect(0).run(MINUTE)
      sim.tell(0, { type: 'closed', verdict: 'sign-in', problem: { kind: 'verdict-frame' } })
      expect([phase(sim), kinds(sim)]).toEqual(['refused', ['failed']])
      sim.login({ value: 'login' })
      sim.run(MINUTE)
      expect([phase(sim), kinds(sim)]).toEqual(['held', ['connected']])
    })
  })
})

describe('delays', () => {
  it('after failures follow the table, anew for each attempt', () => {
    const firsts = new Set<number>()
    tell({ source: renewing(), server: refuseUnseen, host: () => 'gone' }, (sim) => {
      sim.connect(0).run(HOUR)
      const waits = gaps(sim.dials).map((gap) => gap - 80)
      const bounds = [
        [200, 1_500],
        [1_000, 4_000],
        [1_000, 4_000],
        [1_000, 4_000],
        [1_000, 8_000],
        [1_000, 16_000],
        [1_000, 32_000],
        [1_000, 60_000],
        [1_000, 60_000],
      ] as const
      for (const [index, wait] of waits.entries()) {
        const [low, high] = bounds[index] ?? [45_000, 75_000]
        expect(wait).toBeGreaterThanOrEqual(low - 1)
        expect(wait).toBeLessThanOrEqual(high + 1)
      }
      firsts.add(Math.round(waits[0] ?? 0))
    })
    expect(firsts.size).toBeGreaterThan(SEEDS.length / 2)
  })

  it.each([1012, 1013])('after %d are spread over 5 s', (code) => {
    const waits: number[] = []
    for (const seed of ids(200)) {
      const sim = new Simulator({
        source: renewing(),
        server: dialInTurn(acceptThen(code, MINUTE), accept),
        seed,
      })
      sim.connect(0).run(2 * MINUTE)
      waits.push(...gaps(sim.dials).map((gap) => gap - MINUTE - 80))
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000)
    expect(Math.max(...waits)).toBeGreaterThan(4_500)
    expect(Math.min(...waits)).toBeLessThan(500)
  })

  it('after a server that goes on restarting are those of any other', () => {
    tell({ source: renewing(), server: acceptThen(1012, 300), host: () => 'gone' }, (sim) => {
      sim.connect(0).run(10 * MINUTE)
      expect(sim.dials.length).toBeLessThan(30)
    })
  })

  it('that have passed in sleep are made up for by news of the page', () => {
    const options = {
      source: renewing(opaque(10 * MINUTE)),
      server: accept,
      link: { closeAtExpiry: true },
    }
    tell(options, (sim) => {
      sim.connect(0).run(MINUTE)
      // The timer of the expiry slept, and has not rung.
      const asleep = linkTransition(
        sim.link(0),
        { type: 'nudge', at: sim.clock + 20 * MINUTE, roll: 0 },
        sim.linkLimits,
      )
      expect(asleep).toMatchObject({ kind: 'authenticating', demand: { kind: 'plain' } })
    })
  })

  it('that a server advises are kept, and no news of the page shortens them', () => {
    const server = dialInTurn(
      () => [{ afterMs: 80, do: 'status', status: 503, retryAfterMs: MINUTE }],
      accept,
    )
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0)
      for (const s of ids(60))
        sim.at(s * SECOND, () => sim.tell(0, { type: s % 2 ? 'nudge' : 'reconnect' }))
      sim.run(59 * SECOND)
      expect(sim.dials).toHaveLength(1)
      sim.run(5 * SECOND)
      expect(sim.dials).toHaveLength(2)
    })
  })

  it('are shortened by news of the page, once in 5 s', () => {
    tell({ source: renewing(), server: refuseUnseen, host: () => 'gone' }, (sim) => {
      sim.connect(0).run(20 * MINUTE)
      const before = sim.dials.length
      for (const n of ids(100)) sim.at(20 * MINUTE + n * 100, () => sim.tell(0, { type: 'nudge' }))
      sim.run(10 * SECOND)
      expect(sim.dials.length - before).toBe(2)
    })
  })

  it('begin anew after settling, not after opening', () => {
    const flapping = (openMs: number): Server => acceptThen(1006, openMs)
    tell({ source: renewing(), server: flapping(2 * SECOND), host: () => 'gone' }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.link(0).memory.failures).toBeGreaterThan(10)
    })
    tell({ source: renewing(), server: flapping(6 * SECOND) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(gaps(sim.dials).every((gap) => gap <= 6_080 + 1_501)).toBe(true)
    })
  })

  it('do not begin anew with a greeting, which proves the token and no more', () => {
    const greeted: Server = () => [
      { afterMs: 80, do: 'open' },
      { afterMs: 90, do: 'greet' },
      { afterMs: 200, do: 'close', code: 1006 },
    ]
    tell({ source: renewing(), server: greeted, link: { greets: true } }, (sim) => {
      sim.connect(0).run(10 * MINUTE)
      expect(sim.dials.length).toBeLessThan(30)
      expect([sim.requests.length, sim.probes.length]).toEqual([1, 0])
    })
  })

  it('without a greeting end with the time for connecting', () => {
    const silent: Server = () => [
      { afterMs: 80, do: 'open' },
      { afterMs: 100, do: 'frame' },
    ]
    tell(
      { source: renewing(), server: silent, link: { greets: true }, host: () => 'gone' },
      (sim) => {
        sim.connect(0).run(9 * SECOND)
        expect(kinds(sim)).toEqual(['connecting'])
        sim.run(1_100)
        expect(sim.link(0)).toMatchObject({ kind: 'waiting', problem: { kind: 'timeout' } })
      },
    )
  })

  it('are scaled, and so are the confirming wait and the clearing time', () => {
    const limits = { scale: 0.01 }
    tell({ source: renewing(), server: reject, link: limits, session: limits }, (sim) => {
      sim.connect(0).run(MINUTE)
      expect(gaps(sim.dials)[1]).toBeLessThanOrEqual(81 + 150)
    })
    tell(
      { source: saying('unavailable'), server: reject, link: limits, session: limits },
      (sim) => {
        sim.connect(0).run(SECOND)
        expect(sim.requests.length).toBeGreaterThan(4)
      },
    )
  })
})
