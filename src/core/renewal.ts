/** Renewing what is held ahead of its end, for sockets that can take it over. */
import {
  type CredentialLimits,
  type CredentialState,
  isRenewalWanted,
  type Renewal,
} from './credential-state.ts'
import { request } from './requests.ts'

/** A younger value, for sockets that can take it over before the old one ends. */
export const renewAhead = (
  state: CredentialState,
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  const { phase, trial } = state
  if (phase.kind !== 'held' || !limits.canRenew || trial.rejections > 0) return state
  const { credential, renewal } = phase
  // Over a pause the timer watches, so that a clock that was set back does not lengthen it.
  if (renewal !== undefined && renewal.notBefore > 0) return state
  return isRenewalWanted(state, credential.id)
    ? request(state, { reason: 'renewal', fresh: true }, at, credential, renewal?.failures)
    : state
}

/** One that ends. */
export const isPause = (renewal: Renewal | undefined): renewal is Renewal =>
  renewal !== undefined && renewal.notBefore > 0 && Number.isFinite(renewal.notBefore)

/** The pause after a failed renewal is over. */
export const renewable = (state: CredentialState): CredentialState => {
  const { phase } = state
  return phase.kind === 'held' && phase.renewal && phase.renewal.notBefore > 0
    ? { ...state, phase: { ...phase, renewal: { ...phase.renewal, notBefore: 0 } } }
    : state
}
