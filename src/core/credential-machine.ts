/**
 * One for each session: whether a credential is held, asked for, waited for or refused, and which link may
 * dial with it. Pure: `at` and `roll` come with each event. Links speak to it by their `Standing`, and read
 * their `Grant`.
 */
import { isEnding, isExpired } from './credential.ts'
import {
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  type CredentialWork,
  initialCredentialState,
  isAsking,
  isRenewalWanted,
  isSettledOpen,
  isVouched,
} from './credential-state.ts'
import { NUDGE_EVERY_MS } from './delays.ts'
import { isDoubted } from './doubt.ts'
import { grantOf } from './grant.ts'
import { cameIn, left, released } from './identity.ts'
import { judge } from './judgement.ts'
import { isPause, renewAhead, renewable } from './renewal.ts'
import {
  absent,
  answered,
  askNow,
  due,
  ended,
  hold,
  hurry,
  offTheWire,
  refuse,
  release,
  replace,
  request,
  unavailable,
} from './requests.ts'
import { triedAgain } from './second-try.ts'
import { isKnown, type Standing } from './standing.ts'
import { NO_TRIAL } from './trial.ts'

type Open = Extract<Standing, { kind: 'open' }>

export const transition = (
  state: CredentialState,
  event: CredentialEvent,
  limits: CredentialLimits,
): CredentialState => advance(apply(state, event, limits), event, limits)

export const workOf = (state: CredentialState, limits: CredentialLimits): CredentialWork[] => {
  const work: CredentialWork[] = []
  const { phase, wire, trial } = state
  if (wire) work.push({ key: `request ${wire.id}`, kind: 'request', ask: wire.ask })
  if (phase.kind === 'requesting')
    work.push(timer('timed-out', phase.since + limits.tokenTimeoutMs))
  // Nobody asks a source again that nobody waits for.
  if (phase.kind === 'backing-off' && isAsking(state)) work.push(timer('due', phase.retryAt))
  if (phase.kind !== 'held') return work
  if (trial.notBefore !== undefined && isAsking(state)) work.push(timer('due', trial.notBefore))
  const { credential, renewal } = phase
  if (isPause(renewal) && isRenewalWanted(state, credential.id))
    work.push(timer('renewable', renewal.notBefore))
  return work
}

const timer = (
  event: Extract<CredentialWork, { kind: 'timer' }>['event'],
  at: number,
): CredentialWork => ({
  key: `${event} ${at}`,
  kind: 'timer',
  at,
  event,
})

const apply = (
  state: CredentialState,
  event: CredentialEvent,
  limits: CredentialLimits,
): CredentialState => {
  switch (event.type) {
    case 'link':
      return linkMoved(state, event, limits)
    case 'answered':
      return answered(state, event, limits)
    case 'signed-out':
      return refuse({ ...state, whose: released(state.whose) }, { kind: 'signed-out' })
    case 'unavailable':
      return unavailable(offTheWire(state), event, limits)
    case 'refused':
      return refuse(state, event.problem)
    case 'timed-out':
      return unavailable(
        limits.rotates ? state : offTheWire(state),
        { ...event, problem: { kind: 'token-unavailable', cause: undefined } },
        limits,
      )
    case 'due':
      return due(state, event)
    case 'renewable':
      return renewable(state)
    case 'login':
      return hold(
        {
          ...offTheWire(state),
          trial: NO_TRIAL,
          whose: cameIn(state.whose, event),
          roundFrom: event.credential.id,
          loginId: event.how === 'restore' ? undefined : event.credential.id,
        },
        event.credential,
      )
    case 'logout':
      // Its links are told to leave; what they still say meanwhile asks nobody for anything.
      return { ...initialCredentialState, requests: state.requests, whose: left(state.whose) }
    case 'released':
      return release(state)
    case 'refresh':
      return askNow(state, { reason: 'renewal', fresh: true }, event.at, limits)
    case 'changed':
      return state.phase.kind === 'held' || state.phase.kind === 'backing-off'
        ? askNow(state, { reason: 'renewal', fresh: false }, event.at, limits)
        : state
    case 'nudge':
      return isAsking(state) && event.at >= (state.nudgedAt ?? 0) + NUDGE_EVERY_MS
        ? hurry({ ...state, nudgedAt: event.at }, event.at)
        : state
    case 'reconnect':
      return isAsking(state) ? hurry(state, event.at) : state
  }
}

/** What follows from a state by itself: judgements, and requests that somebody waits for. */
const advance = (
  state: CredentialState,
  event: CredentialEvent,
  limits: CredentialLimits,
): CredentialState => {
  switch (state.phase.kind) {
    case 'absent':
      return isAsking(state) ? request(state, { reason: 'connect', fresh: false }, event.at) : state
    case 'held':
      return advanceHeld(state, event, limits)
    default:
      return state
  }
}

const advanceHeld = (
  before: CredentialState,
  event: CredentialEvent,
  limits: CredentialLimits,
): CredentialState => {
  const judged = judge(before, event, limits)
  switch (judged.kind) {
    case 'expired':
      return replace(judged.state, 'expired', event.at, limits, judged.problem)
    case 'rejected':
      return replace(judged.state, 'rejected', event.at, limits)
    case 'refused':
      return refuse(judged.state, judged.problem)
    case 'standing':
      return renewAhead(askWhereNeeded(judged.state, event.at, limits), event.at, limits)
  }
}

const askWhereNeeded = (
  state: CredentialState,
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  const { phase, trial } = state
  if (phase.kind !== 'held' || !isAsking(state) || trial.notBefore !== undefined) return state
  // The server's clock is not ours; only a value on trial is dialed to its last moment.
  const isOver = trial.rejections === 0 ? isEnding : isExpired
  if (isOver(phase.credential, at)) return replace(state, 'expired', at, limits)
  if (isDoubted(state, at, limits)) {
    const doubted = { ...state, doubtedAt: at, trial: { ...trial, doubted: true } }
    return request(doubted, { reason: 'rejected', fresh: true }, at, phase.credential)
  }
  // The confirming dial is made with the very value that was rejected.
  const confirms = trial.rejections === 2 && !isVouched(state)
  if (!limits.everyDial || confirms) return state
  for (const id of state.links.keys())
    if (grantOf(state, id)?.kind === 'go' && !phase.served.has(id))
      return request(state, { reason: 'reconnect', fresh: false }, at)
  return state
}

const linkMoved = (
  state: CredentialState,
  { id, standing, at }: Extract<CredentialEvent, { type: 'link' }>,
  limits: CredentialLimits,
): CredentialState => {
  if (isKnown(state.links.get(id), standing)) return state
  const links = new Map(state.links)
  if (standing.kind === 'out') links.delete(id)
  else links.set(id, standing)
  let next: CredentialState = { ...state, links }
  const { phase } = state
  if (phase.kind === 'held' && standing.kind === 'dialing' && phase.served.has(id)) {
    const served = new Set(phase.served)
    served.delete(id)
    next = { ...next, phase: { ...phase, served } }
  }
  if (isSettledOpen(standing))
    next = {
      ...next,
      trial: isProof(state, standing)
        ? NO_TRIAL
        : { ...state.trial, doubted: false, refusal: undefined },
      acceptedId: standing.credential,
    }
  // Both hold for the moment in which they are said: a login that comes later is not undone by them.
  if (standing.kind === 'asking') {
    const { demand } = standing
    if (demand.kind === 'ended') return ended(next, demand.problem)
    if (demand.kind === 'again' || demand.kind === 'retry')
      return triedAgain(next, demand.kind, at, limits)
  }
  // Nobody waits any more. A rotating refresh goes on: its answer must not be lost.
  if (links.size === 0 && phase.kind === 'requesting' && !limits.rotates)
    return phase.fallback ? hold(offTheWire(next), phase.fallback) : absent(next)
  return next
}

/** Does it clear the count? A socket of an earlier round says nothing of the value on trial. */
const isProof = ({ phase, roundFrom }: CredentialState, { trust, credential }: Open): boolean =>
  trust === 'proven' &&
  credential >= roundFrom &&
  !('ask' in phase && phase.ask.replaces !== undefined)
