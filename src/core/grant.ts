/** What a session answers each of its links. */
import { taken } from './credential.ts'
import {
  type CredentialPhase,
  type CredentialState,
  isSettledOpen,
  isVouched,
} from './credential-state.ts'
import type { Grant, LinkId, Standing } from './standing.ts'

/** `undefined`: nothing to say to a link that stands as it does. */
export const grantOf = (state: CredentialState, id: LinkId): Grant | undefined => {
  const standing = state.links.get(id)
  if (standing === undefined) return undefined
  const { phase, trial } = state
  if (phase.kind === 'refused')
    return isSettledOpen(standing) ? undefined : { kind: 'fail', problem: phase.problem }
  if (standing.kind === 'open') return renewalOf(phase, standing)
  if (standing.kind !== 'asking') return undefined
  const { demand } = standing
  if (demand.kind === 'unwelcome') return { kind: 'refuse-room', problem: demand.problem }
  if (phase.kind === 'backing-off')
    return { kind: 'later', until: phase.retryAt, problem: phase.problem }
  if (phase.kind !== 'held') return { kind: 'wait' }
  if (trial.notBefore !== undefined && trial.problem)
    return { kind: 'later', until: trial.notBefore, problem: trial.problem }
  if (demand.kind === 'rejected' || !mayDial(state, id)) return { kind: 'wait' }
  const { credential } = phase
  // Accepted, or asked for as a new one: where it seems to have expired all the same, our clock is wrong.
  const isGood = trial.doubted || credential.id === state.acceptedId
  return { kind: 'go', credential: isGood ? taken(credential) : credential }
}

const renewalOf = (
  phase: CredentialPhase,
  { wants, credential }: Extract<Standing, { kind: 'open' }>,
): Grant | undefined =>
  wants === 'renewal' && phase.kind === 'held' && phase.credential.id > credential
    ? { kind: 'renew', credential: phase.credential }
    : undefined

/**
 * After a counted rejection one link tries the credential, the scout, and the others wait until it has
 * settled: ten sockets must not spend ten dials to learn the same.
 */
const mayDial = (state: CredentialState, id: LinkId): boolean => {
  if (state.trial.rejections === 0 || isVouched(state)) return true
  let scout: LinkId | undefined
  for (const [other, standing] of state.links) {
    if (isTrying(state, standing)) return false
    if (standing.kind !== 'asking' || standing.demand.kind === 'unwelcome') continue
    if (scout === undefined || isBetterScout(state, other, scout)) scout = other
  }
  return scout === id
}

const isTrying = ({ roundFrom }: CredentialState, standing: Standing): boolean =>
  (standing.kind === 'dialing' || standing.kind === 'open') && standing.credential >= roundFrom

const isBetterScout = ({ trial }: CredentialState, one: LinkId, other: LinkId): boolean =>
  trial.rejected.has(other) && !trial.rejected.has(one)

/** Says nothing that was not said. */
export const isSameGrant = (one: Grant, other: Grant | undefined): boolean =>
  other !== undefined &&
  one.kind === other.kind &&
  (one.kind !== 'later' || (other.kind === 'later' && one.until === other.until))
