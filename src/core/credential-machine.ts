/**
 * One for each session: whether a credential is held, asked for, waited for or refused, and which link may
 * dial with it. Pure: `at` and `roll` come with each event. Links speak to it by their `Standing`, and read
 * their `Grant`.
 */
import { type Credential, isExpired } from './credential.ts'
import {
  type Ask,
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  type CredentialWork,
  initialCredentialState,
  isSettled,
  isTrusted,
} from './credential-state.ts'
import { sourceBackoffMs } from './delays.ts'
import { grantOf } from './grant.ts'
import { judge } from './judgement.ts'
import type { Problem } from './problem.ts'
import type { Demand, LinkId, Standing } from './standing.ts'
import { confirming, NO_TRIAL } from './trial.ts'

/** A rotating refresh that has not answered for so long is given up: a new one may start. */
const WIRE_LIMIT_MS = 30_000
/** A credential that this server had accepted is doubted only after so long: a rollout is no refresh herd. */
const ACCEPTED_DOUBT_MS = 30_000

export const transition = (
  state: CredentialState,
  event: CredentialEvent,
  limits: CredentialLimits,
): CredentialState => advance(apply(state, event, limits), event, limits)

export const workOf = (state: CredentialState, limits: CredentialLimits): CredentialWork[] => {
  const work: CredentialWork[] = []
  const { phase, wire, trial } = state
  if (wire) work.push({ key: `request ${wire.id}`, kind: 'request', ask: wire.ask })
  if (phase.kind === 'requesting' && wire)
    work.push(timer('timed-out', wire.since + limits.tokenTimeoutMs))
  if (phase.kind === 'backing-off') work.push(timer('due', phase.retryAt))
  if (phase.kind === 'held' && trial.notBefore !== undefined)
    work.push(timer('due', trial.notBefore))
  return work
}

const timer = (event: 'due' | 'timed-out', at: number): CredentialWork => ({
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
      return linkMoved(state, event.id, event.standing, limits)
    case 'answered':
      return answered(state, event, limits)
    case 'signed-out':
      return { ...refuse(state, { kind: 'signed-out' }), identity: undefined }
    case 'unavailable':
      return unavailable(offTheWire(state), event, limits)
    case 'refused':
      return refuse(state, event.problem)
    case 'timed-out':
      return unavailable(
        limits.rotates ? state : offTheWire(state),
        { ...event, problem: { kind: 'timeout' } },
        limits,
      )
    case 'due':
      return due(state, event, limits)
    case 'login':
      return hold(
        { ...offTheWire(state), trial: NO_TRIAL, identity: event.credential.identity },
        event.credential,
      )
    case 'logout':
      return { ...initialCredentialState, requests: state.requests, links: state.links }
    case 'refresh':
      return askNow(state, { reason: 'renewal', fresh: true }, event.at, limits)
    case 'changed':
      return state.phase.kind === 'held' || state.phase.kind === 'backing-off'
        ? askNow(state, { reason: 'renewal', fresh: false }, event.at, limits)
        : state
  }
}

/** What follows from a state by itself: judgements, and requests that somebody waits for. */
const advance = (
  state: CredentialState,
  event: CredentialEvent,
  limits: CredentialLimits,
): CredentialState => {
  const { at } = event
  const ended = demandOf(state, 'ended')
  if (ended && state.phase.kind !== 'refused') return refuse(state, ended.problem)
  switch (state.phase.kind) {
    case 'absent':
      return isAsking(state) ? request(state, { reason: 'connect', fresh: false }, at) : state
    case 'refused':
      return limits.canAsk && demandOf(state, 'again')
        ? request({ ...state, trial: NO_TRIAL }, { reason: 'connect', fresh: true }, at)
        : state
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
      return replace(judged.state, 'expired', event.at, limits)
    case 'rejected':
      return replace(judged.state, 'rejected', event.at, limits)
    case 'refused':
      return refuse(judged.state, judged.problem)
    case 'standing':
      return askWhereNeeded(judged.state, event.at, limits)
  }
}

const askWhereNeeded = (
  state: CredentialState,
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  const { phase, trial } = state
  if (phase.kind !== 'held' || !isAsking(state) || trial.notBefore !== undefined) return state
  if (isExpired(phase.credential, at)) return replace(state, 'expired', at, limits)
  const doubt = demandOf(state, 'suspect')
  if (doubt && mayDoubt(state, doubt, at, limits)) {
    const doubted: CredentialState = { ...state, trial: { ...trial, doubted: true } }
    return request(doubted, { reason: 'rejected', fresh: true }, at, phase.credential)
  }
  const exempt = trial.rejections === 2 && !isTrusted(state, phase.credential.id)
  if (!limits.everyDial || exempt) return state
  for (const id of state.links.keys())
    if (grantOf(state, id)?.kind === 'go' && !phase.served.has(id))
      return request(state, { reason: 'reconnect', fresh: false }, at)
  return state
}

/** Attempts that fail in silence cost at most one refresh, and none while any socket of the session is open. */
const mayDoubt = (
  state: CredentialState,
  doubt: Extract<Demand, { kind: 'suspect' }>,
  at: number,
  limits: CredentialLimits,
): boolean => {
  if (state.phase.kind !== 'held' || !limits.canRenew || state.trial.doubted) return false
  for (const standing of state.links.values()) if (standing.kind === 'open') return false
  const accepted = state.acceptedId === state.phase.credential.id
  return !accepted || at - doubt.since >= ACCEPTED_DOUBT_MS * limits.scale
}

const linkMoved = (
  state: CredentialState,
  id: LinkId,
  standing: Standing,
  limits: CredentialLimits,
): CredentialState => {
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
  if (standing.kind === 'open' && isSettled(standing.trust)) next = trusted(next, standing)
  // Nobody waits any more. A rotating refresh goes on: its answer must not be lost.
  if (links.size === 0 && phase.kind === 'requesting' && !limits.rotates)
    return phase.fallback ? hold(offTheWire(next), phase.fallback) : absent(next)
  return next
}

const trusted = (
  state: CredentialState,
  standing: Extract<Standing, { kind: 'open' }>,
): CredentialState => {
  const { phase } = state
  const current = phase.kind === 'held' && phase.credential.id === standing.credential
  const trial =
    current && standing.trust === 'proven' ? NO_TRIAL : { ...state.trial, doubted: false }
  return current ? { ...state, trial, acceptedId: standing.credential } : { ...state, trial }
}

const answered = (
  state: CredentialState,
  event: Extract<CredentialEvent, { type: 'answered' }>,
  limits: CredentialLimits,
): CredentialState => {
  const { credential, at } = event
  const replaces = state.wire?.ask.replaces
  const next = offTheWire(state)
  const fail = (problem: Problem) =>
    limits.canRenew ? unavailable(next, { ...event, problem }, limits) : refuse(next, problem)
  if (isOther(state.identity, credential.identity))
    return fail({ kind: 'token-invalid', cause: undefined })
  const same = replaces?.id === credential.id
  if (isExpired(credential, at) || (same && replaces.because === 'expired'))
    return fail({ kind: 'expired' })
  const held = hold({ ...next, identity: credential.identity ?? state.identity }, credential)
  return same ? { ...held, trial: confirming(held.trial, event, limits.scale) } : held
}

const isOther = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other

const unavailable = (
  state: CredentialState,
  event: { at: number; roll: number; problem: Problem; retryAfterMs?: number },
  limits: CredentialLimits,
): CredentialState => {
  const { phase } = state
  if (phase.kind !== 'requesting') return state
  if (phase.fallback && !isExpired(phase.fallback, event.at)) return hold(state, phase.fallback)
  const failures = phase.failures + 1
  const wait = Math.max(
    sourceBackoffMs(failures, event.roll) * limits.scale,
    event.retryAfterMs ?? 0,
  )
  const { ask } = phase
  return {
    ...state,
    phase: { kind: 'backing-off', ask, failures, retryAt: event.at + wait, problem: event.problem },
  }
}

const due = (
  state: CredentialState,
  { at }: { at: number },
  limits: CredentialLimits,
): CredentialState => {
  const { phase, wire, trial } = state
  if (phase.kind === 'held' && trial.notBefore !== undefined) {
    const ready: CredentialState = { ...state, trial: { ...trial, notBefore: undefined } }
    return isExpired(phase.credential, at) ? replace(ready, 'expired', at, limits) : ready
  }
  if (phase.kind !== 'backing-off') return state
  if (wire && at - wire.since < WIRE_LIMIT_MS)
    return { ...state, phase: { ...phase, retryAt: wire.since + WIRE_LIMIT_MS } }
  return request(state, phase.ask, at, undefined, phase.failures)
}

/** A verb: asks now, and keeps what is held for the case that no answer comes. */
const askNow = (
  state: CredentialState,
  ask: Ask,
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  switch (state.phase.kind) {
    case 'held':
      if (!limits.canRenew) return state
      return request(state, ask, at, state.phase.credential)
    case 'requesting':
      return state
    case 'backing-off':
      return state.wire
        ? state
        : request(state, state.phase.ask, at, undefined, state.phase.failures)
    default:
      return limits.canAsk ? request(state, { ...ask, reason: 'connect' }, at) : state
  }
}

const request = (
  state: CredentialState,
  ask: Ask,
  at: number,
  fallback?: Credential,
  failures = 0,
): CredentialState => ({
  ...state,
  phase: { kind: 'requesting', ask, failures, ...(fallback && { fallback }) },
  wire: { id: state.requests + 1, since: at, ask },
  requests: state.requests + 1,
})

/** Drops what is held and asks for another value; refused where none can be had. */
const replace = (
  state: CredentialState,
  because: 'rejected' | 'expired',
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  if (state.phase.kind !== 'held') return state
  if (!limits.canRenew) return refuse(state, { kind: 'expired' })
  const reason = because === 'expired' ? 'renewal' : 'rejected'
  const replaces = { id: state.phase.credential.id, because }
  return request(state, { reason, fresh: true, replaces }, at)
}

const hold = (state: CredentialState, credential: Credential): CredentialState => {
  const links = new Map(state.links)
  const served = new Set<LinkId>()
  for (const [id, standing] of links) {
    if (standing.kind !== 'asking') continue
    served.add(id)
    const { kind } = standing.demand
    if (kind === 'suspect' || kind === 'again') links.set(id, PLAIN)
  }
  return { ...state, links, phase: { kind: 'held', credential, served } }
}

const PLAIN: Standing = { kind: 'asking', demand: { kind: 'plain' } }

const refuse = (state: CredentialState, problem: Problem): CredentialState => ({
  ...offTheWire(state),
  trial: NO_TRIAL,
  phase: { kind: 'refused', problem },
})

const absent = (state: CredentialState): CredentialState => ({
  ...offTheWire(state),
  phase: { kind: 'absent' },
})

const offTheWire = ({ wire: _, ...state }: CredentialState): CredentialState => state

const isAsking = (state: CredentialState): boolean => {
  for (const standing of state.links.values()) if (standing.kind === 'asking') return true
  return false
}

const demandOf = <Kind extends Demand['kind']>(
  state: CredentialState,
  kind: Kind,
): Extract<Demand, { kind: Kind }> | undefined => {
  for (const standing of state.links.values())
    if (standing.kind === 'asking' && isKind(standing.demand, kind)) return standing.demand
  return undefined
}

const isKind = <Kind extends Demand['kind']>(
  demand: Demand,
  kind: Kind,
): demand is Extract<Demand, { kind: Kind }> => demand.kind === kind
