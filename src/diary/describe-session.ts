/** One step of a session in words: tokens that were asked for, received, doubted and counted out. */
import { type Credential, expiresAt } from '../core/credential.ts'
import {
  type Ask,
  type CredentialEvent,
  type CredentialState,
  demandOf,
  some,
} from '../core/credential-state.ts'
import type { SessionStep } from '../core/diary.ts'
import { momentOf, problemWords, spanOf } from './words.ts'

/** `undefined`: nothing that a person would call a decision. */
export const describeSession = (step: SessionStep): string | undefined => {
  const words = [happenedOf(step), countedOf(step), askedOf(step), keptOf(step), endedOf(step)]
  const said = words.filter((part) => part !== undefined)
  return said.length === 0 ? undefined : said.join('; ')
}

const HAPPENED: Readonly<Partial<Record<CredentialEvent['type'], string>>> = {
  'signed-out': 'the token source says that nobody is signed in',
  logout: 'signed out',
  refresh: 'asked to refresh the token',
  changed: 'told that there may be another token',
}

const happenedOf = ([event, before, after]: SessionStep): string | undefined => {
  switch (event.type) {
    case 'login':
      return `signed in: ${tokenWords(event.credential)}`
    case 'answered':
      return answeredWords(event.credential, before, after)
    case 'unavailable':
      return `${problemWords(event.problem)}${againWords(after)}`
    case 'timed-out':
      return `the token source did not answer in time${againWords(after)}`
    default:
      return HAPPENED[event.type]
  }
}

const answeredWords = (
  credential: Credential,
  before: CredentialState,
  { phase }: CredentialState,
): string => {
  if (phase.kind === 'backing-off')
    return `token received, and not used: ${problemWords(phase.problem)}${againWords({ phase })}`
  const { phase: asking } = before
  const replaced = 'ask' in asking ? asking.ask.replaces?.id : undefined
  const kept = asking.kind === 'requesting' ? asking.fallback?.id : undefined
  return credential.id === replaced || credential.id === kept
    ? `token received, the same value as before: ${endWords(credential)}`
    : `token received: ${tokenWords(credential)}`
}

const tokenWords = (credential: Credential): string =>
  credential.lifetimeMs === undefined
    ? endWords(credential)
    : `good for ${spanOf(credential.lifetimeMs)}, ${endWords(credential)}`

const endWords = (credential: Credential): string => {
  const end = expiresAt(credential)
  if (end !== undefined) return `until ${momentOf(end)}`
  const { claimedExpiry } = credential
  return claimedExpiry === undefined
    ? 'no end of it is known'
    : `past its exp by this clock (${momentOf(claimedExpiry)}): the server decides`
}

const againWords = ({ phase }: Pick<CredentialState, 'phase'>): string => {
  if (phase.kind === 'held') return ': keeps the one that it has'
  return phase.kind === 'backing-off'
    ? `: failure ${phase.failures}, asked again at ${momentOf(phase.retryAt)}`
    : ''
}

/** Rejections are counted once for all sockets of the session. */
const countedOf = ([, before, after]: SessionStep): string | undefined => {
  const { rejections, notBefore } = after.trial
  // A session that ended, or begins, says more than its count.
  if (after.phase.kind === 'refused' || after.phase.kind === 'absent') return undefined
  if (rejections === before.trial.rejections) return undefined
  if (before.phase.kind === 'refused') return 'the session is over: one more dial is tried'
  if (rejections === 0) return 'earlier rejections are forgotten'
  if (rejections === 1) return 'the token is rejected for the first time: another is tried'
  return notBefore === undefined
    ? 'the token is rejected again'
    : `the same token is tried once more, at ${momentOf(notBefore)}`
}

const askedOf = ([, before, after]: SessionStep): string | undefined => {
  const { wire } = after
  if (wire === undefined || wire.id === before.wire?.id) return undefined
  const doubt = after.trial.doubted && !before.trial.doubted
  return `asks for a token: ${doubt ? doubtWords(after) : whyAsked(wire.ask)}`
}

const doubtWords = (state: CredentialState): string =>
  demandOf(state, 'violation')
    ? 'fresh, at most once in 10 min, because of the 1008'
    : 'fresh, once, because the host answers'

const whyAsked = ({ reason, fresh, replaces }: Ask): string => {
  if (replaces) return `${reason}, fresh, because the last one ${ENDED[replaces.because]}`
  return `${reason}, ${fresh ? 'fresh' : 'not forced'}`
}

const ENDED = { rejected: 'was rejected', expired: 'has expired' } as const

/** Why a suspicion costs no request. */
const keptOf = ([event, before, after]: SessionStep): string | undefined => {
  if (event.type !== 'link' || event.standing.kind !== 'asking') return undefined
  if (event.standing.demand.kind !== 'suspect' || after.phase.kind !== 'held') return undefined
  return `keeps the token: ${whyKept(before)}`
}

const whyKept = (state: CredentialState): string => {
  if (some(state, ({ kind }) => kind === 'open')) return 'another socket of the session is open'
  if (state.trial.doubted) return 'it is as fresh as one can be had'
  return state.acceptedId !== undefined && state.acceptedId >= state.roundFrom
    ? 'this server had accepted it, and has not failed for long'
    : 'it cannot be renewed'
}

const endedOf = ([, before, after]: SessionStep): string | undefined =>
  after.phase.kind === 'refused' && before.phase.kind !== 'refused'
    ? `the session is over, sign in: ${problemWords(after.phase.problem)}`
    : undefined
