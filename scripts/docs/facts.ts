/** Words for what a walk of the machines found: the names of states, events, conditions and work. */
import { type Credential, cameExpired, isExpired } from '../../src/core/credential.ts'
import {
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  demandOf,
  isAsking,
} from '../../src/core/credential-state.ts'
import { answeredBy } from '../../src/core/identity.ts'
import type { LinkEvent, LinkLimits, LinkMachine, LinkState } from '../../src/core/link-state.ts'
import { successorOf } from '../../src/core/link-swap.ts'
import type { Standing } from '../../src/core/standing.ts'
import { credentialWork, type Edge, plainMachine } from '../../test/model/walk.ts'

/** A step of a walk, with all that may decide where it leads. */
export interface Fact {
  readonly from: string
  readonly event: string
  readonly to: string
  /** Conditions by their name: the first ones that tell apart are printed. */
  readonly given: Readonly<Record<string, string>>
  readonly work: readonly string[]
  /** How many steps are like this one. */
  readonly count: number
}

type Step = Omit<Fact, 'count'>

/** Of millions of steps some thousand differ. */
export const count = <Edge>(edges: Iterable<Edge>, toStep: (edge: Edge) => Step): Fact[] => {
  const facts = new Map<string, Step & { count: number }>()
  for (const edge of edges) {
    const step = toStep(edge)
    const key = [step.from, step.event, step.to, ...Object.values(step.given), ...step.work].join()
    const known = facts.get(key)
    if (known) known.count += 1
    else facts.set(key, { ...step, count: 1 })
  }
  return [...facts.values()]
}

const GOOD: Credential = { id: 0, receivedAt: 0 }

const yes = (value: boolean): string => (value ? 'yes' : 'no')

const CODES: Record<number, string> = {
  1006: ' (code 1006)',
  1008: ' (code 1008)',
  1012: ' (code 1012)',
}

const linkEventName = (event: LinkEvent): string =>
  `${event.dial === undefined ? '' : 'successor '}${plainName(event)}`

const plainName = (event: LinkEvent): string => {
  switch (event.type) {
    case 'greeted':
      return event.renewable ? 'greeted: renewable' : 'greeted'
    case 'granted':
      return `granted: ${event.grant.kind}`
    case 'probed':
      return `probed: ${event.probe}`
    case 'closed': {
      const { verdict, problem } = event
      const said = typeof verdict === 'object' ? 'wait, on advice' : verdict
      return `closed: ${said}${problem.kind === 'closed' ? (CODES[problem.code] ?? '') : ` (${problem.kind})`}`
    }
    default:
      return event.type
  }
}

const kindOf = <Work extends { readonly kind: string }>(work: Work): string =>
  'event' in work ? `timer \`${String(work.event)}\`` : work.kind

const credentialOf = (state: LinkState): Credential | undefined =>
  'credential' in state ? state.credential : undefined

const openedAtOf = (state: LinkState): number | undefined =>
  state.kind === 'connecting' ? state.openedAt : successorOf(state)?.openedAt

export const linkFact =
  (limits: LinkLimits, machine: LinkMachine = plainMachine) =>
  ({ from, event, to }: Edge<LinkState, LinkEvent>): Step => {
    const { state } = from
    return {
      from: state.kind,
      event: linkEventName(event),
      to: to.state.kind,
      given: {
        opened: yes(openedAtOf(state) !== undefined),
        'the token was past its exp on arrival': yes(cameExpired(credentialOf(state) ?? GOOD)),
        'the server greets': yes(limits.greets),
        trust: state.kind === 'connected' ? state.trust : '',
        renewal: state.kind === 'connected' ? (state.renewal?.kind ?? 'none') : '',
        'advice runs': yes(state.kind === 'waiting' && state.notBefore > event.at),
        probe: state.kind === 'waiting' ? state.probe : '',
        'rooms have sockets of their own': yes(limits.ownsRoom),
        'failed for': state.kind === 'failed' ? state.action : '',
      },
      work: machine.workOf(to.state, limits).map(kindOf),
    }
  }

const standingName = (standing: Standing): string => {
  if (standing.kind === 'asking') {
    const { demand } = standing
    return `link asks: ${demand.kind}${demand.kind === 'rejected' && demand.isExpiry ? ' at expiry' : ''}`
  }
  if (standing.kind === 'open')
    return standing.wants === undefined
      ? `link is open: ${standing.trust}`
      : `link is open and wants a ${standing.wants}`
  return `link is ${standing.kind}`
}

const credentialEventName = (event: CredentialEvent, state: CredentialState): string => {
  if (event.type === 'link') return standingName(event.standing)
  if (event.type !== 'answered') return event.type
  const { credential } = event
  const { phase } = state
  if (isExpired(credential, event.at)) return 'answered: expired already'
  if (cameExpired(credential)) return 'answered: past its exp on arrival'
  const whose = answeredBy(state.whose, credential)
  if (whose?.since !== state.whose.since)
    return whose ? 'answered: whoever came since' : 'answered: somebody else'
  const same = 'ask' in phase && phase.ask.replaces?.id === credential.id
  return same ? 'answered: the same value' : 'answered: a new value'
}

const pendingOf = (state: CredentialState): string => {
  const pending = demandOf(state, 'rejected')
  if (!pending) return 'no'
  if (pending.credential < state.roundFrom) return 'of an earlier round'
  return pending.isExpiry ? 'yes, at expiry' : 'yes'
}

export const credentialFact =
  (limits: CredentialLimits) =>
  ({ from, event, to }: Edge<CredentialState, CredentialEvent>): Step => {
    const { state } = from
    const { phase } = state
    const held = phase.kind === 'held' ? phase.credential : undefined
    const demand =
      event.type === 'link' && event.standing.kind === 'asking' ? event.standing.demand : undefined
    const known = event.type === 'link' ? state.links.get(event.id) : undefined
    return {
      from: phase.kind,
      event: credentialEventName(event, state),
      to: to.state.phase.kind,
      given: {
        'the source can renew': yes(limits.canRenew),
        'a token is kept in reserve': yes(
          phase.kind === 'requesting' && phase.fallback !== undefined,
        ),
        'the reserve has expired': yes(
          phase.kind === 'requesting' &&
            phase.fallback !== undefined &&
            isExpired(phase.fallback, event.at),
        ),
        'it was asked for before a dial': yes('ask' in phase && phase.ask.reason === 'reconnect'),
        'the link speaks of this round': yes(
          demand?.kind === 'rejected' && demand.credential >= state.roundFrom,
        ),
        'the refresh may still answer': yes(
          phase.kind === 'backing-off' &&
            state.wire !== undefined &&
            phase.retryAt < state.wire.since + 30_000,
        ),
        'a link suspects': yes(demandOf(state, 'suspect') !== undefined),
        'another link is settled or tries': yes(
          [...state.links].some(
            ([id, { kind }]) =>
              !(event.type === 'link' && event.id === id) &&
              (kind === 'open' || kind === 'dialing'),
          ),
        ),
        'a rotating refresh is on the wire': yes(limits.rotates && state.wire !== undefined),
        'it replaces a value that was':
          'ask' in phase ? (phase.ask.replaces?.because ?? 'not bad') : '',
        'the confirming pause runs': yes(state.trial.notBefore !== undefined),
        'rejections so far': String(state.trial.rejections),
        'a link was rejected and waits': pendingOf(state),
        'the token has expired': held ? yes(isExpired(held, event.at)) : '',
        'the token was past its exp on arrival': held ? yes(cameExpired(held)) : '',
        'the source is asked before each dial': yes(limits.everyDial),
        'a link asks': yes(isAsking(state)),
        'the link asked already': yes(known?.kind === 'asking'),
        'the refresh of suspicion is spent': yes(state.trial.doubted),
        'the refresh rotates': yes(limits.rotates),
      },
      work: credentialWork(to.state, limits).map(kindOf),
    }
  }
