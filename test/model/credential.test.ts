import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isExpired } from '../../src/core/credential.ts'
import {
  type CredentialLimits,
  type CredentialState,
  isAsking,
  isSettledOpen,
  isVouched,
  some,
} from '../../src/core/credential-state.ts'
import { grantOf } from '../../src/core/grant.ts'
import {
  credentialLimits,
  credentialTransition,
  credentialWork,
  walkCredential,
  walked,
} from './walk.ts'

const PHASES = ['absent', 'requesting', 'held', 'backing-off', 'refused']
const ANSWERS = ['answered', 'unavailable', 'refused', 'signed-out']

describe.each<[string, CredentialLimits, number[]]>([
  ['a function', credentialLimits({ everyDial: true, signsInElsewhere: true }), [1]],
  ['a token that can be renewed', credentialLimits(), [1]],
  ['a rotating refresh token', credentialLimits({ rotates: true }), [1]],
  ['two links and one fixed token', credentialLimits({ canRenew: false, canAsk: false }), [1, 2]],
])('the credential machine with %s', (_, limits, links) => {
  const { places, edges, moves } = walked(walkCredential(limits, links))
  const isWaiting = (state: CredentialState) =>
    state.phase.kind === 'requesting' ||
    (state.phase.kind === 'backing-off' && isAsking(state)) ||
    (state.phase.kind === 'held' && state.trial.notBefore !== undefined && isAsking(state)) ||
    isPausing(state)
  const isPausing = ({ phase, links }: CredentialState) =>
    phase.kind === 'held' &&
    phase.renewal !== undefined &&
    phase.renewal.notBefore > 0 &&
    Number.isFinite(phase.renewal.notBefore) &&
    [...links.values()].some(
      (link) =>
        link.kind === 'open' && link.wants !== undefined && link.credential === phase.credential.id,
    )

  it('reaches every phase', () => {
    expect(new Set(places.map(({ state }) => state.phase.kind))).toEqual(new Set(PHASES))
    expect(places.length).toBeGreaterThan(100)
  })

  it('returns the same object when nothing changes', () => {
    const copies = moves
      .filter(({ from, to }) => isDeepStrictEqual(from.state, to.state))
      .map(({ from, event }) => `${from.state.phase.kind} ${event.type}`)
    // A logout makes everything new: what a link says after it is news.
    expect([...new Set(copies)].filter((copy) => copy !== 'absent logout')).toEqual([])
  })

  it('hears nothing that a link says twice', () => {
    const twice = places.filter(({ state, at }) =>
      [...state.links].some(([id, standing]) => {
        const event = { type: 'link', id, standing, at, roll: 0.5 } as const
        const next = credentialTransition(state, event, limits)
        // Only time may have moved on: what was held has expired.
        return next !== state && next.requests === state.requests && next.phase.kind !== 'refused'
      }),
    )
    expect(twice).toEqual([])
  })

  it('has one request on the wire, and lets none take its place before it ended', () => {
    const wrong = moves.filter(({ from, to, event }) => {
      const count = credentialWork(to.state, limits).filter(({ kind }) => kind === 'request').length
      if (count !== Number(to.state.wire !== undefined)) return true
      const { wire } = from.state
      if (!wire || !to.state.wire || wire === to.state.wire) return false
      if (ANSWERS.includes(event.type) || event.type === 'login') return false
      return event.at - wire.since < (limits.rotates ? 30_000 : limits.tokenTimeoutMs)
    })
    expect(wrong).toEqual([])
  })

  it('drops a rotating refresh from the wire for its answer, its end or the end of the session only', () => {
    if (!limits.rotates) return
    const dropped = moves.filter(({ from, to }) => from.state.wire && !to.state.wire)
    const wrong = dropped.filter(
      ({ to, event }) =>
        !ANSWERS.includes(event.type) &&
        !['login', 'logout'].includes(event.type) &&
        to.state.phase.kind !== 'refused',
    )
    expect([dropped.length > 0, wrong]).toEqual([true, []])
  })

  it('owns no work in quiet states, and some in busy ones', () => {
    const wrong = places.filter(({ state }) => {
      const work = credentialWork(state, limits)
      const keys = work.map(({ key }) => key)
      if (new Set(keys).size !== keys.length) return true
      if (!limits.rotates && state.phase.kind !== 'requesting' && state.wire) return true
      const kinds = work.map(({ kind }) => kind).join(' ')
      if (state.phase.kind === 'absent' || state.phase.kind === 'refused') return kinds !== ''
      if (state.phase.kind === 'requesting') return kinds !== 'request timer'
      return kinds.includes('timer') !== isWaiting(state)
    })
    expect(wrong).toEqual([])
  })

  it('ends every wait by its own timers, also when they ring a moment early', () => {
    const stuck = places.filter((place) => {
      let [now, next] = [place.at, place.state]
      for (let rings = 0; rings < 4 && isWaiting(next); rings++) {
        const timers = credentialWork(next, limits).filter((work) => work.kind === 'timer')
        const first = timers.reduce((one, other) => (other.at < one.at ? other : one))
        now = Math.max(now, first.at - 1)
        next = credentialTransition(next, { type: first.event, at: now, roll: 0.5 }, limits)
        if (next.requests > place.state.requests) return false
      }
      return isWaiting(next)
    })
    expect(stuck).toEqual([])
  })

  it('grants no credential that has expired', () => {
    const wrong = edges.filter(({ to, event }) =>
      links.some((id) => {
        const grant = grantOf(to.state, id)
        return grant?.kind === 'go' && isExpired(grant.credential, event.at)
      }),
    )
    expect(wrong).toEqual([])
  })

  it('answers every link that asks', () => {
    const wrong = places.filter(({ state }) =>
      [...state.links].some(
        ([id, { kind }]) => kind === 'asking' && grantOf(state, id) === undefined,
      ),
    )
    expect(wrong).toEqual([])
  })

  it('lets one link alone try a value after a counted rejection', () => {
    const wrong = places.filter(({ state }) => {
      const { phase, trial } = state
      if (phase.kind !== 'held' || trial.rejections === 0) return false
      if (isVouched(state)) return false
      return links.filter((id) => grantOf(state, id)?.kind === 'go').length > 1
    })
    expect(wrong).toEqual([])
  })

  it('ends a session for rejections only with the third, the spaced one, and no link settled', () => {
    const ends = moves.filter(
      ({ from, to }) =>
        from.state.phase !== to.state.phase &&
        to.state.phase.kind === 'refused' &&
        to.state.phase.problem.kind === 'rejected',
    )
    const wrong = ends.filter(({ from, to }) => {
      const { rejections, notBefore } = from.state.trial
      return rejections !== 2 || notBefore !== undefined || some(to.state, isSettledOpen)
    })
    expect([ends.length > 0, wrong]).toEqual([true, []])
  })

  it('keeps the settled sockets of a refused session, and fails its other links', () => {
    const wrong = places.filter(
      ({ state }) =>
        state.phase.kind === 'refused' &&
        [...state.links].some(
          ([id, link]) => (grantOf(state, id)?.kind === 'fail') === isSettledOpen(link),
        ),
    )
    expect(wrong).toEqual([])
  })

  it('leaves a refused session by a verb or a login only', () => {
    const leavers = moves
      .filter(
        ({ from, to }) => from.state.phase.kind === 'refused' && to.state.phase.kind !== 'refused',
      )
      .map(({ event }) =>
        event.type === 'link' && event.standing.kind === 'asking'
          ? event.standing.demand.kind
          : event.type,
      )
    expect(new Set(leavers)).toEqual(
      // News of the page may, and where there is nothing to ask a verb too, with the value that was rejected last.
      new Set(['login', 'logout', 'again', 'retry', ...(limits.canAsk ? ['refresh'] : [])]),
    )
  })

  it('is absent after logout, knows nobody and wants nothing', () => {
    const wrong = places.filter(({ state, at }) => {
      const next = credentialTransition(state, { type: 'logout', at, roll: 0 }, limits)
      const clean = next.whose.credential === undefined && next.trial.rejections === 0
      return next.phase.kind !== 'absent' || !clean || credentialWork(next, limits).length > 0
    })
    expect(wrong).toEqual([])
  })
})
