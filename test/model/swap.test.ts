/** A token that is renewed by a second socket: the machine walked, and stories of the two machines together. */
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { standingOf } from '../../src/core/link-machine.ts'
import type { LinkEvent, LinkState, StateOf, Successor } from '../../src/core/link-state.ts'
import { isMoving, successorOf, swappingMachine } from '../../src/core/link-swap.ts'
import { dialInTurn, HOUR, ids, MINUTE, opaque, renewing, SECOND } from './scripts.ts'
import { type Options, type Server, Simulator, type Step } from './simulator.ts'
import { linkLimits, linkTransition, linkWork, VERDICTS, walked, walkLink } from './walk.ts'

const LIFE = 5 * MINUTE

const canFollow = ({ state }: { state: LinkState }): boolean =>
  successorOf(state)?.kind !== 'closing'

describe.each([
  ['a socket that is kept to its end', linkLimits({ ...swapping(), closeAtExpiry: false })],
  ['a socket that is left with its token', linkLimits(swapping())],
  ['an answer to a first message', linkLimits({ ...swapping(), answerTimeoutMs: 5_000 })],
])('the machine that swaps, with %s', (_, limits) => {
  const { places, edges, moves } = walked(walkLink(limits, swappingMachine))
  const swaps = places.filter(({ state }) => successorOf(state))
  const step = (state: LinkState, event: LinkEvent) =>
    swappingMachine.transition(state, event, limits)
  const socketsOf = (state: LinkState) =>
    swappingMachine.workOf(state, limits).flatMap((work) => (work.kind === 'socket' ? [work] : []))

  it('reaches each stage of a successor', () => {
    const stages = swaps.map(({ state }) => successorOf(state)?.kind)
    expect(new Set(stages)).toEqual(new Set(['dialing', 'joining', 'joined', 'closing']))
    expect(swaps.length).toBeGreaterThan(20)
  })

  it('returns the same object when nothing changes', () => {
    const copies = moves.filter(({ from, to }) => isDeepStrictEqual(from.state, to.state))
    expect(copies.map(({ from, event }) => [from.state.kind, event.type])).toEqual([])
  })

  it('has two sockets exactly while it swaps, each under a key of its own', () => {
    const wrong = places.filter(({ state }) => {
      const work = swappingMachine.workOf(state, limits)
      const wanted =
        state.kind === 'connecting' || state.kind === 'connected' || state.kind === 'closing'
          ? 1 + Number(successorOf(state) !== undefined)
          : 0
      return (
        socketsOf(state).length !== wanted || new Set(work.map(({ key }) => key)).size < work.length
      )
    })
    expect(wrong).toEqual([])
  })

  it('dials a second socket only where a younger credential was granted for it', () => {
    const begun = moves.filter(({ from, to }) => !successorOf(from.state) && successorOf(to.state))
    const events = begun.map(({ event }) => event.type === 'granted' && event.grant.kind)
    const wanted = begun.map(({ from }) => connected(from.state).renewal)
    expect(new Set(events)).toEqual(new Set(['renew']))
    expect(new Set(wanted.map((renewal) => renewal?.kind))).toEqual(new Set(['wanted']))
  })

  it('takes nothing of what a successor says as said by the current socket', () => {
    const wrong = moves.filter(({ from, to, event }) => {
      if (event.dial === undefined) return false
      const { renewal: _, ...before } = connected(from.state)
      if (to.state.kind !== 'connected') return true
      const { renewal: __, ...after } = to.state
      return !isDeepStrictEqual(before, after)
    })
    expect(wrong).toEqual([])
  })

  it('lets a successor go that ends, whatever its server said, and keeps the current socket', () => {
    const ends = edges.filter(({ event }) => event.dial !== undefined && event.type === 'closed')
    const left = ends.filter(
      ({ from, to }) =>
        !isDeepStrictEqual(socketsOf(to.state), socketsOf(from.state).slice(0, 1)) ||
        connected(to.state).renewal?.kind !== 'failed',
    )
    expect(ends.length).toBeGreaterThan(100)
    expect(left).toEqual([])
  })

  it('goes on with the successor where the current socket ends by itself, or is over', () => {
    const wrong = swaps.filter(canFollow).flatMap(({ state, at }) => {
      const ends: LinkEvent[] = [
        ...VERDICTS.map((verdict) => ({
          type: 'closed' as const,
          verdict,
          problem: { kind: 'timeout' as const },
          at: at + 1,
          roll: 0.5,
        })),
        { type: 'expired', at: at + 1, roll: 0.5 },
      ]
      return ends.filter((event) => {
        const next = step(state, event)
        const goesOn =
          event.type === 'expired' ||
          (event.type === 'closed' && ['retry', 'reauthenticate'].includes(String(event.verdict)))
        const [, second] = socketsOf(state)
        return isDeepStrictEqual(socketsOf(next), [second]) !== goesOn
      })
    })
    expect(wrong).toEqual([])
  })

  it('takes over no socket that has begun to close, and does without it', () => {
    const closings = swaps.filter((place) => !canFollow(place))
    const promoted = edges.filter(
      ({ from, to }) => !canFollow(from) && to.state.memory.dials > from.state.memory.dials,
    )
    expect(closings.length).toBeGreaterThan(0)
    expect(promoted).toEqual([])
    expect(closings.filter(({ state }) => isMoving(state))).toEqual([])
  })

  it('waits for the code of a current socket that has begun to close, where one can follow', () => {
    const wrong = swaps
      .filter(canFollow)
      .filter(({ state, at }) => step(state, { type: 'closing', at: at + 1, roll: 0.5 }) !== state)
    expect(wrong).toEqual([])
  })

  it('promotes a successor as far as it came, and under the same key', () => {
    const promoted = moves.filter(
      ({ from, to }) => successorOf(from.state) && to.state.memory.dials > from.state.memory.dials,
    )
    const wrong = promoted.filter(({ from, to }) => {
      const { kind, credential } = successor(from.state)
      const [, second] = socketsOf(from.state)
      return (
        to.state.kind !== (kind === 'dialing' ? 'connecting' : 'connected') ||
        to.state.credential !== credential ||
        !isDeepStrictEqual(socketsOf(to.state), [second])
      )
    })
    expect(promoted.length).toBeGreaterThan(50)
    expect(wrong).toEqual([])
  })

  it('moves by its own account only once all rooms are joined', () => {
    const moved = moves.filter(
      ({ from, to, event }) =>
        event.type === 'moved' && to.state.memory.dials > from.state.memory.dials,
    )
    expect(new Set(moved.map(({ from }) => successor(from.state).kind))).toEqual(
      new Set(['joined']),
    )
  })

  it('ends every swap by its own timers, the last answers within a second', () => {
    const stuck = swaps.filter(({ state, at }) => {
      const { kind } = successor(state)
      const timers = swappingMachine
        .workOf(state, limits)
        .flatMap((work) => (work.kind === 'timer' ? [work] : []))
      const ends = timers.filter(({ event }) => event === 'timed-out' || event === 'moved')
      const [end] = ends
      if (ends.length !== 1 || !end) return true
      const next = step(state, { type: end.event, at: Math.max(at, end.at), roll: 0.5 })
      const { greetedAt = 0 } = successor(state) as { greetedAt?: number }
      const isLate = kind === 'joined' && end.at !== greetedAt + 1_000
      return isLate || successorOf(next) !== undefined || end.at > at + limits.connectTimeoutMs
    })
    expect(stuck).toEqual([])
  })

  it('makes up for timers that slept, when the page shows', () => {
    const wrong = swaps.filter(canFollow).filter(({ state, at }) => {
      const woken = step(state, { type: 'nudge', at: at + HOUR, roll: 0.5 })
      const hasEnd = connected(state).credential.lifetimeMs !== undefined
      const left = (limits.closeAtExpiry && hasEnd) || successor(state).kind === 'joined'
      return (
        successorOf(woken) !== undefined || woken.memory.dials !== state.memory.dials + Number(left)
      )
    })
    expect(wrong).toEqual([])
  })

  it('is idle after a disconnect in the middle, and leaves no work', () => {
    const busy = swaps.filter(({ state, at }) => {
      const next = step(state, { type: 'disconnect', at, roll: 0 })
      return next.kind !== 'idle' || swappingMachine.workOf(next, limits).length > 0
    })
    expect(busy).toEqual([])
  })

  it('says to its session what it says without a successor', () => {
    const wrong = swaps.filter(({ state }) => {
      const { renewal: _, ...alone } = connected(state)
      return !isDeepStrictEqual(standingOf(state), standingOf(alone))
    })
    expect(wrong).toEqual([])
  })

  it('is the machine without a swap, as long as there is no successor', () => {
    const others = edges.filter(
      ({ from, event }) =>
        !successorOf(from.state) && !(event.type === 'granted' && event.grant.kind === 'renew'),
    )
    const wrong = others.filter(({ from, event, to }) => {
      const plain = linkTransition(from.state, event, limits)
      const isNew = plain.kind === 'connected' && from.state.kind !== 'connected'
      const expected = isNew ? { ...plain, renewal: connected(to.state).renewal } : plain
      return (
        !isDeepStrictEqual(to.state, expected) ||
        (isNew && connected(to.state).renewal?.kind !== 'planned')
      )
    })
    expect(others.length).toBeGreaterThan(1_000)
    expect(wrong).toEqual([])
    const alone = places.filter(({ state }) => !successorOf(state))
    for (const { state } of alone)
      expect(swappingMachine.workOf(state, limits)).toEqual(linkWork(state, limits))
  })
})

function swapping() {
  return { ownsRoom: false, greets: true, renewal: { kind: 'swap' } } as const
}

const connected = (state: LinkState): StateOf<'connected'> => {
  if (state.kind !== 'connected') throw new Error(`${state.kind}, not connected`)
  return state
}

const successor = (state: LinkState): Successor => {
  const found = successorOf(state)
  if (!found) throw new Error('no successor')
  return found
}

const welcome: Step[] = [
  { afterMs: 50, do: 'open' },
  { afterMs: 60, do: 'greet' },
]
const welcoming: Server = () => welcome
const closingAfter =
  (afterMs: number, code: number): Server =>
  () => [...welcome, { afterMs, do: 'close', code }]

const tell = (options: Partial<Options>, play: (sim: Simulator) => void): void => {
  for (const seed of ids(8))
    play(
      new Simulator({
        source: renewing(opaque(LIFE)),
        server: welcoming,
        machine: swappingMachine,
        link: { ...swapping(), closeAtExpiry: false },
        seed,
        ...options,
      }),
    )
}

const kindsOf = (sim: Simulator) => sim.states.map(({ kind }) => kind)

describe('A token that is renewed by a second socket', () => {
  it.each(['come', 'never'] as const)(
    'costs one request and one dial a lifetime, and is connected all the time (last answers: %s)',
    (lastAnswers) => {
      tell({ lastAnswers }, (sim) => {
        sim.connect(0).run(HOUR)
        // A lead of a tenth to a fifth: twelve lifetimes take 13 to 15 of them.
        expect(sim.dials.length).toBeGreaterThanOrEqual(13)
        expect(sim.dials.length).toBeLessThanOrEqual(16)
        expect(sim.requests.length).toBe(sim.dials.length)
        expect(new Set(sim.dials.map(({ token }) => token.value)).size).toBe(sim.dials.length)
        expect(kindsOf(sim)).toEqual(['authenticating', 'connecting', 'connected'])
        expect(sim.sockets).toHaveLength(1)
      })
    },
  )

  it('costs ten sockets one request a lifetime, and a dial each', () => {
    tell({}, (sim) => {
      sim.connect(...ids(10)).run(20 * MINUTE)
      expect(sim.requests.length).toBeLessThanOrEqual(6)
      expect(sim.dials.length).toBe(10 * sim.requests.length)
    })
  })

  it.each<[string, Server]>([
    [
      'is refused',
      () => [
        { afterMs: 50, do: 'open' },
        { afterMs: 60, do: 'close', code: 4003 },
      ],
    ],
    ['is refused with a status', () => [{ afterMs: 50, do: 'status', status: 401 }]],
    ['is nowhere to be reached', () => [{ afterMs: 50, do: 'fail' }]],
    ['hangs', () => []],
    ['opens, and is not welcomed', () => [{ afterMs: 50, do: 'open' }]],
    ['is closed as soon as it is welcomed', closingAfter(61, 1011)],
  ])('is no loss where the second socket %s: one more dial, and the first goes on', (_, server) => {
    tell({ server: dialInTurn(welcoming, server) }, (sim) => {
      sim.connect(0).run(HOUR)
      expect([sim.dials.length, sim.requests.length]).toEqual([2, 2])
      expect(kindsOf(sim)).toEqual(['authenticating', 'connecting', 'connected'])
      expect(sim.sockets).toHaveLength(1)
    })
  })

  it.each(['refused', 'silent'] as const)(
    'is no loss where a room of the second socket is %s',
    (joins) => {
      tell({ joins }, (sim) => {
        sim.connect(0).run(HOUR)
        expect([sim.dials.length, sim.requests.length]).toEqual([2, 2])
        expect(kindsOf(sim)).toEqual(['authenticating', 'connecting', 'connected'])
      })
    },
  )

  it('is dialed anyway, with no further request, when the first socket closes after a failed swap', () => {
    // The server ends the first socket with its token.
    const server = dialInTurn(
      closingAfter(LIFE, 4003),
      () => [{ afterMs: 50, do: 'fail' }],
      welcoming,
    )
    tell({ server }, (sim) => {
      sim.connect(0).run(LIFE + SECOND)
      expect([sim.dials.length, sim.requests.length]).toEqual([3, 2])
      expect(sim.link(0).kind).toBe('connected')
    })
  })

  it('becomes the only one where the first socket closes while the second is dialed', () => {
    const slow: Server = () => [
      { afterMs: 5_000, do: 'open' },
      { afterMs: 5_010, do: 'greet' },
    ]
    const sim = new Simulator({
      source: renewing(opaque(10 * SECOND)),
      // Renewed 1 s to 2 s before its end.
      server: dialInTurn(closingAfter(10_000, 4003), slow),
      machine: swappingMachine,
      link: { ...swapping(), closeAtExpiry: false },
    })
    sim.connect(0).run(14 * SECOND)
    expect([sim.dials.length, sim.requests.length]).toEqual([2, 2])
    expect(kindsOf(sim)).toEqual([
      'authenticating',
      'connecting',
      'connected',
      'connecting',
      'connected',
    ])
  })

  it('begins anew, once, where both sockets close', () => {
    const server = dialInTurn(closingAfter(LIFE, 1006), closingAfter(LIFE, 1006), welcoming)
    tell({ server, joins: 'silent', link: { ...swapping(), connectTimeoutMs: HOUR } }, (sim) => {
      sim.connect(0).run(3 * LIFE)
      expect(sim.link(0).kind).toBe('connected')
      expect(sim.sockets.length).toBeLessThanOrEqual(2)
      expect(sim.dials.length).toBeLessThanOrEqual(5)
    })
  })

  it('is nobody’s after a disconnect in the middle of a swap', () => {
    const hanging = dialInTurn(welcoming, () => [])
    tell({ server: hanging }, (sim) => {
      sim.watch = () => {
        if (successorOf(sim.link(0))) sim.disconnect(0)
      }
      sim.connect(0).run(HOUR)
      expect([sim.dials.length, sim.requests.length, sim.sockets]).toEqual([2, 2, []])
      expect(sim.link(0).kind).toBe('idle')
    })
  })

  it('whose end is not known is renewed when the server says that it expires', () => {
    tell({ source: renewing() }, (sim) => {
      sim.connect(0).run(HOUR)
      expect(sim.dials).toHaveLength(1)
      sim.tell(0, { type: 'expiring' })
      sim.run(MINUTE)
      expect([sim.dials.length, sim.requests.length]).toEqual([2, 2])
    })
  })

  it('holds writes back from the welcome of the second socket until it is the only one', () => {
    tell({}, (sim) => {
      const stages: string[] = []
      sim.watch = () => {
        const state = sim.link(0)
        const stage = `${successorOf(state)?.kind ?? 'alone'} ${isMoving(state)}`
        if (stages[stages.length - 1] !== stage) stages.push(stage)
      }
      sim.connect(0).run(LIFE)
      expect(stages).toEqual([
        'alone false',
        'dialing false',
        'joining true',
        'joined true',
        'alone false',
      ])
    })
  })
})
