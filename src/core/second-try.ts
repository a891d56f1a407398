/** A session that its server had rejected: what a verb of the user, or news of the page, may still try. */
import type { CredentialLimits, CredentialState } from './credential-state.ts'
import { askAgain, hold } from './requests.ts'
import { NO_TRIAL } from './trial.ts'

/**
 * A verb asks the source, and all begins anew. News of the page are worth one dial: an auth backend that was down, or
 * had old keys, refused everybody for a minute. The refusal stands until that dial has settled, so that the sign-in
 * form does not flicker. Where no source can be asked, the last value is dialed once, by either.
 */
export const triedAgain = (
  state: CredentialState,
  by: 'again' | 'retry',
  at: number,
  limits: CredentialLimits,
): CredentialState => {
  const { phase, trial } = state
  if (phase.kind !== 'refused')
    return by === 'again' && trial.refusal
      ? { ...state, trial: { ...trial, refusal: undefined } }
      : state
  if (by === 'again' && limits.canAsk) return askAgain(state, at, limits)
  const { problem, credential } = phase
  if (problem.kind !== 'rejected' || !credential) return state
  const last = { ...NO_TRIAL, rejections: 2, problem: problem.last } as const
  const next = { ...state, trial: by === 'again' ? last : { ...last, refusal: problem } }
  return limits.canAsk ? askAgain(next, at, limits) : hold(next, credential)
}
