/** A younger token for an open socket, ahead of the old one's end. */
import { type Credential, expiresAt } from './credential.ts'
import { renewalLeadMs } from './lifetime.ts'
import type { EventOf, LinkLimits, LinkRenewal, LinkState, StateOf } from './link-state.ts'

/** What seems to end so soon by its `exp` alone is not renewed ahead: a wrong clock would do so without end. */
const SHORTEST_CLAIM_MS = 30_000

/** A token without an end that is known is renewed when the server says that it expires. */
export const planOf = (credential: Credential, roll: number): LinkRenewal => {
  const { lifetimeMs = Infinity, claimedExpiry = Infinity } = credential
  const end = expiresAt(credential) ?? Infinity
  if (end >= claimedExpiry && end < claimedExpiry + 1 && lifetimeMs < SHORTEST_CLAIM_MS)
    return { kind: 'planned', at: Infinity }
  return { kind: 'planned', at: end - renewalLeadMs(lifetimeMs, roll) }
}

export const planned = (
  state: LinkState,
  { renewable = false, roll }: EventOf<'greeted'>,
  limits: LinkLimits,
): LinkState => {
  if (state.kind !== 'connected' || state.renewal) return state
  if (!renewable || limits.renewal !== 'in-band') return state
  return withRenewal(state, planOf(state.credential, roll))
}

/** Timers sleep with the machine, so a reason to look finds what should have been done. */
export const isOverdue = (state: LinkState, at: number): state is StateOf<'connected'> =>
  state.kind === 'connected' && state.renewal?.kind === 'planned' && at >= state.renewal.at

export const wanted = (state: LinkState): LinkState =>
  state.kind === 'connected' && state.renewal?.kind === 'planned'
    ? withRenewal(state, { kind: 'wanted' })
    : state

/** A server that goes on saying so makes no loop. In ms. */
const TOLD_AFTER_MS = 5_000

/**
 * A server that speaks early, of every token, would cost two renewals a life: where the end is known, it decides. And what
 * was received just now is not renewed yet.
 */
export const told = (state: LinkState, at: number): LinkState => {
  if (state.kind !== 'connected' || state.renewal?.kind !== 'planned') return state
  if (Number.isFinite(state.renewal.at)) return state
  const notBefore = state.credential.receivedAt + TOLD_AFTER_MS
  return at < notBefore ? withRenewal(state, { kind: 'planned', at: notBefore }) : wanted(state)
}

export const offered = (state: LinkState, credential: Credential): LinkState =>
  state.kind === 'connected' && state.renewal?.kind === 'wanted'
    ? withRenewal(state, { kind: 'offered', credential })
    : state

/** What is known of the socket stays known: the server had accepted it, and has now said so again. */
export const renewed = (state: LinkState, roll: number): LinkState => {
  if (state.kind !== 'connected' || state.renewal?.kind !== 'offered') return state
  const { credential } = state.renewal
  const memory = { ...state.memory, settledOn: credential.id }
  return withRenewal({ ...state, memory, credential }, planOf(credential, roll))
}

export const renewalFailed = (state: LinkState): LinkState =>
  state.kind === 'connected' && state.renewal?.kind === 'offered'
    ? withRenewal(state, undefined)
    : state

export const withRenewal = (
  state: StateOf<'connected'>,
  renewal: LinkRenewal | undefined,
): LinkState => {
  if (renewal) return { ...state, renewal }
  if (!state.renewal) return state
  const { renewal: _, ...rest } = state
  return rest
}
