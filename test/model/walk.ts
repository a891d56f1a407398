/**
 * Walks a machine through every state that it can reach, as told apart by a key, with representative events.
 * The docs are generated from the same walk (scripts/docs/state-machine.ts).
 */
import type { Credential } from '../../src/core/credential.ts'
import { cameExpired, isExpired } from '../../src/core/credential.ts'
import {
  transition as credentialTransition,
  workOf as credentialWork,
} from '../../src/core/credential-machine.ts'
import {
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  type CredentialWork,
  initialCredentialState,
} from '../../src/core/credential-state.ts'
import { type Name, shown } from '../../src/core/identity.ts'
import { transition as linkTransition, standingOf } from '../../src/core/link-machine.ts'
import {
  initialLinkState,
  type LinkEvent,
  type LinkLimits,
  type LinkMachine,
  type LinkState,
  type LinkWork,
  type Successor,
} from '../../src/core/link-state.ts'
import { successorOf } from '../../src/core/link-swap.ts'
import { workOf as linkWork } from '../../src/core/link-work.ts'
import type { Problem } from '../../src/core/problem.ts'
import type { Demand, Grant, LinkId, Rejection, Standing, Trust } from '../../src/core/standing.ts'
import type { Verdict } from '../../src/core/verdict.ts'
import type { WithoutMoment } from './simulator.ts'

export interface Place<State> {
  readonly state: State
  /** The clock when the state was reached. */
  readonly at: number
}
export interface Edge<State, Event> {
  readonly from: Place<State>
  readonly event: Event
  readonly to: Place<State>
}
export interface Walked<State, Event> {
  readonly places: readonly Place<State>[]
  readonly edges: readonly Edge<State, Event>[]
  /** The edges that lead to another state. */
  readonly moves: readonly Edge<State, Event>[]
}

interface Walkable<State, Event> {
  readonly initial: State
  keyOf(place: Place<State>): string
  eventsOf(place: Place<State>): readonly Event[]
  transition(state: State, event: Event): State
}

function* walk<State, Event extends { readonly at: number }>(
  machine: Walkable<State, Event>,
): Generator<Edge<State, Event>> {
  const first: Place<State> = { state: machine.initial, at: 0 }
  const known = new Set([machine.keyOf(first)])
  const places = [first]
  for (const from of places) {
    // Most events change nothing, and come at one of two moments.
    const looked = new Set<number>()
    for (const event of machine.eventsOf(from)) {
      const to = { state: machine.transition(from.state, event), at: event.at }
      yield { from, event, to }
      if (to.state === from.state && looked.has(to.at)) continue
      if (to.state === from.state) looked.add(to.at)
      const key = machine.keyOf(to)
      if (known.has(key)) continue
      known.add(key)
      places.push(to)
    }
  }
}

/** Millions of edges, kept: for tests that look at them in several ways. */
export const walked = <State, Event>(walk: Iterable<Edge<State, Event>>): Walked<State, Event> => {
  const edges = [...walk]
  // Something happens in each place.
  const places = [...new Set(edges.map(({ from }) => from))]
  return { places, edges, moves: edges.filter(({ from, to }) => from.state !== to.state) }
}

const LIFE_MS = 60_000
const credential = (id: number, receivedAt: number, name: Name = []): Credential => ({
  id,
  receivedAt,
  lifetimeMs: LIFE_MS,
  name,
})

/** By its claim, and by our clock, it had ended when it came. */
const pastItsExp = (id: number, receivedAt: number, name: Name = []): Credential => {
  const { lifetimeMs: _, ...rest } = credential(id, receivedAt, name)
  return { ...rest, claimedExpiry: receivedAt - 1 }
}

export const closedProblem = (code: number): Problem => ({ kind: 'closed', code, reason: '' })
const NO: Problem = { kind: 'token-refused', cause: undefined }
const REJECTED: Problem = { kind: 'rejected', last: closedProblem(4003) }
const LATER: Problem = { kind: 'token-unavailable', cause: undefined }

export const VERDICTS: readonly Verdict[] = [
  'retry',
  'reauthenticate',
  'sign-in',
  'stop',
  'refuse-room',
  { retryAfterMs: 5_000 },
]

// --- The link machine.

export const linkLimits = (limits: Partial<LinkLimits> = {}): LinkLimits => ({
  ownsRoom: true,
  greets: false,
  settleMs: 5_000,
  connectTimeoutMs: 10_000,
  closeAtExpiry: true,
  renewal: 'in-band',
  scale: 1,
  ...limits,
})

const CLOSES: readonly { verdict: Verdict; problem: Problem }[] = [
  ...VERDICTS.map((verdict) => ({ verdict, problem: closedProblem(4000) })),
  { verdict: 'retry', problem: closedProblem(1006) },
  { verdict: 'retry', problem: closedProblem(1008) },
  { verdict: { retryAfterMs: 5_000 }, problem: closedProblem(1006) },
  { verdict: 'retry', problem: closedProblem(1012) },
  { verdict: 'retry', problem: { kind: 'unreachable' } },
  { verdict: 'retry', problem: { kind: 'status', status: 503 } },
  { verdict: 'stop', problem: { kind: 'subprotocol' } },
]

export const linkEventsAt = (at: number): WithoutMoment<LinkEvent>[] => {
  const grants: Grant[] = [
    { kind: 'wait' },
    { kind: 'later', until: 9_000_000, problem: LATER },
    { kind: 'go', credential: credential(1, at) },
    { kind: 'go', credential: credential(2, at - LIFE_MS + 1_000) },
    { kind: 'go', credential: pastItsExp(4, at) },
    { kind: 'renew', credential: credential(3, at) },
    { kind: 'refuse-room', problem: closedProblem(4003) },
    { kind: 'fail', problem: NO },
    { kind: 'fail', problem: REJECTED },
  ]
  return [
    ...(['same', 'another'] as const).map((who) => ({ type: 'signed-in' as const, who })),
    ...(['connect', 'disconnect', 'reconnect', 'redial', 'nudge'] as const).map((type) => ({
      type,
    })),
    ...grants.map((grant) => ({ type: 'granted' as const, grant })),
    ...(
      ['opened', 'accepted', 'greeted', 'settled', 'proven', 'timed-out', 'expired', 'due'] as const
    ).map((type) => ({ type })),
    { type: 'greeted' as const, renewable: true },
    ...(['renew', 'expiring', 'renewed', 'renewal-failed', 'resumed', 'moved'] as const).map(
      (type) => ({ type }),
    ),
    { type: 'closing' as const },
    ...CLOSES.map((close) => ({ type: 'closed' as const, ...close })),
    ...(['answers', 'gone', 'accepted', 'refused'] as const).map((probe) => ({
      type: 'probed' as const,
      probe,
    })),
  ]
}

/** What a second socket says, where there is one. */
const successorEventsOf = (state: LinkState): WithoutMoment<LinkEvent>[] =>
  successorOf(state) === undefined
    ? []
    : [
        ...(['opened', 'accepted', 'greeted', 'closing'] as const).map((type) => ({ type })),
        ...CLOSES.map((close) => ({ type: 'closed' as const, ...close })),
      ].map((event) => ({ ...event, dial: state.memory.dials + 1 }))

const bucket = (n: number): number => Math.min(n, 2)

/** What only spaces out news of the page and retries is not crossed with all the rest: that leads nowhere else. */
const linkKey = ({ state, at }: Place<LinkState>): string => {
  const { memory } = state
  const parts: unknown[] = [
    state.kind,
    memory.everConnected,
    memory.downSince !== undefined,
    bucket(memory.failures),
    memory.suspectSince !== undefined,
    bucket(memory.told ?? 0),
    memory.settledOn !== undefined &&
      (!('credential' in state) || memory.settledOn === state.credential?.id),
  ]
  switch (state.kind) {
    case 'authenticating':
      parts.push(state.demand.kind, state.deferred !== undefined)
      break
    case 'connecting':
      parts.push(state.openedAt !== undefined, state.credential.id)
      break
    case 'connected':
      parts.push(
        state.trust,
        state.credential.id,
        isExpired(state.credential, at),
        state.renewal?.kind,
        successorKey(successorOf(state)),
        state.renewal?.kind === 'planned' && [
          state.renewal.at > at,
          Number.isFinite(state.renewal.at),
        ],
      )
      break
    case 'closing':
      parts.push(state.trust, state.credential.id, isExpired(state.credential, at))
      break
    case 'waiting':
      parts.push(state.probe, state.notBefore > at, state.due > at, state.problem.kind)
      break
    case 'failed':
      parts.push(state.action, state.problem.kind)
  }
  return JSON.stringify(parts)
}

const successorKey = (successor: Successor | undefined) =>
  successor && [successor.kind, successor.openedAt !== undefined, successor.credential.id]

export const plainMachine: LinkMachine = { transition: linkTransition, workOf: linkWork }

export const walkLink = (
  limits: LinkLimits,
  machine: LinkMachine = plainMachine,
): Iterable<Edge<LinkState, LinkEvent>> =>
  walk<LinkState, LinkEvent>({
    initial: initialLinkState,
    keyOf: linkKey,
    transition: (state, event) => machine.transition(state, event, limits),
    eventsOf: ({ state, at }) => {
      const rings = machine.workOf(state, limits).filter((work) => work.kind === 'timer')
      const timers = rings.map((ring) => ({
        type: ring.event,
        at: Math.max(at, ring.at),
        roll: 0.5,
      }))
      const wild = [...linkEventsAt(at), ...successorEventsOf(state)].map((event) => ({
        ...event,
        at: at + 1,
        roll: 0.5,
      }))
      return [...timers, ...wild] as LinkEvent[]
    },
  })

// --- The credential machine, with links that say whatever they may.

export const credentialLimits = (limits: Partial<CredentialLimits> = {}): CredentialLimits => ({
  canRenew: true,
  canAsk: true,
  everyDial: false,
  rotates: false,
  tokenTimeoutMs: 10_000,
  scale: 1,
  ...limits,
})

const demandsAt = (held: number): Demand[] => {
  const rejected = (
    credentialId: number,
    reach: 'dialing' | Trust,
    witness: 'server' | 'probe',
  ): Rejection => ({
    kind: 'rejected',
    credential: credentialId,
    isExpiry: false,
    reach,
    witness,
    problem: closedProblem(4003),
  })
  return [
    { kind: 'plain' },
    { kind: 'again' },
    { kind: 'suspect', forMs: 31_000 },
    { kind: 'violation' },
    { kind: 'ended', problem: closedProblem(4001) },
    rejected(held, 'dialing', 'server'),
    rejected(held, 'settled', 'server'),
    rejected(held, 'dialing', 'probe'),
    { ...rejected(held, 'open', 'server'), isExpiry: true },
  ]
}

const asking = (held: number): Standing[] =>
  demandsAt(held).map((demand) => ({ kind: 'asking', demand }))

/** What this link may say next: a socket is dialed with a grant only, and opens before it settles. */
const standingsAfter = (known: Standing | undefined, held: number | undefined): Standing[] => {
  const out: Standing = { kind: 'out' }
  switch (known?.kind) {
    case undefined:
      return [
        { kind: 'asking', demand: { kind: 'plain' } },
        { kind: 'asking', demand: { kind: 'again' } },
        { kind: 'asking', demand: { kind: 'retry' } },
      ]
    case 'asking':
      return held === undefined ? [out] : [{ kind: 'dialing', credential: held }, out]
    case 'away':
      return [...asking(0).slice(0, 4), out]
    case 'dialing':
      return [
        { kind: 'open', credential: known.credential, trust: 'open' },
        { kind: 'away' },
        ...asking(known.credential),
        out,
      ]
    case 'open':
      return [
        {
          kind: 'open',
          credential: known.credential,
          trust: known.trust === 'open' ? 'settled' : 'proven',
        },
        { kind: 'open', credential: known.credential, trust: known.trust, wants: 'renewal' },
        ...(held !== undefined && held > known.credential
          ? [{ kind: 'open', credential: held, trust: known.trust } as const]
          : []),
        { kind: 'away' },
        ...asking(known.credential),
        out,
      ]
    default:
      return [out]
  }
}

const credentialKey = ({ state, at }: Place<CredentialState>): string => {
  const { phase, trial, wire } = state
  const held = phase.kind === 'held' ? phase.credential : undefined
  const fits = (id: number) => [id >= state.roundFrom, id === held?.id]
  return JSON.stringify([
    phase.kind,
    held && [
      isExpired(held, at),
      cameExpired(held) && held.id !== state.acceptedId,
      (state.acceptedId ?? -1) >= state.roundFrom,
    ],
    'ask' in phase && [phase.ask.reason, phase.ask.replaces?.because],
    phase.kind === 'requesting' && phase.fallback !== undefined,
    phase.kind === 'held' &&
      phase.renewal && [phase.renewal.notBefore > at, Number.isFinite(phase.renewal.notBefore)],
    wire && [at - wire.since < 10_000, at - wire.since < 30_000],
    [trial.rejections, trial.notBefore !== undefined, trial.doubted, [...trial.rejected].sort()],
    trial.refusal !== undefined,
    phase.kind === 'refused' && [phase.problem.kind === 'rejected', phase.credential !== undefined],
    [shown(state.whose.name) !== undefined, state.whose.next, Math.min(state.whose.strangers, 3)],
    phase.kind === 'backing-off' && phase.notBefore > at,
    state.doubtedAt !== undefined && at - state.doubtedAt < 600_000,
    [...state.links]
      .sort(([one], [other]) => one - other)
      .map(([id, standing]) => [
        id,
        standing.kind,
        standing.kind === 'asking' && [
          standing.demand.kind,
          standing.demand.kind === 'rejected' && [
            fits(standing.demand.credential),
            standing.demand.reach,
            standing.demand.isExpiry,
            standing.demand.witness,
          ],
        ],
        (standing.kind === 'dialing' || standing.kind === 'open') && fits(standing.credential),
        standing.kind === 'open' && [standing.trust, standing.wants],
      ]),
  ])
}

export const credentialEventsAt = (
  { state, at }: Place<CredentialState>,
  links: readonly LinkId[],
): WithoutMoment<CredentialEvent>[] => {
  const { phase } = state
  const held = phase.kind === 'held' ? phase.credential : undefined
  const fresh = credential(100 + state.requests, at, state.whose.name)
  const replaced = 'ask' in phase ? phase.ask.replaces?.id : undefined
  const answers: Credential[] = [
    fresh,
    ...(links.length > 1 ? [] : [{ ...fresh, id: fresh.id + 1_000, name: ['somebody else'] }]),
    { ...fresh, id: fresh.id + 2_000, receivedAt: at - LIFE_MS },
    ...(links.length > 1 ? [] : [pastItsExp(fresh.id + 4_000, at, state.whose.name)]),
    ...(replaced === undefined ? [] : [credential(replaced, at)]),
  ]
  return [
    ...links.flatMap((id) =>
      standingsAfter(state.links.get(id), held?.id).map((standing) => ({
        type: 'link' as const,
        id,
        standing,
      })),
    ),
    ...(state.wire
      ? [
          ...answers.map((answer) => ({ type: 'answered' as const, credential: answer })),
          { type: 'unavailable' as const, problem: LATER },
          { type: 'unavailable' as const, problem: LATER, retryAfterMs: 60_000 },
          { type: 'refused' as const, problem: NO },
          { type: 'signed-out' as const },
        ]
      : []),
    {
      type: 'login',
      credential: {
        ...fresh,
        id: fresh.id + 3_000,
        ...(links.length > 1 ? {} : { name: ['ann'] }),
      },
      how: 'login',
    },
    { type: 'logout' },
    { type: 'refresh' },
    { type: 'changed' },
    { type: 'nudge' },
    { type: 'reconnect' },
  ]
}

export const walkCredential = (
  limits: CredentialLimits,
  links: readonly LinkId[],
): Iterable<Edge<CredentialState, CredentialEvent>> =>
  walk<CredentialState, CredentialEvent>({
    initial: initialCredentialState,
    keyOf: credentialKey,
    transition: (state, event) => credentialTransition(state, event, limits),
    eventsOf: (place) => {
      const { state, at } = place
      const rings = credentialWork(state, limits).filter((work) => work.kind === 'timer')
      const timers = rings.map((ring) => ({
        type: ring.event,
        at: Math.max(at, ring.at),
        roll: 0.5,
      }))
      const isFree = limits.signsInElsewhere === true && state.links.size === 0
      const wild = [
        ...credentialEventsAt(place, links),
        ...(isFree ? [{ type: 'released' as const }] : []),
      ].map((event) => ({
        ...event,
        at: at + 1,
        roll: 0.5,
      }))
      // Time passes: what is held grows old.
      const late = wild.slice(0, 1).map((event) => ({ ...event, at: at + LIFE_MS }))
      return [...timers, ...wild, ...late] as CredentialEvent[]
    },
  })

export type { CredentialWork, LinkWork }
export { credentialTransition, credentialWork, linkTransition, linkWork, standingOf }
