/** The states, events and work of the credential machine. */
import type { Credential, TokenReason } from './credential.ts'
import { type Entrance, type Identity, NOBODY, type Whose } from './identity.ts'
import type { Problem } from './problem.ts'
import type { Demand, LinkId, Standing, Trust } from './standing.ts'
import { NO_TRIAL, type Trial } from './trial.ts'

export interface Ask {
  readonly reason: TokenReason
  readonly fresh: boolean
  /** The value that the answer must not be, and what follows when it is. */
  readonly replaces?: { readonly id: number; readonly because: 'rejected' | 'expired' }
}

export type CredentialPhase =
  | { readonly kind: 'absent' }
  /** `fallback`: still good enough to dial with when no answer can be had. `since`: epoch ms. */
  | {
      readonly kind: 'requesting'
      readonly since: number
      readonly ask: Ask
      readonly failures: number
      readonly fallback?: Credential
    }
  /** `served`: the links that this answer was asked for, and that have not dialed with it yet. */
  | {
      readonly kind: 'held'
      readonly credential: Credential
      readonly served: ReadonlySet<LinkId>
      /** What became of renewing it ahead of its expiry, as far as that failed. */
      readonly renewal?: Renewal
    }
  | {
      readonly kind: 'backing-off'
      readonly ask: Ask
      readonly failures: number
      readonly retryAt: number
      /** The source's own advice, which nothing shortens. */
      readonly notBefore: number
      readonly problem: Problem
    }
  /** `credential`: the one that was held to the last. */
  | { readonly kind: 'refused'; readonly problem: Problem; readonly credential?: Credential }

/** No one asks again before `notBefore`, in epoch ms; never, where the source gave the same value. */
export interface Renewal {
  readonly failures: number
  readonly notBefore: number
}

export interface CredentialState {
  readonly phase: CredentialPhase
  /** A token request on the wire. It may outlive its phase: a rotating refresh is never aborted. */
  readonly wire?: { readonly id: number; readonly since: number; readonly ask: Ask }
  readonly requests: number
  readonly links: ReadonlyMap<LinkId, Standing>
  readonly trial: Trial
  readonly whose: Whose
  /** The value of this page's own login. */
  readonly loginId?: number | undefined
  /** The value that a server was last seen to accept. */
  readonly acceptedId?: number
  /** When doubt last cost a refresh, in epoch ms. */
  readonly doubtedAt?: number
  readonly nudgedAt?: number
  /** The first value of this round: a source may give another one for each dial. Older ones are past. */
  readonly roundFrom: number
}

export type CredentialEvent = { readonly at: number; readonly roll: number } & (
  | { readonly type: 'link'; readonly id: LinkId; readonly standing: Standing }
  | { readonly type: 'answered'; readonly credential: Credential }
  | { readonly type: 'signed-out' }
  | { readonly type: 'unavailable'; readonly problem: Problem; readonly retryAfterMs?: number }
  | { readonly type: 'refused'; readonly problem: Problem }
  | { readonly type: 'timed-out' }
  | { readonly type: 'due' }
  | { readonly type: 'renewable' }
  | { readonly type: 'login'; readonly credential: Credential; readonly how: Entrance }
  | { readonly type: 'logout' }
  /** No socket is wanted any more, and who comes next signs in elsewhere. */
  | { readonly type: 'released' }
  | { readonly type: 'refresh' }
  | { readonly type: 'changed' }
  /** News from the page, and the user's own hurry: reasons to ask sooner. */
  | { readonly type: 'nudge' }
  | { readonly type: 'reconnect' }
)

/** What the source can do now, and the user's numbers. */
export interface CredentialLimits {
  readonly canRenew: boolean
  readonly canAsk: boolean
  readonly everyDial: boolean
  readonly rotates: boolean
  readonly signsInElsewhere?: boolean | undefined
  readonly tokenTimeoutMs: number
  readonly scale: number
}

export type CredentialWork =
  | { readonly key: string; readonly kind: 'request'; readonly ask: Ask }
  | {
      readonly key: string
      readonly kind: 'timer'
      readonly at: number
      readonly event: 'due' | 'timed-out' | 'renewable'
    }

export const initialCredentialState: CredentialState = {
  phase: { kind: 'absent' },
  requests: 0,
  links: new Map(),
  trial: NO_TRIAL,
  whose: NOBODY,
  roundFrom: 0,
}

/** Until the next one has come, a name is shown only while something of theirs is held. */
export const identityOf = ({ whose, phase }: CredentialState): Identity => {
  const { login, since, name, next } = whose
  return { login, since, token: next === 'same' || phase.kind === 'held' ? name : undefined }
}

/** Did a value of this round carry a socket far enough, and is that socket still open? */
export const isVouched = (state: CredentialState): boolean =>
  some(state, (standing) => isSettledOpen(standing) && standing.credential >= state.roundFrom)

/** Did this value carry a socket far enough to be trusted, and is that socket still open? */
export const isTrusted = (state: CredentialState, credentialId: number): boolean =>
  some(state, (standing) => isSettledOpen(standing) && standing.credential === credentialId)

export const isSettled = (trust: Trust): boolean => trust !== 'open'

export const isSettledOpen = (
  standing: Standing,
): standing is Extract<Standing, { kind: 'open' }> =>
  standing.kind === 'open' && isSettled(standing.trust)

/** Does an open socket want a younger value than this? */
export const isRenewalWanted = (state: CredentialState, credentialId: number): boolean =>
  some(
    state,
    (standing) =>
      standing.kind === 'open' &&
      standing.wants === 'renewal' &&
      standing.credential === credentialId,
  )

export const isAsking = (state: CredentialState): boolean =>
  some(state, ({ kind }) => kind === 'asking')

export const some = (state: CredentialState, is: (standing: Standing) => boolean): boolean => {
  for (const standing of state.links.values()) if (is(standing)) return true
  return false
}

export const demandOf = <Kind extends Demand['kind']>(
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
