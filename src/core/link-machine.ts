/**
 * One for each socket: what it does now and what must be running for it. Pure: `at` and `roll` come with
 * each event. Messages do not pass through here.
 */
import { expiresAt } from './credential.ts'
import { backoffMs, restartMs } from './delays.ts'
import type { LinkEvent, LinkLimits, LinkState, LinkWork, Memory, Probe } from './link-state.ts'
import { isRestart, isSilentClose } from './policy.ts'
import type { Action, Problem } from './problem.ts'
import type { Demand, Standing } from './standing.ts'

/** Open for so long without a word from the server, a link is taken as accepted. */
const ACCEPTED_MS = 250
/** Accepted for so long, a credential's rejections are forgotten. */
const PROVEN_MS = 20_000
const NUDGE_EVERY_MS = 5_000

type Event<Type extends LinkEvent['type']> = Extract<LinkEvent, { type: Type }>
type State<Kind extends LinkState['kind']> = Extract<LinkState, { kind: Kind }>

export const transition = (state: LinkState, event: LinkEvent, limits: LinkLimits): LinkState => {
  switch (event.type) {
    case 'connect':
      return connect(state, event)
    case 'disconnect':
      return state.kind === 'idle' ? state : { kind: 'idle', memory: forget(state.memory) }
    case 'reconnect':
      return reconnect(state, event)
    case 'signed-in':
      return state.kind === 'failed' && state.action === 'sign-in'
        ? ask(state.memory, PLAIN)
        : state
    case 'redial':
      return state.kind === 'connected' ? ask(down(state.memory, event.at), PLAIN) : state
    case 'granted':
      return granted(state, event, limits)
    case 'opened':
      return state.kind === 'connecting' && state.openedAt === undefined
        ? { ...state, openedAt: event.at }
        : state
    case 'accepted':
      return state.kind === 'connecting' && !limits.greets ? accepted(state, 'open') : state
    case 'greeted':
      return greeted(state)
    case 'settled':
      return state.kind === 'connected' && state.trust === 'open' ? settle(state) : state
    case 'proven':
      return state.kind === 'connected' ? { ...settle(state), trust: 'proven' } : state
    case 'closed':
      return closed(state, event, limits)
    case 'timed-out':
      return state.kind === 'connecting' ? wait(state, event, { kind: 'timeout' }, limits) : state
    case 'expired':
      return state.kind === 'connected' ? ask(down(state.memory, event.at), PLAIN) : state
    case 'due':
      return state.kind === 'waiting' ? retry(state) : state
    case 'nudge':
      return nudge(state, event)
    case 'probed':
      return probed(state, event)
  }
}

export const workOf = (state: LinkState, limits: LinkLimits): LinkWork[] => {
  const { memory } = state
  switch (state.kind) {
    case 'connecting': {
      const work: LinkWork[] = [
        { key: `socket ${memory.dials}`, kind: 'socket', credential: state.credential },
        timer('timed-out', state.since + limits.connectTimeoutMs),
      ]
      if (state.openedAt !== undefined && !limits.greets)
        work.push(timer('accepted', state.openedAt + Math.min(ACCEPTED_MS, limits.settleMs)))
      return work
    }
    case 'connected':
      return [
        { key: `socket ${memory.dials}`, kind: 'socket', credential: state.credential },
        { key: `heartbeat ${memory.dials}`, kind: 'heartbeat' },
        ...trustTimers(state, limits),
      ]
    case 'waiting':
      return [
        timer('due', Math.max(state.due, state.notBefore)),
        ...(state.probe === 'asking'
          ? [{ key: `probe ${memory.dials}`, kind: 'probe', credential: state.credential } as const]
          : []),
      ]
    default:
      return []
  }
}

const trustTimers = (state: State<'connected'>, limits: LinkLimits): LinkWork[] => {
  const work: LinkWork[] = []
  if (state.trust === 'open') work.push(timer('settled', state.openedAt + limits.settleMs))
  if (state.trust !== 'proven')
    work.push(timer('proven', state.openedAt + Math.max(PROVEN_MS * limits.scale, limits.settleMs)))
  const end = expiresAt(state.credential)
  if (limits.closeAtExpiry && end !== undefined) work.push(timer('expired', end))
  return work
}

/** What the session sees of the link. */
export const standingOf = (state: LinkState): Standing => {
  switch (state.kind) {
    case 'authenticating':
      return { kind: 'asking', demand: state.demand }
    case 'connecting':
      return { kind: 'dialing', credential: state.credential.id }
    case 'connected':
      return { kind: 'open', credential: state.credential.id, trust: state.trust }
    case 'waiting':
      return { kind: 'away' }
    default:
      return { kind: 'out' }
  }
}

const PLAIN: Demand = { kind: 'plain' }
const AGAIN: Demand = { kind: 'again' }

const timer = (event: Extract<LinkWork, { kind: 'timer' }>['event'], at: number): LinkWork => ({
  key: `${event} ${at}`,
  kind: 'timer',
  at,
  event,
})

const ask = (memory: Memory, demand: Demand): LinkState => ({
  kind: 'authenticating',
  memory,
  demand,
})

const down = (memory: Memory, at: number): Memory => ({
  ...memory,
  downSince: memory.downSince ?? at,
})

/** A new start: only the count of dials goes on, since keys of work are made of it. */
const forget = ({ everConnected, dials }: Memory): Memory => ({ everConnected, dials, failures: 0 })

const connect = (state: LinkState, event: LinkEvent): LinkState => {
  switch (state.kind) {
    case 'idle':
    case 'refused':
    case 'failed':
      return ask(down(forget(state.memory), event.at), AGAIN)
    default:
      return state
  }
}

const reconnect = (state: LinkState, event: LinkEvent): LinkState => {
  switch (state.kind) {
    case 'waiting':
      return event.at >= state.notBefore ? retry(state) : { ...state, due: event.at }
    case 'connected':
      return ask(down(state.memory, event.at), PLAIN)
    default:
      return connect(state, event)
  }
}

const granted = (
  state: LinkState,
  { grant, at }: Event<'granted'>,
  limits: LinkLimits,
): LinkState => {
  if (state.kind === 'idle' || state.kind === 'refused' || state.kind === 'failed') return state
  if (grant.kind === 'fail')
    return { kind: 'failed', memory: state.memory, problem: grant.problem, action: 'sign-in' }
  if (state.kind !== 'authenticating') return state
  switch (grant.kind) {
    case 'go': {
      const memory = { ...state.memory, dials: state.memory.dials + 1 }
      return { kind: 'connecting', memory, credential: grant.credential, since: at }
    }
    case 'later':
      return { ...state, deferred: { until: grant.until, problem: grant.problem } }
    case 'refuse-room':
      return refuse(state.memory, grant.problem, limits)
    case 'wait':
      return state.deferred ? ask(state.memory, state.demand) : state
  }
}

/** A refused room is the link's own; where links have no room, something else in the handshake is wrong. */
const refuse = (memory: Memory, problem: Problem, limits: LinkLimits): LinkState =>
  limits.ownsRoom
    ? { kind: 'refused', memory, problem }
    : { kind: 'failed', memory, problem, action: 'fix-configuration' }

const accepted = (state: State<'connecting'>, trust: 'open' | 'settled'): LinkState => {
  if (state.openedAt === undefined) return state
  const { credential, openedAt } = state
  const memory = { ...state.memory, everConnected: true, downSince: undefined }
  return { kind: 'connected', memory, credential, openedAt, trust }
}

const greeted = (state: LinkState): LinkState => {
  if (state.kind === 'connected') return state.trust === 'open' ? settle(state) : state
  if (state.kind !== 'connecting') return state
  const connected = accepted(state, 'settled')
  return connected.kind === 'connected' ? settle(connected) : connected
}

/** The backoff resets on settling, not on opening: servers accept, and close at once. */
const settle = (state: State<'connected'>): State<'connected'> => ({
  ...state,
  trust: state.trust === 'open' ? 'settled' : state.trust,
  memory: { ...state.memory, failures: 0, suspectSince: undefined },
})

const closed = (state: LinkState, event: Event<'closed'>, limits: LinkLimits): LinkState => {
  if (state.kind !== 'connecting' && state.kind !== 'connected') return state
  const { verdict, problem, at } = event
  const memory = down(state.memory, at)
  if (typeof verdict === 'object')
    return { ...wait(state, event, problem, limits), notBefore: at + verdict.retryAfterMs }
  switch (verdict) {
    case 'retry':
      return wait(state, event, problem, limits)
    case 'reauthenticate':
      return ask(memory, {
        kind: 'rejected',
        credential: state.credential.id,
        at,
        reach: state.kind === 'connected' ? state.trust : 'dialing',
        witness: 'server',
        problem,
      })
    case 'sign-in':
      return ask(memory, { kind: 'ended', problem })
    case 'refuse-room':
      return refuse(memory, problem, limits)
    case 'stop':
      return { kind: 'failed', memory, problem, action: whoMends(problem) }
  }
}

const whoMends = (problem: Problem): Action =>
  problem.kind === 'closed' || problem.kind === 'verdict-frame'
    ? 'contact-server'
    : 'fix-configuration'

const wait = (
  state: State<'connecting'> | State<'connected'>,
  { at, roll }: LinkEvent,
  problem: Problem,
  limits: LinkLimits,
): State<'waiting'> => {
  const settled = state.kind === 'connected' && state.trust !== 'open'
  const silent = !settled && isSilent(state, problem)
  const failures = state.memory.failures + 1
  const delay =
    problem.kind === 'closed' && isRestart(problem.code)
      ? restartMs(roll)
      : backoffMs(failures, roll)
  const suspectSince = silent ? (state.memory.suspectSince ?? at) : undefined
  return {
    kind: 'waiting',
    memory: { ...down(state.memory, at), failures, suspectSince },
    due: at + delay * limits.scale,
    notBefore: at,
    problem,
    probe: silent ? 'asking' : 'none',
    credential: state.credential.id,
  }
}

/** An attempt that ended without a rejecting code or a visible status: it may be the credential, or not. */
const isSilent = (state: LinkState, problem: Problem): boolean => {
  switch (problem.kind) {
    case 'unreachable':
    case 'timeout':
      return true
    case 'closed':
      return state.kind === 'connecting' && state.openedAt === undefined
        ? true
        : isSilentClose(problem.code)
    default:
      return false
  }
}

const retry = (state: State<'waiting'>): LinkState =>
  ask(
    state.memory,
    state.probe === 'answers' && state.memory.suspectSince !== undefined
      ? { kind: 'suspect', since: state.memory.suspectSince }
      : PLAIN,
  )

/** News from the page shortens the backoff, never the server's advice. Flapping networks shorten it once. */
const nudge = (state: LinkState, { at }: LinkEvent): LinkState => {
  const { nudgedAt } = state.memory
  if (state.kind !== 'waiting' || at >= state.due) return state
  if (nudgedAt !== undefined && at - nudgedAt < NUDGE_EVERY_MS) return state
  return { ...state, due: at, memory: { ...state.memory, nudgedAt: at } }
}

const probed = (state: LinkState, { probe, at }: Event<'probed'>): LinkState => {
  if (state.kind !== 'waiting' || state.probe !== 'asking') return state
  if (probe !== 'refused')
    return { ...state, probe: probe satisfies Probe, problem: known(state, probe) }
  return ask(state.memory, {
    kind: 'rejected',
    credential: state.credential,
    at,
    reach: 'dialing',
    witness: 'probe',
    problem: { kind: 'probe' },
  })
}

const known = (state: State<'waiting'>, probe: Probe): Problem =>
  state.problem.kind === 'unreachable'
    ? { kind: 'unreachable', hostAnswers: probe !== 'gone' }
    : state.problem
