/** How an attempt ends, what a link waits for then, and what shortens it. */
import { type Credential, cameExpired, isExpired, isExpiry } from './credential.ts'
import { isSettled } from './credential-state.ts'
import { backoffMs, NUDGE_EVERY_MS, RETRY_EVERY_MS, restartMs } from './delays.ts'
import { isOverdue, wanted } from './link-renewal.ts'
import type {
  EventOf,
  LinkEvent,
  LinkLimits,
  LinkState,
  Memory,
  Probe,
  StateOf,
} from './link-state.ts'
import {
  isAmbiguousClose,
  isRestart,
  isSignInPage,
  isSilentClose,
  POLICY_VIOLATION,
} from './policy.ts'
import type { Action, Problem } from './problem.ts'
import type { Demand, Rejection, Trust } from './standing.ts'

export const PLAIN: Demand = { kind: 'plain' }

/** What a connection that lasted, or the end of a credential's life, leaves of earlier failures. */
export const CALM = { failures: 0, suspectSince: undefined }

/** A connection of so long is no answer to the one before it. */
const LONG_MS = 600_000

export const ask = (memory: Memory, demand: Demand): LinkState => ({
  kind: 'authenticating',
  memory,
  demand,
})

export const down = (memory: Memory, at: number): Memory => ({
  ...memory,
  downSince: memory.downSince ?? at,
})

/** A refused room is the link's own; where links have no room, something else in the handshake is wrong. */
export const refuse = (memory: Memory, problem: Problem, limits: LinkLimits): LinkState =>
  limits.ownsRoom
    ? { kind: 'refused', memory, problem }
    : { kind: 'failed', memory, problem, action: 'fix-configuration' }

/** With a socket, whatever it is about to do. */
type Dialed = StateOf<'connecting'> | StateOf<'connected'> | StateOf<'closing'>

const isDialed = (state: LinkState): state is Dialed =>
  state.kind === 'connecting' || state.kind === 'connected' || state.kind === 'closing'

const trustOf = (state: Dialed): Trust | undefined =>
  state.kind === 'connecting' ? undefined : state.trust

export const closed = (
  state: LinkState,
  event: EventOf<'closed'>,
  limits: LinkLimits,
): LinkState => {
  if (!isDialed(state)) return state
  const { verdict, problem, at } = event
  const memory = down(state.memory, at)
  // Advice is a word of the server: there is nothing to suspect.
  if (typeof verdict === 'object')
    return {
      ...wait(state, event, problem, limits),
      notBefore: at + verdict.retryAfterMs,
      probe: 'none',
    }
  switch (verdict) {
    case 'retry':
      return ended(state, event, problem, limits)
    case 'reauthenticate': {
      // Who exchanges credentials for tickets was asked about the credential, and about no room.
      const reach = problem.kind === 'dial' ? 'settled' : reachOf(state)
      return rejected({ ...state, memory }, at, reach, 'server', problem)
    }
    case 'sign-in':
      return ask(memory, { kind: 'ended', problem })
    case 'refuse-room':
      return refuse(memory, problem, limits)
    case 'stop':
      return { kind: 'failed', memory, problem, action: whoMends(problem) }
  }
}

/** The end of a credential's life is no failure. */
const rejected = (
  { memory, credential }: { readonly memory: Memory; readonly credential: Credential },
  at: number,
  reach: Rejection['reach'],
  witness: Rejection['witness'],
  problem: Problem,
): LinkState => {
  const over = isExpiry(credential, at)
  const demand = { kind: 'rejected', credential: credential.id, isExpiry: over } as const
  return ask(over ? { ...memory, ...CALM } : memory, { ...demand, reach, witness, problem })
}

/** As far as this link ever came with the value: one that had settled on it is no stranger to its room. */
const reachOf = (state: Dialed): Rejection['reach'] =>
  state.memory.settledOn === state.credential.id ? 'settled' : (trustOf(state) ?? 'dialing')

const whoMends = (problem: Problem): Action =>
  problem.kind === 'closed' || problem.kind === 'verdict-frame'
    ? 'contact-server'
    : 'fix-configuration'

/** As far as the socket came that ends. At the end of the credential's life the server means the credential. */
export const stageOf = (state: LinkState, at: number): 'open' | 'settled' =>
  isDialed(state) && hasSettled(state) && !isExpiry(state.credential, at) ? 'settled' : 'open'

const hasSettled = (state: Dialed): boolean => isSettled(trustOf(state) ?? 'open')

/** What had expired when it came is not tried again: an end that may mean the credential is its answer. */
export const ended = (
  state: Dialed,
  event: LinkEvent,
  problem: Problem,
  limits: LinkLimits,
): LinkState => {
  const waiting = wait(state, event, problem, limits)
  return isDoubtful(waiting.probe) && cameExpired(state.credential)
    ? rejected(waiting, event.at, reachOf(state), 'server', problem)
    : waiting
}

const wait = (
  state: Dialed,
  { at, roll }: LinkEvent,
  problem: Problem,
  limits: LinkLimits,
): StateOf<'waiting'> => {
  const probe = probeOf(state, problem)
  const told = toldOf(state, at, problem)
  const failures = told ?? state.memory.failures + 1
  // A server that restarts once is met soon; one that goes on refusing is left in peace like any other.
  const restarts = problem.kind === 'closed' && isRestart(problem.code) && failures === 1
  const delay = restarts ? restartMs(roll) : backoffMs(failures, roll)
  // Nobody heard of the token: a browser held the dial back, or packets were lost. The option `probe` is asked all the same.
  const isUnheard = problem.kind === 'timeout' && problem.opened === false
  const isSuspect = !isUnheard && isDoubtful(probe)
  const suspectSince = isSuspect ? (state.memory.suspectSince ?? at) : undefined
  return {
    kind: 'waiting',
    memory: { ...down(state.memory, at), failures, suspectSince, ...(told && { told }) },
    due: at + delay * limits.scale,
    notBefore: at,
    problem,
    probe,
    credential: state.credential,
  }
}

const isDoubtful = (probe: Probe): boolean => probe === 'asking' || probe === 'answers'

/** An attempt that ended without a clear word: it may be the credential, or not. */
const probeOf = (state: Dialed, problem: Problem): Probe => {
  const code = problem.kind === 'closed' ? problem.code : 0
  if (hasSettled(state)) return code === POLICY_VIOLATION ? 'violation' : 'none'
  // Who says something answers.
  if (isAmbiguousClose(code) || (problem.kind === 'status' && isSignInPage(problem.status)))
    return 'answers'
  const isSilent =
    isSilentClose(code) || problem.kind === 'unreachable' || problem.kind === 'timeout'
  return isSilent ? 'asking' : 'none'
}

/**
 * A server that closes with a word of its own means it the next time, too: who is signed out by another device, or
 * sends too much, and comes back at once, is closed at once. Settling forgets none of it; a long life does.
 */
const toldOf = (state: Dialed, at: number, problem: Problem): number | undefined => {
  if (problem.kind !== 'closed') return undefined
  if (problem.code !== POLICY_VIOLATION && !isAmbiguousClose(problem.code)) return undefined
  const { failures, told = 0 } = state.memory
  const isLong = at - (state.openedAt ?? at) >= LONG_MS
  return Math.max(failures, isLong ? 0 : told) + 1
}

export const retry = (state: StateOf<'waiting'>): LinkState => ask(state.memory, demandOf(state))

const demandOf = ({ probe, notBefore, memory }: StateOf<'waiting'>): Demand => {
  if (probe === 'violation') return { kind: 'violation' }
  return probe === 'answers' && memory.suspectSince !== undefined
    ? // The wait is no evidence: only what was tried counts.
      { kind: 'suspect', forMs: notBefore - memory.suspectSince }
    : PLAIN
}

export const probed = (state: LinkState, { probe, at }: EventOf<'probed'>): LinkState => {
  if (state.kind !== 'waiting' || state.probe !== 'asking') return state
  if (probe !== 'refused')
    return { ...state, probe: probe satisfies Probe, problem: known(state, probe) }
  return rejected(state, at, 'dialing', 'probe', { kind: 'probe' })
}

const known = (state: StateOf<'waiting'>, probe: Probe): Problem =>
  state.problem.kind === 'unreachable'
    ? { ...state.problem, hostAnswers: probe !== 'gone' }
    : state.problem

/**
 * News from the page shortens the backoff, never the server's advice. Flapping networks shorten it once. A
 * timer that slept with the machine is made up for.
 */
export const nudge = (state: LinkState, { at }: LinkEvent, limits: LinkLimits): LinkState => {
  if (state.kind === 'connected' && limits.closeAtExpiry && isExpired(state.credential, at))
    return ask(down(state.memory, at), PLAIN)
  if (isOverdue(state, at)) return wanted(state)
  if (state.kind === 'failed') return retried(state, at)
  if (state.kind !== 'waiting') return state
  if (at >= Math.max(state.due, state.notBefore)) return retry(state)
  const { nudgedAt } = state.memory
  if (at >= state.due) return state
  if (nudgedAt !== undefined && at - nudgedAt < NUDGE_EVERY_MS) return state
  return { ...state, due: at, memory: { ...state.memory, nudgedAt: at } }
}

/** Who was rejected when an auth backend was down is not signed out for good. */
const retried = (state: StateOf<'failed'>, at: number): LinkState => {
  const { retriedAt = Number.NEGATIVE_INFINITY } = state.memory
  return state.problem.kind === 'rejected' && at - retriedAt >= RETRY_EVERY_MS
    ? ask({ ...state.memory, retriedAt: at }, { kind: 'retry' })
    : state
}
