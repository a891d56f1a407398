/** Asking the source of a session, and what its answers mean. */
import { type Credential, cameExpired, expiresAt, isExpired } from './credential.ts'
import {
  type Ask,
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  isSettledOpen,
  type Renewal,
  some,
} from './credential-state.ts'
import { sourceBackoffMs } from './delays.ts'
import { answeredBy, released, unnamed, type Whose } from './identity.ts'
import { type Problem, STRANGER } from './problem.ts'
import type { LinkId } from './standing.ts'
import { confirming, NO_TRIAL } from './trial.ts'

/** A rotating refresh that has not answered for so long is given up: a new one may start. */
const WIRE_LIMIT_MS = 30_000

/** One flight: what is on the wire already is waited for, with patience of its own. */
export const request = (
  state: CredentialState,
  ask: Ask,
  at: number,
  fallback?: Credential,
  failures = 0,
): CredentialState => {
  const asked = { kind: 'requesting', since: at, ask, failures } as const
  const phase = fallback ? { ...asked, fallback } : asked
  if (state.wire && at < state.wire.since + WIRE_LIMIT_MS) return { ...state, phase }
  const requests = state.requests + 1
  return { ...state, phase, requests, wire: { id: requests, since: at, ask } }
}

/** Drops what is held and asks for another value; refused where none can be had. */
export const replace = (
  state: CredentialState,
  because: 'rejected' | 'expired',
  at: number,
  limits: CredentialLimits,
  last?: Problem,
): CredentialState => {
  if (state.phase.kind !== 'held') return state
  if (!limits.canRenew) return refuse(state, endOf(state.phase.credential, last))
  const reason = because === 'expired' ? 'renewal' : 'rejected'
  const replaces = { id: state.phase.credential.id, because }
  return request(state, { reason, fresh: true, replaces }, at)
}

const endOf = (credential: Credential, last?: Problem): Problem => ({
  kind: 'expired',
  at: credential.claimedExpiry ?? expiresAt(credential),
  last,
})

/** A verb: asks now, and keeps what is held for the case that no answer comes. */
export const askNow = (
  state: CredentialState,
  ask: Ask,
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  const { phase } = state
  switch (phase.kind) {
    case 'held':
      return limits.canRenew ? request(state, ask, at, phase.credential) : state
    case 'requesting':
      return state
    case 'backing-off':
      return state.wire ? state : request(state, phase.ask, at, undefined, phase.failures)
    default:
      return limits.canAsk ? askAgain(state, at, limits) : state
  }
}

/** Whoever signed in meanwhile. Of a session it is the same person while a socket of theirs is open. */
export const askAgain = (
  state: CredentialState,
  at: number,
  { signsInElsewhere }: CredentialLimits,
): CredentialState => {
  const next: Whose['next'] = some(state, isSettledOpen) ? 'same' : 'named'
  const whose = signsInElsewhere ? released(state.whose) : { ...state.whose, next }
  return request({ ...state, whose }, { reason: 'connect', fresh: true }, at)
}

/** Nobody wants a socket any more, and who comes next is not bound by what was. */
export const release = (state: CredentialState): CredentialState => {
  const whose = released(state.whose)
  if (whose === state.whose) return state
  const { kind } = state.phase
  const free = { ...state, whose, trial: NO_TRIAL }
  if (kind === 'held') return free
  // The source has answered: whoever comes next need not wait.
  return kind === 'backing-off' && whose.strangers > 0 ? absent(free) : { ...state, whose }
}

/** So many answers of somebody else in a row are no mistake. */
const STRANGERS = 3

export const answered = (
  state: CredentialState,
  event: Extract<CredentialEvent, { type: 'answered' }>,
  limits: CredentialLimits,
): CredentialState => {
  const { credential, at } = event
  const { phase } = state
  // What is wanted now: the wire may have been there before.
  const wanted = phase.kind === 'requesting' || phase.kind === 'backing-off' ? phase.ask : undefined
  const replaces = wanted?.replaces
  const next = offTheWire(state)
  const fail = (problem: Problem, from = next) =>
    limits.canRenew && from.whose.strangers < STRANGERS
      ? unavailable(from, { ...event, problem }, limits)
      : refuse(from, problem)
  const whose = answeredBy(state.whose, credential)
  if (!whose) return fail(STRANGER, stranger(next))
  const same = replaces?.id === credential.id
  if (isExpired(credential, at) || (same && replaces.because === 'expired')) {
    const end = endOf(credential)
    // Tried, and nothing else is to be had.
    return cameExpired(credential) && credential.id !== state.acceptedId
      ? refuse(next, end)
      : fail(end)
  }
  // What is asked for before each dial may be another value each time, and no better than the last one.
  const roundFrom =
    wanted?.reason === 'reconnect' ? Math.min(state.roundFrom, credential.id) : credential.id
  const isOld = phase.kind === 'requesting' && phase.fallback?.id === credential.id
  const held = hold({ ...next, whose, roundFrom }, credential, isOld ? exhausted() : undefined)
  if (same) return { ...held, trial: confirming(held.trial, event, limits.scale) }
  // What has just been made, here or in another tab, is what doubt would have asked for.
  return wanted?.fresh || wanted?.reason === 'renewal'
    ? { ...held, trial: { ...held.trial, doubted: true } }
    : held
}

const stranger = (state: CredentialState): CredentialState => ({
  ...state,
  whose: { ...state.whose, strangers: state.whose.strangers + 1 },
})

export const unavailable = (
  state: CredentialState,
  event: { at: number; roll: number; problem: Problem; retryAfterMs?: number },
  limits: CredentialLimits,
): CredentialState => {
  const { phase } = state
  if (phase.kind !== 'requesting') return state
  const failures = phase.failures + 1
  const notBefore = event.at + (event.retryAfterMs ?? 0)
  const due = event.at + sourceBackoffMs(failures, event.roll) * limits.scale
  const { ask, fallback } = phase
  const retryAt = Math.max(due, notBefore)
  if (fallback && !isExpired(fallback, event.at)) {
    const free = state.wire ? state.wire.since + WIRE_LIMIT_MS : 0
    return hold(state, fallback, { failures, notBefore: Math.max(retryAt, free) })
  }
  return {
    ...state,
    phase: { kind: 'backing-off', ask, failures, retryAt, notBefore, problem: event.problem },
  }
}

export const due = (state: CredentialState, { at }: { at: number }): CredentialState => {
  const { phase, wire, trial } = state
  if (phase.kind === 'held' && trial.notBefore !== undefined)
    return { ...state, trial: { ...trial, notBefore: undefined } }
  if (phase.kind !== 'backing-off') return state
  // Compared with the plan, not with the clock: a timer may ring early.
  const free = wire ? wire.since + WIRE_LIMIT_MS : 0
  return phase.retryAt < free
    ? { ...state, phase: { ...phase, retryAt: free } }
    : request(offTheWire(state), phase.ask, at, undefined, phase.failures)
}

/** Asks at once where somebody waits out a backoff, and as soon as the source's own advice allows. */
export const hurry = (state: CredentialState, at: number): CredentialState => {
  const { phase, wire } = state
  if (phase.kind !== 'backing-off' || wire) return state
  if (at >= phase.notBefore) return request(state, phase.ask, at, undefined, phase.failures)
  const { notBefore } = phase
  return phase.retryAt === notBefore ? state : { ...state, phase: { ...phase, retryAt: notBefore } }
}

export const hold = (
  state: CredentialState,
  credential: Credential,
  renewal?: Renewal,
): CredentialState => {
  const served = new Set<LinkId>()
  for (const [id, { kind }] of state.links) if (kind === 'asking') served.add(id)
  const held = { kind: 'held', credential, served } as const
  return { ...state, phase: renewal ? { ...held, renewal } : held }
}

/** The source gave the same value again: it has no younger one. */
const exhausted = (): Renewal => ({ failures: 0, notBefore: Infinity })

export const refuse = (state: CredentialState, problem: Problem): CredentialState => ({
  ...offTheWire(state),
  trial: NO_TRIAL,
  phase: {
    kind: 'refused',
    problem,
    ...(state.phase.kind === 'held' && { credential: state.phase.credential }),
  },
})

/** The server said so. Where it named another person than the token, that says nothing any more. */
export const ended = (state: CredentialState, problem: Problem): CredentialState =>
  refuse(
    problem.kind === 'token-invalid' ? { ...state, whose: unnamed(state.whose) } : state,
    problem,
  )

export const absent = (state: CredentialState): CredentialState => ({
  ...offTheWire(state),
  phase: { kind: 'absent' },
})

export const offTheWire = (state: CredentialState): CredentialState => {
  if (!state.wire) return state
  const { wire: _, ...rest } = state
  return rest
}
