/**
 * One for each socket: what it does now and what must be running for it. Pure: `at` and `roll` come with
 * each event. Messages do not pass through here.
 */
import { taken } from './credential.ts'
import { ask, CALM, closed, down, ended, nudge, PLAIN, probed, refuse, retry } from './link-ends.ts'
import { offered, planned, renewalFailed, renewed, told, wanted } from './link-renewal.ts'
import type { EventOf, LinkEvent, LinkLimits, LinkState, Memory, StateOf } from './link-state.ts'
import { hasToLast } from './link-work.ts'
import { actionOf } from './problem.ts'
import type { Demand, Grant, Standing } from './standing.ts'

export const transition = (state: LinkState, event: LinkEvent, limits: LinkLimits): LinkState => {
  switch (event.type) {
    case 'connect':
      return connect(state, event)
    case 'disconnect':
      return state.kind === 'idle' ? state : { kind: 'idle', memory: forget(state.memory) }
    case 'reconnect':
      return reconnect(state, event)
    case 'signed-in':
      return signedIn(state, event)
    case 'redial':
      return state.kind === 'connected' || state.kind === 'closing'
        ? ask(down(state.memory, event.at), PLAIN)
        : state
    case 'granted':
      return granted(state, event, limits)
    case 'opened':
      return state.kind === 'connecting' && state.openedAt === undefined
        ? { ...state, openedAt: event.at }
        : state
    case 'accepted':
      return state.kind === 'connecting' && !limits.greets ? accepted(state, 'open') : state
    case 'greeted':
      return planned(greeted(state), event, limits)
    case 'settled':
      return state.kind === 'connected' && hasToLast(state) ? lasted(state) : state
    case 'proven':
      return state.kind === 'connected' && state.trust !== 'proven'
        ? { ...settle(state), trust: 'proven' }
        : state
    case 'closing':
      return closing(state, event.at)
    case 'closed':
      return closed(state, event, limits)
    case 'timed-out':
      return timedOut(state, event, limits)
    case 'expired':
      return state.kind === 'connected' ? ask(down(state.memory, event.at), PLAIN) : state
    case 'renew':
      return wanted(state)
    case 'expiring':
      return told(state, event.at)
    case 'renewed':
      return renewed(state, event.roll)
    case 'renewal-failed':
      return renewalFailed(state)
    case 'due':
      return state.kind === 'waiting' ? retry(state) : state
    case 'nudge':
      return nudge(state, event, limits)
    case 'probed':
      return probed(state, event)
    case 'resumed':
    case 'moved':
      return state
  }
}

/** What the session sees of the link. */
export const standingOf = (state: LinkState): Standing => {
  switch (state.kind) {
    case 'authenticating':
      return { kind: 'asking', demand: state.demand }
    case 'connecting':
      return { kind: 'dialing', credential: state.credential.id }
    case 'connected':
      return openOf(state)
    case 'closing': {
      const { credential, trust } = state
      return trust
        ? { kind: 'open', credential: credential.id, trust }
        : { kind: 'dialing', credential: credential.id }
    }
    case 'waiting':
      return { kind: 'away' }
    default:
      return { kind: 'out' }
  }
}

const openOf = ({ credential, trust, renewal }: StateOf<'connected'>): Standing => {
  const open = { kind: 'open', credential: credential.id, trust } as const
  return renewal?.kind === 'wanted' ? { ...open, wants: 'renewal' } : open
}

const AGAIN: Demand = { kind: 'again' }

/** A new start. The count of dials goes on, since keys of work are made of it. */
const forget = ({ everConnected, dials, settledOn }: Memory): Memory => ({
  everConnected,
  dials,
  settledOn,
  failures: 0,
})

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
    case 'closing':
      return ask(down(state.memory, event.at), PLAIN)
    default:
      return connect(state, event)
  }
}

const granted = (
  state: LinkState,
  { grant, at }: EventOf<'granted'>,
  limits: LinkLimits,
): LinkState => {
  if (state.kind === 'idle' || state.kind === 'refused' || state.kind === 'failed') return state
  if (grant.kind === 'fail')
    return {
      kind: 'failed',
      memory: down(state.memory, at),
      problem: grant.problem,
      action: actionOf(grant.problem),
    }
  if (grant.kind === 'renew') return offered(state, grant.credential)
  if (state.kind !== 'authenticating') return state
  switch (grant.kind) {
    case 'go': {
      const memory = { ...state.memory, dials: state.memory.dials + 1 }
      return { kind: 'connecting', memory, credential: grant.credential, since: at }
    }
    case 'later':
      return isSame(state.deferred, grant)
        ? state
        : { ...state, deferred: { until: grant.until, problem: grant.problem } }
    case 'refuse-room': {
      const unwelcome = { kind: 'unwelcome', last: grant.problem } as const
      return refuse(state.memory, limits.ownsRoom ? grant.problem : unwelcome, limits)
    }
    case 'wait':
      return state.deferred ? ask(state.memory, state.demand) : state
  }
}

/** What it says from now on would be lost. How far it came is remembered: the code is judged by that. */
const closing = (state: LinkState, at: number): LinkState => {
  if (state.kind !== 'connected' && (state.kind !== 'connecting' || !state.openedAt)) return state
  const { credential, memory, openedAt } = state
  return {
    kind: 'closing',
    memory: down(memory, at),
    credential,
    openedAt,
    ...(state.kind === 'connected' && { trust: state.trust }),
  }
}

const timedOut = (state: LinkState, event: LinkEvent, limits: LinkLimits): LinkState => {
  if (state.kind !== 'connecting') return state
  const opened = state.openedAt !== undefined
  return ended(state, event, { kind: 'timeout', opened }, limits)
}

const isSame = (
  deferred: StateOf<'authenticating'>['deferred'],
  { until, problem }: Extract<Grant, { kind: 'later' }>,
): boolean => deferred?.until === until && deferred.problem === problem

const accepted = (state: StateOf<'connecting'>, trust: 'open' | 'settled'): LinkState => {
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

/** The server takes the credential. That says nothing of the connection: there are servers that welcome, and drop. */
const settle = (state: StateOf<'connected'>): StateOf<'connected'> => ({
  ...state,
  credential: taken(state.credential),
  trust: state.trust === 'open' ? 'settled' : state.trust,
  memory: { ...state.memory, suspectSince: undefined, settledOn: state.credential.id },
})

/** The backoff is forgotten for a connection that lasted, and for no word of a server. */
const lasted = (state: StateOf<'connected'>): LinkState => {
  const settled = settle(state)
  return { ...settled, memory: { ...settled.memory, ...CALM } }
}

/** A person signed in: who waits for one goes on, and no socket stays that is, or may be, another's. */
const signedIn = (state: LinkState, { at, who }: EventOf<'signed-in'>): LinkState => {
  switch (state.kind) {
    case 'failed':
      return state.action === 'sign-in' || state.problem.kind === 'rejected'
        ? ask(state.memory, PLAIN)
        : state
    case 'connecting':
    case 'connected':
    case 'closing':
      return who === 'same' ? state : ask(down(state.memory, at), PLAIN)
    default:
      return state
  }
}
