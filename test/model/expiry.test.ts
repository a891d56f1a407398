/** Tokens and clocks: what the claims of a token say of its end, and what follows where a clock is wrong. */
import { describe, expect, it } from 'vitest'
import {
  accept,
  acceptThen,
  constant,
  DAY,
  dialInTurn,
  everFailed,
  HOUR,
  hang,
  inTurn,
  kinds,
  MINUTE,
  perLink,
  refuseUnseen,
  reject,
  renewing,
  SECOND,
  saying,
  tell,
} from './scripts.ts'
import { LATENCY_MS, type Options, type Server, START, type Step, type Token } from './simulator.ts'

const FIXED = { canRenew: false, canAsk: false }

type Claims = Pick<Token, 'iat' | 'exp'>

/** Of a server whose clock is right: lives `lifeS` from now. */
const living =
  (lifeS: number, claims: (now: number, exp: number) => Claims) =>
  (_n: number, at: number): Partial<Token> => {
    const now = Math.floor((START + at + LATENCY_MS) / 1_000)
    const exp = now + lifeS
    return { ...claims(now, exp), diesAt: exp * 1_000 - START }
  }
const expOnly = (lifeS: number) => living(lifeS, (_, exp) => ({ exp }))

const LIFE_S = 1_800
const KINDS: Record<string, (now: number, exp: number) => Claims> = {
  'exp alone': (_, exp) => ({ exp }),
  'exp and iat': (now, exp) => ({ iat: now, exp }),
  'an iat 8 h early': (now, exp) => ({ iat: now - 8 * 3_600, exp }),
  'an iat in a local time, 5:30 h ahead': (now, exp) => ({ iat: now + 19_800, exp }),
  'an iat in ms': (now, exp) => ({ iat: now * 1_000, exp }),
  'an iat that is exp': (_, exp) => ({ iat: exp, exp }),
}
const CLOCKS = {
  right: 0,
  '1 h fast': HOUR,
  '1 h slow': -HOUR,
  'a day fast': DAY,
  'a day slow': -DAY,
}

const isDead = ({ token, at }: { readonly token: Token; readonly at: number }): boolean =>
  (token.diesAt ?? Number.POSITIVE_INFINITY) <= at + LATENCY_MS

const REFUSALS: Record<string, Step> = {
  seen: { afterMs: 2 * LATENCY_MS, do: 'status', status: 403 },
  unseen: { afterMs: 2 * LATENCY_MS, do: 'fail' },
}

/** Takes a token until it dies, and then refuses before it accepts. The network drops all sockets at `drops`. */
const taking =
  (refusal: Step, drops: readonly number[]): Server =>
  (dial) => {
    if (isDead(dial)) return [refusal]
    const next = drops.find((at) => at > dial.at + SECOND)
    const drop: Step[] =
      next === undefined ? [] : [{ afterMs: next - dial.at, do: 'close', code: 1006 }]
    return [{ afterMs: 2 * LATENCY_MS, do: 'open' }, ...drop]
  }

const ROWS = Object.entries(CLOCKS).flatMap(([clock, skewMs]) =>
  Object.entries(KINDS).flatMap(([kind, claims]) =>
    Object.entries(REFUSALS).map(([seen, refusal]) => ({
      clock,
      skewMs,
      kind,
      claims,
      seen,
      refusal,
    })),
  ),
)

/** Two rooms. One drop while the token lives, two after its end and that of the next. */
const DROPS = [10 * MINUTE, 45 * MINUTE, 100 * MINUTE]

describe.each(ROWS)('a clock that is $clock, $kind, a refusal that is $seen', (row) => {
  const { clock, skewMs, kind, claims, seen, refusal } = row
  const isExact = clock === 'right' || kind === 'exp and iat'
  const options = {
    source: renewing(living(LIFE_S, claims)),
    server: taking(refusal, DROPS),
    skewMs,
  }

  it('signs nobody out who can renew, and costs a rejected dial a link and end at most where the end is known', () => {
    tell(options, (sim) => {
      sim.connect(0, 1).run(2 * HOUR)
      expect(everFailed(sim)).toBe(false)
      expect(kinds(sim)).toEqual(['connected', 'connected'])
      const dead = sim.dials.filter(isDead).length
      // An end that is not known, and a refusal that is not seen: 30 s of suspicion.
      if (seen === 'seen' || isExact) expect(dead).toBeLessThanOrEqual(2 * 2)
      else expect(dead).toBeLessThanOrEqual(2 * 2 * 8)
      if (isExact && kind !== 'an iat 8 h early') expect(dead).toBe(0)
      expect(sim.requests.length).toBeGreaterThanOrEqual(3)
      expect(sim.requests.length).toBeLessThanOrEqual(5)
    })
  })

  it('signs nobody out before the end who cannot, and asks to sign in after it', () => {
    tell({ ...options, session: FIXED }, (sim) => {
      sim.connect(0, 1).run(30 * MINUTE)
      expect(everFailed(sim)).toBe(false)
      expect(kinds(sim)).toEqual(['connected', 'connected'])
      expect(sim.dials).toHaveLength(4)
      sim.run(30 * MINUTE)
      const dead = sim.dials.filter(isDead).length
      if (isExact) {
        expect(dead).toBe(0)
        expect(sim.link(0)).toMatchObject({ action: 'sign-in', problem: { kind: 'expired' } })
      }
      if (isExact || seen === 'seen') {
        expect(dead).toBeLessThanOrEqual(3)
        expect(kinds(sim)).toEqual(['failed', 'failed'])
      }
    })
  })
})

/** Past its `exp` when it comes: by an hour, or just so. */
const late =
  (byS = 3_600): ((n: number, at: number) => Partial<Token>) =>
  (n, at) => ({ value: `late ${n}`, exp: (START + at) / 1_000 - byS })
const lateWithIat = (n: number, at: number): Partial<Token> => {
  const { exp = 0, ...token } = late()(n, at)
  return { ...token, exp, iat: exp - 600 }
}

const ENDS: Record<string, Server> = {
  'a refusal that is not seen': refuseUnseen,
  'a 401': () => [{ afterMs: 80, do: 'status', status: 401 }],
  'a 403': () => [{ afterMs: 80, do: 'status', status: 403 }],
  'a close with 4003': reject,
  'a close with 1008': acceptThen(1008, 1),
  'a close with 1000 after 1 s': acceptThen(1000, SECOND),
  'a close with 1006 after 4 s': acceptThen(1006, 4 * SECOND),
  'a close with 1011 after 1 s': acceptThen(1011, SECOND),
  'no answer at all': hang,
}
const LATE = { 'exp alone': late(), 'just so': late(0), 'exp and iat': lateWithIat }
const LATE_ROWS = Object.entries(LATE).flatMap(([claims, make]) =>
  Object.entries(ENDS).map(([end, server]) => ({ claims, make, end, server })),
)

describe('a token that is past its exp when it comes', () => {
  it.each(LATE_ROWS)('is replaced at once after one dial: $claims, $end', ({ make, server }) => {
    const source = inTurn(renewing(make), renewing())
    tell({ source, server: dialInTurn(server, accept) }, (sim) => {
      sim.connect(0).run(MINUTE)
      expect(sim.dials.map(({ token }) => token.value)).toEqual(['late 1', 'token 2'])
      expect(sim.requests.map(({ fresh }) => fresh)).toEqual([false, true])
      const ended = sim.states.filter(({ kind }) => kind === 'authenticating')[1]
      expect(sim.requests[1]?.at).toBe(ended?.at)
      expect([kinds(sim), sim.probes]).toEqual([['connected'], []])
    })
  })

  it.each(LATE_ROWS)('ends in sign-in where nothing can replace it: $claims, $end', (row) => {
    tell({ source: renewing(row.make), server: row.server, session: FIXED }, (sim) => {
      sim.connect(0).run(11 * SECOND)
      expect(sim.link(0)).toMatchObject({
        kind: 'failed',
        action: 'sign-in',
        problem: { kind: 'expired', at: expect.any(Number), last: { kind: expect.any(String) } },
      })
      expect([sim.dials.length, sim.requests.length, sim.probes.length]).toEqual([1, 1, 0])
    })
  })

  it.each(LATE_ROWS)('ends in sign-in where the same comes again: $claims, $end', (row) => {
    const same = row.make(1, 0)
    for (const session of [{}, { everyDial: true }])
      tell({ source: constant(same), server: row.server, session }, (sim) => {
        sim.connect(0).run(11 * SECOND)
        expect(sim.link(0)).toMatchObject({ action: 'sign-in', problem: { kind: 'expired' } })
        expect([sim.dials.length, sim.requests.length]).toEqual([1, 2])
      })
  })

  it.each<[string, Server]>([
    ['a 503', () => [{ afterMs: 80, do: 'status', status: 503 }]],
    ['a 503 with advice', () => [{ afterMs: 80, do: 'status', status: 503, retryAfterMs: 9_000 }]],
    ['a close with 1012', acceptThen(1012, 1)],
  ])('is dialed again after an end that speaks of something else: %s', (_, server) => {
    for (const session of [{}, FIXED])
      tell({ source: renewing(late()), server: dialInTurn(server, accept), session }, (sim) => {
        sim.connect(0).run(MINUTE)
        expect(sim.dials.map(({ token }) => token.value)).toEqual(['late 1', 'late 1'])
        expect([kinds(sim), sim.requests.length]).toEqual([['connected'], 1])
      })
  })

  it.each([0, 3_000])('is tried once by each link, and replaced once (%d ms apart)', (ms) => {
    const server: Server = (dial) => (dial.token.exp ? refuseUnseen(dial) : accept(dial))
    tell({ source: inTurn(renewing(late()), renewing()), server }, (sim) => {
      sim.connect(0, 1, 2).run(ms).connect(3).run(MINUTE)
      expect(sim.dials.filter(({ token }) => token.exp)).toHaveLength(ms === 0 ? 4 : 3)
      expect([new Set(kinds(sim)), sim.requests.length]).toEqual([new Set(['connected']), 2])
    })
  })

  it.each<[string, Server]>([
    ['a refusal that is not seen', refuseUnseen],
    ['a close with 1006 after 1 s', acceptThen(1006, SECOND)],
  ])(
    'is not given up for %s of one link while another tries, and is good once that has settled',
    (_, end) => {
      for (const session of [{}, FIXED])
        tell(
          { source: renewing(late()), server: perLink(dialInTurn(end, accept), accept), session },
          (sim) => {
            sim.connect(0, 1).run(4 * SECOND)
            expect(kinds(sim)).toEqual(['authenticating', 'connected'])
            sim.run(MINUTE)
            expect(kinds(sim)).toEqual(['connected', 'connected'])
            expect([sim.dials.length, sim.requests.length]).toEqual([3, 1])
          },
        )
    },
  )

  it('closes a room to its owner as any other does, where another link has settled', () => {
    for (const session of [{}, FIXED])
      tell({ source: renewing(late()), server: perLink(reject, accept), session }, (sim) => {
        sim.connect(0, 1).run(MINUTE)
        expect([kinds(sim), sim.requests.length]).toEqual([['refused', 'connected'], 1])
      })
  })

  it.each([
    ['exp alone', late()],
    ['exp and iat', lateWithIat],
  ])('has proved the clock wrong once a link has settled: %s', (_, make) => {
    // An outage of two minutes that shows nothing, before its true end.
    const server: Server = (dial) => {
      if (dial.at < MINUTE) return acceptThen(1006, MINUTE - dial.at)(dial)
      return dial.at < 3 * MINUTE ? refuseUnseen(dial) : accept(dial)
    }
    for (const session of [FIXED, { ...FIXED, everyDial: true }])
      tell({ source: constant(make(1, 0)), server, session }, (sim) => {
        sim.connect(0, 1).run(5 * MINUTE)
        expect([kinds(sim), everFailed(sim)]).toEqual([['connected', 'connected'], false])
      })
  })

  it('keeps its socket with closeAtExpiry, and shows no end', () => {
    const link = { closeAtExpiry: true }
    tell({ source: renewing(late()), server: accept, link }, (sim) => {
      sim.connect(0).run(DAY)
      expect([sim.dials.length, sim.requests.length]).toEqual([1, 1])
    })
  })
})

describe('where each token is past its exp when it comes', () => {
  it('a server that takes them is dialed once, and one request is made', () => {
    for (const everyDial of [false, true])
      tell({ source: renewing(late()), server: accept, session: { everyDial } }, (sim) => {
        sim.connect(0, 1).run(DAY)
        expect(kinds(sim)).toEqual(['connected', 'connected'])
        expect([sim.dials.length, sim.requests.length]).toEqual([2, 1])
      })
  })

  it('a server that refuses all ends the session after one round more', () => {
    tell({ source: renewing(late()), server: reject }, (sim) => {
      sim.connect(0).run(DAY)
      expect([kinds(sim), sim.dials.length, sim.requests.length]).toEqual([['failed'], 4, 3])
    })
  })

  it('an outage that shows nothing costs one forced refresh', () => {
    tell({ source: renewing(late()), server: refuseUnseen }, (sim) => {
      sim.connect(0).run(DAY)
      expect(sim.requests).toHaveLength(2)
      expect(sim.dials.length).toBeLessThanOrEqual(1_500)
      expect(everFailed(sim)).toBe(false)
    })
  })

  it('an outage that shows nothing costs a function a request a dial, with the delays of any other', () => {
    tell(
      { source: renewing(late()), server: refuseUnseen, session: { everyDial: true } },
      (sim) => {
        sim.connect(0).run(DAY)
        expect(sim.requests.filter(({ fresh }) => fresh)).toHaveLength(1)
        expect(sim.requests.length).toBeLessThanOrEqual(sim.dials.length + 1)
        expect(sim.dials.length).toBeLessThanOrEqual(1_500)
      },
    )
  })

  it('a token endpoint that is down is asked with its own backoff', () => {
    const source = inTurn(renewing(late()), saying('unavailable'))
    tell({ source, server: refuseUnseen }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.dials).toHaveLength(1)
      expect(sim.requests.length).toBeLessThan(60)
    })
  })
})

describe('the end of a token with exp alone', () => {
  it.each(
    [0, 1, 4].flatMap((slowS) => Object.keys(REFUSALS).map((seen) => [slowS, seen] as const)),
  )(
    'asks to sign in within one rejected dial, with a clock that is %d s slow and a refusal that is %s',
    (slowS, seen) => {
      const refusal = REFUSALS[seen]
      if (refusal === undefined) throw new Error(seen)
      // It closes at the end, as a server does that says "JWT expired" with 1000.
      const server: Server = (dial) => {
        if (isDead(dial)) return [refusal]
        const left = (dial.token.diesAt ?? 0) - dial.at
        return [
          { afterMs: 80, do: 'open' },
          { afterMs: left, do: 'close', code: 1000 },
        ]
      }
      const options = { source: renewing(expOnly(LIFE_S)), server, skewMs: -slowS * SECOND }
      tell({ ...options, session: FIXED }, (sim) => {
        sim.connect(0).run(31 * MINUTE)
        expect(sim.dials.filter(isDead).length).toBeLessThanOrEqual(1)
        expect(sim.link(0)).toMatchObject({ action: 'sign-in', problem: { kind: 'expired' } })
      })
    },
  )

  it.each([4, 60, LIFE_S])(
    'of %d s costs one dial and one request a life, and none is dialed dead',
    (lifeS) => {
      const server: Server = (dial) => {
        if (isDead(dial)) return refuseUnseen(dial)
        const left = (dial.token.diesAt ?? 0) - dial.at
        return [
          { afterMs: 80, do: 'open' },
          { afterMs: left, do: 'close', code: 1000 },
        ]
      }
      tell({ source: renewing(expOnly(lifeS)), server }, (sim) => {
        sim.connect(0).run(HOUR)
        expect(everFailed(sim)).toBe(false)
        expect(sim.dials.filter(isDead)).toEqual([])
        expect(sim.requests.length).toBe(sim.dials.length)
      })
    },
  )

  it.each([299_999, 299_000, 290_000, 271_000])(
    'is no loop of renewals in-band with a clock that is ahead by %d ms of 300,000',
    (skewMs) => {
      const options: Options = {
        source: renewing(expOnly(300)),
        server: () => [
          { afterMs: 50, do: 'open' },
          { afterMs: 60, do: 'greet' },
        ],
        renewals: 'taken',
        link: { renewal: 'in-band', greets: true },
        skewMs,
      }
      tell(options, (sim) => {
        sim.connect(0).run(HOUR)
        expect([sim.dials.length, sim.requests.length]).toEqual([1, 1])
      })
    },
  )

  it.each([
    [0, 15],
    [-HOUR, 2],
    [MINUTE, 19],
    [4 * MINUTE, 76],
    [HOUR, 1],
  ])(
    'is renewed in-band ahead of the end that it shows, with a clock ahead by %d ms',
    (skewMs, most) => {
      const options: Options = {
        source: renewing(expOnly(300)),
        server: () => [
          { afterMs: 50, do: 'open' },
          { afterMs: 60, do: 'greet' },
        ],
        renewals: 'taken',
        link: { renewal: 'in-band', greets: true },
        skewMs,
      }
      tell(options, (sim) => {
        sim.connect(0).run(HOUR)
        expect(sim.dials).toHaveLength(1)
        expect(sim.requests.length).toBeLessThanOrEqual(most)
      })
    },
  )
})

describe('an iat that is dated 8 h early', () => {
  it.each(Object.entries(REFUSALS))(
    'costs one rejected dial a life at most: a refusal that is %s',
    (_, refusal) => {
      const make = living(300, (now, exp) => ({ iat: now - 8 * 3_600, exp }))
      const server: Server = (dial) => {
        if (isDead(dial)) return [refusal]
        const left = (dial.token.diesAt ?? 0) - dial.at
        return [
          { afterMs: 80, do: 'open' },
          { afterMs: left, do: 'close', code: 1000 },
        ]
      }
      tell({ source: renewing(make), server }, (sim) => {
        sim.connect(0).run(HOUR)
        expect(everFailed(sim)).toBe(false)
        expect(sim.dials.filter(isDead).length).toBeLessThanOrEqual(12)
        expect(sim.requests.length).toBeLessThanOrEqual(13)
        expect(kinds(sim)).toEqual(['connected'])
      })
    },
  )

  it('and a clock that is ahead cost one refresh an outage, and no loop', () => {
    // 300 s with iat, and a clock that is 299 s ahead: the end seems to be a second away.
    const make = living(300, (now, exp) => ({ iat: now, exp }))
    const server: Server = (dial) =>
      dial.at < MINUTE ? acceptThen(1006, MINUTE - dial.at)(dial) : refuseUnseen(dial)
    tell({ source: renewing(make), server, skewMs: 299 * SECOND }, (sim) => {
      sim.connect(0).run(5 * MINUTE)
      expect(sim.requests.length).toBeLessThanOrEqual(3)
      expect(everFailed(sim)).toBe(false)
    })
  })
})
