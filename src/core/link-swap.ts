/**
 * Make before break: the younger token dials a second socket, the successor, while the current one goes on. What
 * becomes of the successor is never the end of the current one; and the end of the current one makes the successor
 * the current one.
 */
import { type Credential, isExpired } from './credential.ts'
import { down } from './link-ends.ts'
import { transition } from './link-machine.ts'
import { planOf, withRenewal } from './link-renewal.ts'
import type {
  LinkEvent,
  LinkLimits,
  LinkMachine,
  LinkState,
  StateOf,
  Successor,
} from './link-state.ts'
import { deadlineOf, socket, timer, workOf } from './link-work.ts'
import type { Problem } from './problem.ts'

/** So long the current socket has for its answers, once nothing is written to it any more. */
const LAST_ANSWERS_MS = 1_000

/** The socket that is to be the current one; `undefined` while there is one only. */
export const successorOf = (state: LinkState): Successor | undefined =>
  state.kind === 'connected' && state.renewal?.kind === 'swapping'
    ? state.renewal.successor
    : undefined

/** Nothing is written to the current socket any more: what is sent next is sent by its successor. */
export const isMoving = (state: LinkState): boolean => {
  const successor = successorOf(state)
  return successor?.kind === 'joining' || successor?.kind === 'joined'
}

export const swappingMachine: LinkMachine = {
  transition: (state, event, limits) => {
    const successor = successorOf(state)
    if (state.kind !== 'connected' || !successor) return begun(state, event, limits)
    const step = { state, successor, event, limits }
    if (event.dial === state.memory.dials + 1) return heard(step)
    return swapped(step) ?? transition(state, event, limits)
  },
  workOf: (state, limits) => {
    const work = workOf(state, limits)
    const successor = successorOf(state)
    if (!successor) return work
    const { event, at } = deadline(successor, limits)
    return [...work, socket(state.memory.dials + 1, successor.credential), timer(event, at)]
  },
}

/** One step of a link that swaps. */
interface Step {
  readonly state: StateOf<'connected'>
  readonly successor: Successor
  readonly event: LinkEvent
  readonly limits: LinkLimits
}

const begun = (state: LinkState, event: LinkEvent, limits: LinkLimits): LinkState => {
  if (event.type === 'granted' && event.grant.kind === 'renew')
    return dialed(state, event.grant.credential, event.at)
  const next = transition(state, event, limits)
  return next.kind === 'connected' && state.kind !== 'connected'
    ? withRenewal(next, planOf(next.credential, event.roll))
    : next
}

const dialed = (state: LinkState, credential: Credential, since: number): LinkState =>
  state.kind === 'connected' && state.renewal?.kind === 'wanted'
    ? withSuccessor(state, { kind: 'dialing', credential, since })
    : state

/** From the successor itself. Where it ends, the current socket goes on. */
const heard = ({ state, successor, event }: Step): LinkState => {
  if (event.type === 'closed') return failed(state, reasonOf(successor, event.problem))
  if (event.type === 'closing') return closing(state, successor)
  if (successor.kind !== 'dialing') return state
  const { openedAt } = successor
  if (event.type === 'opened' && openedAt === undefined)
    return withSuccessor(state, { ...successor, openedAt: event.at })
  return event.type === 'greeted' && openedAt !== undefined
    ? withSuccessor(state, { ...successor, kind: 'joining', openedAt, greetedAt: event.at })
    : state
}

/** `undefined` for what means the same as without a swap. */
const swapped = (step: Step): LinkState | undefined => {
  const { state, successor, event } = step
  // It takes over from nobody.
  if (successor.kind === 'closing' && event.type !== 'timed-out') return undefined
  switch (event.type) {
    case 'resumed':
      return successor.kind === 'joining'
        ? withSuccessor(state, { ...successor, kind: 'joined' })
        : state
    case 'moved':
      return successor.kind === 'joined' ? promoted(step) : state
    case 'timed-out':
      return timedOut(state, successor)
    case 'renewal-failed':
      return withRenewal(state, undefined)
    case 'closing':
      // Nothing is lost by waiting for its code: what is sent is the successor's already, or waits for it.
      return state
    case 'closed':
      // Of the old token there is no more to learn; whatever else the server says is for both.
      return event.verdict === 'retry' || event.verdict === 'reauthenticate'
        ? promoted(step)
        : undefined
    case 'expired':
      return promoted(step)
    case 'nudge':
      return overslept(step)
    default:
      return undefined
  }
}

/** Timers sleep with the machine, so a reason to look finds what should have been done. */
const overslept = (step: Step): LinkState => {
  const { state, successor, event, limits } = step
  if (limits.closeAtExpiry && isExpired(state.credential, event.at)) return promoted(step)
  const due = deadline(successor, limits)
  if (event.at < due.at) return state
  return due.event === 'moved' ? promoted(step) : timedOut(state, successor)
}

const closing = (state: StateOf<'connected'>, successor: Successor): LinkState => {
  const { credential, since, openedAt } = successor
  return openedAt === undefined || successor.kind === 'closing'
    ? state
    : withSuccessor(state, { kind: 'closing', credential, since, openedAt })
}

const failed = (state: StateOf<'connected'>, problem: Problem): LinkState =>
  withRenewal(state, { kind: 'failed', problem })

/** No code means anything before the open: every runtime makes up its own. */
const reasonOf = ({ openedAt }: Successor, problem: Problem): Problem =>
  openedAt === undefined && problem.kind === 'closed' ? { kind: 'unreachable' } : problem

const timedOut = (state: StateOf<'connected'>, { openedAt }: Successor): LinkState =>
  failed(state, { kind: 'timeout', opened: openedAt !== undefined })

const promoted = ({ state, successor, event }: Step): LinkState => {
  const { at, roll } = event
  const memory = { ...state.memory, dials: state.memory.dials + 1 }
  const { credential } = successor
  if (successor.kind === 'dialing')
    return { ...successor, kind: 'connecting', memory: down(memory, at) }
  return {
    kind: 'connected',
    memory: { ...memory, suspectSince: undefined, settledOn: credential.id },
    credential,
    openedAt: successor.openedAt,
    trust: 'settled',
    renewal: planOf(credential, roll),
  }
}

const withSuccessor = (state: StateOf<'connected'>, successor: Successor): LinkState =>
  withRenewal(state, { kind: 'swapping', successor })

/** When it gives up, or gives up waiting. */
const deadline = (successor: Successor, limits: LinkLimits) => {
  switch (successor.kind) {
    case 'dialing':
      return { event: 'timed-out', at: deadlineOf(successor, limits) } as const
    case 'joining':
    case 'closing':
      return { event: 'timed-out', at: successor.since + limits.connectTimeoutMs } as const
    case 'joined':
      return { event: 'moved', at: successor.greetedAt + LAST_ANSWERS_MS } as const
  }
}
