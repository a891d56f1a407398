import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { LinkEvent, LinkState } from '../../src/core/link-state.ts'
import { linkLimits, linkTransition, linkWork, standingOf, walked, walkLink } from './walk.ts'

const KINDS = [
  'idle',
  'authenticating',
  'connecting',
  'connected',
  'closing',
  'waiting',
  'refused',
  'failed',
]
const DIALED = ['connecting', 'connected', 'closing']

const trustOf = (state: LinkState) =>
  state.kind === 'connected' || state.kind === 'closing' ? state.trust : undefined

const isRejected = (state: LinkState) =>
  state.kind === 'failed' && state.problem.kind === 'rejected'

describe.each([
  ['rooms of their own', linkLimits()],
  ['one socket for all', linkLimits({ ownsRoom: false, closeAtExpiry: false })],
  ['a server that greets', linkLimits({ greets: true })],
  ['a server that answers a first message', linkLimits({ greets: true, answerTimeoutMs: 5_000 })],
  ['hasty limits', linkLimits({ scale: 0.001, settleMs: 1, connectTimeoutMs: 1 })],
])('the link machine with %s', (_, limits) => {
  const { places, edges, moves } = walked(walkLink(limits))
  const step = (state: LinkState, event: LinkEvent) => linkTransition(state, event, limits)
  const socketOf = (state: LinkState) =>
    linkWork(state, limits).find(({ kind }) => kind === 'socket')?.key

  it('reaches every kind of state, and nothing else', () => {
    const kinds = limits.ownsRoom ? KINDS : KINDS.filter((kind) => kind !== 'refused')
    expect(new Set(places.map(({ state }) => state.kind))).toEqual(new Set(kinds))
    expect(places.length).toBeGreaterThan(100)
  })

  it('returns the same object when nothing changes, and a whole state for every event', () => {
    const copies = moves.filter(({ from, to }) => isDeepStrictEqual(from.state, to.state))
    expect(copies.map(({ from, event }) => [from.state.kind, event.type])).toEqual([])
    expect(edges.filter(({ to }) => !KINDS.includes(to.state.kind))).toEqual([])
  })

  it('is idle after a disconnect, wherever it was, and has forgotten its failures', () => {
    const busy = places.filter(({ state, at }) => {
      const next = step(state, { type: 'disconnect', at, roll: 0 })
      const { failures, suspectSince, nudgedAt } = next.memory
      const clean = failures === 0 && suspectSince === undefined && nudgedAt === undefined
      const silent = linkWork(next, limits).length === 0 && standingOf(next).kind === 'out'
      return next.kind !== 'idle' || !clean || !silent
    })
    expect(busy).toEqual([])
  })

  it('leaves idle, refused and failed by verbs and a login only, and a rejection by news of the page', () => {
    const quiet = ['idle', 'failed', ...(limits.ownsRoom ? ['refused'] : [])]
    const leavers = moves
      .filter(({ from }) => quiet.includes(from.state.kind))
      .map(({ from, event }) => `${from.state.kind} ${event.type}`)
    const verbs = quiet.flatMap((kind) => [
      `${kind} connect`,
      `${kind} reconnect`,
      `${kind} disconnect`,
    ])
    expect(new Set(leavers)).toEqual(
      new Set([
        ...verbs.filter((verb) => verb !== 'idle disconnect'),
        'failed signed-in',
        'failed nudge',
      ]),
    )
    const nudged = moves.filter(
      ({ from, event }) => from.state.kind === 'failed' && event.type === 'nudge',
    )
    expect(nudged.every(({ from }) => isRejected(from.state))).toBe(true)
  })

  it('owns no work in quiet states, and one socket, timers or a probe in busy ones', () => {
    const wrong = places.filter(({ state }) => {
      const work = linkWork(state, limits)
      const count = (kind: string) => work.filter((item) => item.kind === kind).length
      const dials = DIALED.includes(state.kind)
      return (
        work.length > 0 !== (dials || state.kind === 'waiting') ||
        count('socket') !== Number(dials) ||
        count('heartbeat') !== Number(state.kind === 'connected') ||
        count('probe') !== Number(state.kind === 'waiting' && state.probe === 'asking') ||
        new Set(work.map(({ key }) => key)).size !== work.length
      )
    })
    expect(wrong).toEqual([])
  })

  it('keeps its socket from the dial until it leaves it, and never takes one up again', () => {
    const wrong = moves.filter(({ from, to }) => {
      const [before, after] = [socketOf(from.state), socketOf(to.state)]
      if (after === undefined || after === before) return false
      return (
        before !== undefined ||
        from.state.kind !== 'authenticating' ||
        to.state.memory.dials !== from.state.memory.dials + 1
      )
    })
    expect(wrong).toEqual([])
  })

  it('ends every wait by its own timers', () => {
    const stuck = places.filter(({ state, at }) => {
      if (state.kind !== 'connecting' && state.kind !== 'waiting') return false
      let [now, next] = [at, state as LinkState]
      for (let rings = 0; rings < 3 && next.kind === state.kind; rings++) {
        const timers = linkWork(next, limits).filter((work) => work.kind === 'timer')
        const first = timers.reduce((one, other) => (other.at < one.at ? other : one))
        now = Math.max(now, first.at)
        next = step(next, { type: first.event, at: now, roll: 0.5 })
      }
      return next.kind === state.kind
    })
    expect(stuck).toEqual([])
  })

  it('waits no longer than a backoff allows, and never less than the advice', () => {
    const wrong = moves.filter(({ to, event }) => {
      const { state } = to
      if (state.kind !== 'waiting' || event.type !== 'closed') return false
      const advice = typeof event.verdict === 'object' ? event.verdict.retryAfterMs : 0
      const wait = state.due - event.at
      return state.notBefore !== event.at + advice || wait < 0 || wait > 75_000 * limits.scale
    })
    expect(wrong).toEqual([])
  })

  it('moves the advice of a server for nothing but a disconnect or the end of the session', () => {
    const early = moves
      .filter(({ from, to, event }) => {
        const { state } = from
        return state.kind === 'waiting' && state.notBefore > event.at && to.state.kind !== 'waiting'
      })
      .map(({ event }) => (event.type === 'granted' ? event.grant.kind : event.type))
    // A timer rings at its time only; the walk also rings it early.
    expect(new Set(early)).toEqual(new Set(['disconnect', 'fail', 'due']))
  })

  it('dials with a granted credential only, and with no word of the page', () => {
    const wrong = moves.filter(
      ({ from, to, event }) =>
        to.state.kind === 'connecting' &&
        from.state.kind !== 'connecting' &&
        !(event.type === 'granted' && event.grant.kind === 'go'),
    )
    expect(wrong).toEqual([])
  })

  it('probes the host only after an attempt that ended in silence', () => {
    const closedBy = (event: LinkEvent, code: number) =>
      event.type === 'closed' &&
      event.verdict === 'retry' &&
      event.problem.kind === 'closed' &&
      event.problem.code === code
    const wrong = moves.filter(({ from, to, event }) => {
      if (to.state.kind !== 'waiting' || from.state.kind === 'waiting') return false
      const settled = trustOf(from.state) === 'settled' || trustOf(from.state) === 'proven'
      const silent =
        event.type === 'timed-out' ||
        (event.type === 'closed' &&
          event.verdict === 'retry' &&
          (event.problem.kind === 'unreachable' ||
            (event.problem.kind === 'closed' && event.problem.code === 1006)))
      const spoken = closedBy(event, 4000) ? 'answers' : 'none'
      const unsettled = silent ? 'asking' : spoken
      const wanted = closedBy(event, 1008) ? 'violation' : 'none'
      return to.state.probe !== (settled ? wanted : unsettled)
    })
    expect(wrong).toEqual([])
  })

  it('counts failures until a connection lasted, and keeps them over an open and a welcome', () => {
    const wrong = moves.filter(({ from, to, event }) => {
      const [before, after] = [from.state.memory.failures, to.state.memory.failures]
      const told = Math.max(before, from.state.memory.told ?? 0)
      if (to.state.kind === 'waiting' && from.state.kind !== 'waiting')
        return after !== before + 1 && !(to.state.memory.told === after && after === told + 1)
      if (event.type === 'settled') return after !== 0
      const verb = ['connect', 'reconnect', 'disconnect'].includes(event.type)
      const isEnd = event.type === 'closed' || event.type === 'timed-out'
      const isRejection =
        (event.type === 'closed' && event.verdict === 'reauthenticate') ||
        (event.type === 'probed' && event.probe === 'refused')
      const expiry = isRejection || (isEnd && to.state.kind === 'authenticating')
      return after !== before && !((verb || expiry) && after === 0)
    })
    expect(wrong).toEqual([])
  })

  it('is closing once its socket is, whose end is judged by how far it had come', () => {
    const begun = moves.filter(({ event }) => event.type === 'closing')
    const wrong = begun.filter(({ from, to }) => {
      const { state } = from
      const wasOpen =
        state.kind === 'connected' || (state.kind === 'connecting' && state.openedAt !== undefined)
      const left = standingOf(to.state)
      const before = standingOf(state)
      return (
        !wasOpen ||
        to.state.kind !== 'closing' ||
        socketOf(to.state) !== socketOf(state) ||
        left.kind !== before.kind ||
        ('trust' in left && 'trust' in before && left.trust !== before.trust)
      )
    })
    expect(begun.length).toBeGreaterThan(10)
    expect(wrong).toEqual([])
    const differ = edges.filter(({ from, event, to }) => {
      const { state } = from
      if (event.type !== 'closed') return false
      const closing = step(state, { type: 'closing', at: event.at, roll: 0.5 })
      return closing.kind === 'closing' && !isDeepStrictEqual(step(closing, event), to.state)
    })
    expect(differ).toEqual([])
  })

  it('knows since when it is down, exactly while it is', () => {
    const wrong = places.filter(({ state }) => {
      const isDown = state.memory.downSince !== undefined
      return isDown === (state.kind === 'connected' || state.kind === 'idle')
    })
    expect(wrong).toEqual([])
  })
})

it.each([
  ['before the open the dial alone counts', undefined, 5_000, 10_000],
  ['after it the answer has its own time', 1_000, 5_000, 6_000],
  ['which lengthens no dial', 8_000, 5_000, 10_000],
  ['and without an answer to wait for the dial counts on', 1_000, undefined, 10_000],
])('a dial gives up: %s', (_, openedAt, answerTimeoutMs, at) => {
  const limits = linkLimits({ greets: true, answerTimeoutMs })
  const connecting: LinkState = {
    kind: 'connecting',
    memory: { everConnected: false, failures: 0, dials: 1 },
    credential: { id: 1, receivedAt: 0 },
    since: 0,
    ...(openedAt !== undefined && { openedAt }),
  }
  expect(linkWork(connecting, limits)).toContainEqual({
    key: `timed-out ${at}`,
    kind: 'timer',
    event: 'timed-out',
    at,
  })
  const next = linkTransition(connecting, { type: 'timed-out', at, roll: 0 }, limits)
  expect(next).toMatchObject({
    kind: 'waiting',
    probe: 'asking',
    problem: { kind: 'timeout', opened: openedAt !== undefined },
  })
})
