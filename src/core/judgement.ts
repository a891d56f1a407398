/**
 * What a server's "no" means: the credential's expiry, a rejected credential, or a room that is closed to
 * its owner. Counted once for all links that report the same value.
 */
import { cameExpired } from './credential.ts'
import {
  type CredentialLimits,
  type CredentialState,
  isSettled,
  isSettledOpen,
  isTrusted,
  some,
} from './credential-state.ts'
import type { Problem } from './problem.ts'
import type { Demand, LinkId, Rejection, Standing } from './standing.ts'
import { confirming, NO_TRIAL } from './trial.ts'

export type Judgement =
  /** Nothing to decide, or decided by the state itself. */
  | { readonly kind: 'standing'; readonly state: CredentialState }
  | { readonly kind: 'expired'; readonly state: CredentialState; readonly problem: Problem }
  /** A fresh value is wanted. */
  | { readonly kind: 'rejected'; readonly state: CredentialState }
  | { readonly kind: 'refused'; readonly state: CredentialState; readonly problem: Problem }

type Moment = { readonly at: number; readonly roll: number }

export const judge = (
  before: CredentialState,
  moment: Moment,
  limits: CredentialLimits,
): Judgement => {
  const state = withoutStale(before)
  const pending = rejectionsOf(state)
  if (pending.size === 0 || isUndecided(state)) return { kind: 'standing', state }
  const end = [...pending.values()].find(({ isExpiry }) => isExpiry)
  if (end) return expired(state, pending, end)
  // Where somebody is settled on this very value it is good: who never settled on it was refused a room.
  const reports = new Map(
    [...pending].filter(([, no]) => isReport(no) || !isTrusted(state, no.credential)),
  )
  const rooms = answer(state, pending, (id) => (reports.has(id) ? 'keep' : 'unwelcome'))
  return count(rooms, reports, moment, limits)
}

/** A link that had settled speaks of the credential, and so does a probe: neither is about a room. */
const isReport = (rejection: Rejection): boolean =>
  rejection.witness === 'probe' || (rejection.reach !== 'dialing' && isSettled(rejection.reach))

const count = (
  state: CredentialState,
  pending: ReadonlyMap<LinkId, Rejection>,
  moment: Moment,
  limits: CredentialLimits,
): Judgement => {
  const [last] = pending.values()
  if (last === undefined) return { kind: 'standing', state }
  const { trial } = state
  const counted: CredentialState = {
    ...answer(state, pending, () => 'plain'),
    trial: {
      ...trial,
      rejected: new Set([...trial.rejected, ...pending.keys()]),
      first: trial.first ?? last.credential,
      problem: last.problem,
    },
  }
  if (trial.rejections === 0 && limits.canRenew)
    return { kind: 'rejected', state: { ...counted, trial: { ...counted.trial, rejections: 1 } } }
  if (trial.rejections < 2) {
    const spaced = confirming(counted.trial, moment, limits.scale)
    return { kind: 'standing', state: { ...counted, trial: spaced } }
  }
  // The third rejection is always the spaced one.
  if (trial.notBefore !== undefined) return { kind: 'standing', state: counted }
  if (some(state, isSettledOpen)) return besideOpenSockets(state, pending)
  const problem = trial.refusal ?? rejectedOf(counted, last)
  return { kind: 'refused', state: counted, problem }
}

/**
 * A person who has just signed in, and whose second token was rejected as the first was, helps nobody by signing in:
 * the token does not reach the server, or is for another one.
 */
const rejectedOf = (
  { acceptedId = -1, loginId, trial }: CredentialState,
  { credential, problem: last }: Rejection,
): Problem =>
  loginId !== undefined && acceptedId < loginId && credential !== trial.first
    ? { kind: 'rejected', last, action: 'fix-configuration' }
    : { kind: 'rejected', last }

/**
 * Nobody is signed out who has a working socket: the room is refused. Where the rejected link had settled too,
 * time has to show that the others work. A server that lets everybody in and out again after six seconds
 * leaves nine of ten open for a moment.
 */
const besideOpenSockets = (
  state: CredentialState,
  pending: ReadonlyMap<LinkId, Rejection>,
): Judgement => {
  const works = some(state, (standing) => standing.kind === 'open' && standing.trust === 'proven')
  const isOpen = (no: Rejection) => !works && no.witness === 'server' && isReport(no)
  const answered = answer(state, pending, (_, no) => {
    if (no.witness === 'probe') return 'plain'
    return isOpen(no) ? 'keep' : 'unwelcome'
  })
  const trial = [...pending.values()].some(isOpen) ? state.trial : NO_TRIAL
  return { kind: 'standing', state: trial === state.trial ? answered : { ...answered, trial } }
}

const expired = (
  state: CredentialState,
  pending: ReadonlyMap<LinkId, Rejection>,
  { problem }: Rejection,
): Judgement => {
  const wasAccepted = [...pending.values()].some(({ reach }) => reach !== 'dialing')
  const trial = wasAccepted ? NO_TRIAL : state.trial
  return { kind: 'expired', state: { ...answer(state, pending, () => 'plain'), trial }, problem }
}

/** While another link still tries a value of this round, its end says more than this one's. */
const isUndecided = (state: CredentialState): boolean =>
  some(
    state,
    (standing) =>
      (standing.kind === 'dialing' || (standing.kind === 'open' && !isSettled(standing.trust))) &&
      standing.credential >= state.roundFrom,
  )

/**
 * A rejection of a value of an earlier round says nothing: the next one is dialed. Nor does the end of a value that
 * had expired when it came, and that a link has settled on meanwhile: our clock is wrong.
 */
const withoutStale = (state: CredentialState): CredentialState => {
  const { phase, acceptedId, roundFrom } = state
  const isWrong = phase.kind === 'held' && cameExpired(phase.credential)
  const stale = [...rejectionsOf(state)].filter(
    ([, no]) =>
      no.credential < roundFrom || (isWrong && no.isExpiry && no.credential === acceptedId),
  )
  return answer(state, new Map(stale), () => 'plain')
}

const rejectionsOf = (state: CredentialState): Map<LinkId, Rejection> => {
  const rejections = new Map<LinkId, Rejection>()
  for (const [id, standing] of state.links)
    if (standing.kind === 'asking' && standing.demand.kind === 'rejected')
      rejections.set(id, standing.demand)
  return rejections
}

const answer = (
  state: CredentialState,
  pending: ReadonlyMap<LinkId, Rejection>,
  as: (id: LinkId, no: Rejection) => 'plain' | 'unwelcome' | 'keep',
): CredentialState => {
  const answers = [...pending].flatMap(([id, no]): [LinkId, Standing][] => {
    const kind = as(id, no)
    if (kind === 'keep') return []
    return [[id, asking(kind === 'plain' ? { kind } : { kind, problem: no.problem })]]
  })
  return answers.length === 0 ? state : { ...state, links: new Map([...state.links, ...answers]) }
}

const asking = (demand: Demand): Standing => ({ kind: 'asking', demand })
