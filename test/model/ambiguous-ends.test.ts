/** Codes and statuses by which some servers say that the token is bad, and others something else. */
import { describe, expect, it } from 'vitest'
import {
  accept,
  acceptThen,
  constant,
  DAY,
  dialInTurn,
  everFailed,
  forced,
  HOUR,
  ids,
  inTurn,
  kinds,
  MINUTE,
  perLink,
  refuseUnseen,
  renewing,
  SECOND,
  saying,
  tell,
} from './scripts.ts'
import { closedWith, type Server, Simulator, type Step } from './simulator.ts'

const FIXED = { canRenew: false, canAsk: false }

const status =
  (code: number): Server =>
  () => [{ afterMs: 80, do: 'status', status: code }]
/** Lets in whom another token than the first one carries. */
const stale =
  (refusal: Server): Server =>
  (dial) =>
    dial.token.value === 'token 1' ? refusal(dial) : accept(dial)

const ENDS: readonly [string, Server][] = [
  ['3500 (Centrifugo: invalid token)', acceptThen(3500, 100)],
  ['4000', acceptThen(4000, 1)],
  ['4001 (“Token expired”)', acceptThen(4001, 1)],
  ['4001 a second after the open', acceptThen(4001, SECOND)],
  ['4002', acceptThen(4002, 100)],
  ['4004 (Discord: authentication failed)', acceptThen(4004, 100)],
  ['4008', acceptThen(4008, 100)],
  ['4009 (Pusher: unauthorized)', acceptThen(4009, 100)],
  ['4010', acceptThen(4010, 100)],
  ['4100 (Liveblocks: authorize again)', acceptThen(4100, 100)],
  ['4109 (Liveblocks: token expired)', acceptThen(4109, 100)],
  ['4199', acceptThen(4199, 100)],
  ['302 (oauth2-proxy)', status(302)],
  ['303 (mod_auth_mellon)', status(303)],
  ['307 (traefik-forward-auth)', status(307)],
]

describe.each(ENDS)('before settling, %s', (_, refusal) => {
  it('costs one forced refresh, with which the server lets in', () => {
    tell({ source: renewing(), server: stale(refusal) }, (sim) => {
      sim.connect(0).run(10 * SECOND)
      expect(sim.requests.map(({ reason, fresh }) => [reason, fresh])).toEqual([
        ['connect', false],
        ['rejected', true],
      ])
      expect([kinds(sim), sim.dials.length]).toEqual([['connected'], 2])
    })
  })

  it('counts once: then it is dialed again and again, and never ends a session', () => {
    const sim = new Simulator({ source: renewing(), server: refusal })
    sim.connect(0).run(DAY)
    expect([forced(sim), sim.requests.length, everFailed(sim)]).toEqual([1, 2, false])
    expect(sim.dials.length).toBeLessThanOrEqual(1_500)
    expect(sim.dials.length).toBeGreaterThan(1_300)
    // Who answered with a word need not be asked whether it answers.
    expect(sim.probes).toEqual([])
  })

  it('asks nothing where nothing can be renewed, and ends nothing', () => {
    tell({ source: constant(), server: refusal, session: FIXED }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([sim.requests.length, everFailed(sim)]).toEqual([1, false])
    })
  })

  it('asks nothing while another socket of the session is open', () => {
    tell({ source: renewing(), server: perLink(accept, refusal) }, (sim) => {
      sim.connect(0).run(SECOND).connect(1).run(HOUR)
      expect([sim.requests.length, everFailed(sim), sim.link(0).kind]).toEqual([
        1,
        false,
        'connected',
      ])
    })
  })

  it('refreshes a token that this server had accepted after 30 s only: no rollout is a refresh herd', () => {
    const server = dialInTurn(acceptThen(1006, MINUTE), refusal)
    tell({ source: renewing(), server }, (sim) => {
      sim.connect(0).run(MINUTE + 30 * SECOND)
      expect(forced(sim)).toBe(0)
      sim.run(3 * MINUTE)
      expect(forced(sim)).toBe(1)
      sim.run(HOUR)
      expect([forced(sim), everFailed(sim)]).toEqual([1, false])
    })
  })
})

it('ends the session where the refresh that it costs is refused', () => {
  const options = {
    source: inTurn(renewing(), saying('refused')),
    server: acceptThen(4001, 1),
  }
  tell(options, (sim) => {
    sim.connect(0).run(MINUTE)
    expect([kinds(sim), sim.requests.length]).toEqual([['failed'], 2])
  })
})

it('is one suspicion with silence: both together cost one refresh', () => {
  tell({ source: renewing(), server: dialInTurn(refuseUnseen, acceptThen(4001, 1)) }, (sim) => {
    sim.connect(0).run(HOUR)
    expect(forced(sim)).toBe(1)
  })
})

describe('controls', () => {
  it.each([1001, 1012, 3001, 3005, 3501, 3999, 4011, 4099, 4200, 4404, 4408, 4429, 4500, 4999])(
    '%d before settling says nothing of the token',
    (code) => {
      tell({ source: renewing(), server: acceptThen(code, 100) }, (sim) => {
        sim.connect(0).run(HOUR)
        expect([sim.requests.length, everFailed(sim)]).toEqual([1, false])
      })
    },
  )

  it.each([407, 408, 429, 500, 502, 503])('nor does the status %d', (code) => {
    tell({ source: renewing(), server: status(code) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([sim.requests.length, everFailed(sim)]).toEqual([1, false])
    })
  })

  it.each([200, 300, 301, 304, 305, 308, 400, 404, 410, 426])(
    'the status %d, where it never connected, is a wrong address at once',
    (code) => {
      tell({ source: renewing(), server: status(code) }, (sim) => {
        sim.connect(0).run(HOUR)
        expect(sim.link(0)).toMatchObject({ kind: 'failed', action: 'fix-configuration' })
        expect([sim.requests.length, sim.dials.length]).toEqual([1, 1])
      })
    },
  )

  it.each([3500, 4000, 4001, 4002, 4004, 4009, 4109])(
    '%d after settling costs no refresh',
    (code) => {
      tell({ source: renewing(), server: acceptThen(code, 6 * SECOND) }, (sim) => {
        sim.connect(0).run(DAY / 4)
        expect([sim.requests.length, everFailed(sim)]).toEqual([1, false])
      })
    },
  )
})

/** A server that keeps the newest socket of an account only: the older one is closed with the code. */
const twoDevices = (code: number, seed: number): [Simulator, Simulator] => {
  const open: Step = { afterMs: 80, do: 'open' }
  const replaces =
    (other: () => Simulator): Server =>
    ({ at }) => {
      other().at(at + 80, () => {
        const device = other()
        const link = device.link(0)
        const isOpen = link.kind === 'connected' || (link.kind === 'connecting' && link.openedAt)
        if (isOpen) device.tell(0, closedWith(code))
      })
      return [open]
    }
  const one: Simulator = new Simulator({ source: renewing(), server: replaces(() => two), seed })
  const two: Simulator = new Simulator({
    source: renewing(),
    server: replaces(() => one),
    seed: seed + 1_000,
  })
  return [one, two]
}

/** In step, so that neither is told of what has not happened yet. */
const together = (devices: readonly Simulator[], ms: number): void => {
  const end = (devices[0]?.now ?? 0) + ms
  for (let at = devices[0]?.now ?? 0; at < end; at += 20)
    for (const device of devices) device.runUntil(at + 20)
}

describe.each([4000, 4001, 4010])('two devices of one account, kicked with %d', (code) => {
  it.each(ids(4))('leave each other in peace more and more (seed %i)', (seed) => {
    const devices = twoDevices(code, seed)
    const [one, two] = devices
    one.connect(0)
    two.at(8 * SECOND, () => two.connect(0))
    together(devices, HOUR)
    const dials = (from: number, to: number) =>
      devices.flatMap((sim) => sim.dials).filter(({ at }) => at >= from && at < to).length
    expect(dials(0, MINUTE)).toBeLessThanOrEqual(16)
    expect(dials(10 * MINUTE, HOUR)).toBeLessThanOrEqual(120)
    expect(dials(10 * MINUTE, HOUR)).toBeGreaterThan(30)
    for (const device of devices) {
      expect(everFailed(device)).toBe(false)
      expect(forced(device)).toBeLessThanOrEqual(6)
    }
  })
})
