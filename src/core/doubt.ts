/** Whether silence, or a policy that was violated, costs a refresh. */
import { isPastClaim } from './credential.ts'
import { type CredentialLimits, type CredentialState, demandOf, some } from './credential-state.ts'

/** A credential that this server had accepted is doubted only after so long: a rollout is no refresh herd. */
const ACCEPTED_DOUBT_MS = 30_000

/** Who is closed for too many messages each minute must not spend a refresh each minute. */
const VIOLATION_DOUBT_MS = 600_000

/** Doubt costs at most one refresh until a link settles, and none while any socket of the session is open. */
export const isDoubted = (
  state: CredentialState,
  at: number,
  limits: CredentialLimits,
): boolean => {
  const { doubtedAt = -Infinity } = state
  if (demandOf(state, 'violation') && at - doubtedAt >= VIOLATION_DOUBT_MS)
    return isFree(state, limits)
  const doubt = demandOf(state, 'suspect')
  return doubt !== undefined && mayDoubt(state, { ...doubt, at }, limits)
}

const isFree = (state: CredentialState, limits: CredentialLimits): boolean =>
  limits.canRenew && !state.trial.doubted && !some(state, ({ kind }) => kind === 'open')

/** Would attempts that have failed in silence for so long cost a refresh, if the host answers? */
export const mayDoubt = (
  state: CredentialState,
  { forMs, at }: { readonly forMs: number; readonly at: number },
  limits: CredentialLimits,
): boolean => {
  const { acceptedId = -1, roundFrom, phase } = state
  if (phase.kind !== 'held' || !isFree(state, limits)) return false
  // Where the token itself says that it has ended, nothing is waited for.
  if (isPastClaim(phase.credential, at)) return true
  return acceptedId < roundFrom || forMs >= ACCEPTED_DOUBT_MS * limits.scale
}
