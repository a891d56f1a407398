/** What must be running in each state of a link. */
import { type Credential, expiresAt } from './credential.ts'
import type { LinkLimits, LinkState, LinkWork, StateOf } from './link-state.ts'

/** Open for so long without a word from the server, a link is taken as accepted. */
const ACCEPTED_MS = 250
/** Accepted for so long, a credential's rejections are forgotten. */
const PROVEN_MS = 20_000

export const workOf = (state: LinkState, limits: LinkLimits): LinkWork[] => {
  const { memory } = state
  switch (state.kind) {
    case 'connecting': {
      const work: LinkWork[] = [
        socket(memory.dials, state.credential),
        timer('timed-out', deadlineOf(state, limits)),
      ]
      if (state.openedAt !== undefined && !limits.greets)
        work.push(timer('accepted', state.openedAt + Math.min(ACCEPTED_MS, limits.settleMs)))
      return work
    }
    case 'connected':
      return [
        socket(memory.dials, state.credential),
        { key: `heartbeat ${memory.dials}`, kind: 'heartbeat' },
        ...trustTimers(state, limits),
        ...renewalWork(state),
      ]
    case 'closing':
      return [socket(memory.dials, state.credential)]
    case 'waiting':
      return [
        timer('due', Math.max(state.due, state.notBefore)),
        ...(state.probe === 'asking'
          ? [
              {
                key: `probe ${memory.dials}`,
                kind: 'probe',
                credential: state.credential.id,
              } as const,
            ]
          : []),
      ]
    default:
      return []
  }
}

export const deadlineOf = (
  { since, openedAt = Infinity }: { readonly since: number; readonly openedAt?: number },
  { connectTimeoutMs, answerTimeoutMs = Infinity }: LinkLimits,
): number => Math.min(since + connectTimeoutMs, openedAt + answerTimeoutMs)

/** Until it has been open for `settleMs`: to be trusted without a word, and to be no failure. */
export const hasToLast = ({ trust, memory }: StateOf<'connected'>): boolean =>
  trust === 'open' || memory.failures > 0

const trustTimers = (state: StateOf<'connected'>, limits: LinkLimits): LinkWork[] => {
  const work: LinkWork[] = []
  if (hasToLast(state)) work.push(timer('settled', state.openedAt + limits.settleMs))
  if (state.trust !== 'proven')
    work.push(timer('proven', state.openedAt + Math.max(PROVEN_MS * limits.scale, limits.settleMs)))
  const end = expiresAt(state.credential)
  if (limits.closeAtExpiry && end !== undefined) work.push(timer('expired', end))
  return work
}

const renewalWork = ({ memory, renewal }: StateOf<'connected'>): LinkWork[] => {
  switch (renewal?.kind) {
    case 'planned':
      return Number.isFinite(renewal.at) ? [timer('renew', renewal.at)] : []
    case 'offered': {
      const { credential } = renewal
      return [{ key: `offer ${memory.dials} ${credential.id}`, kind: 'offer', credential }]
    }
    default:
      return []
  }
}

export const socket = (dial: number, credential: Credential): LinkWork => ({
  key: `socket ${dial}`,
  kind: 'socket',
  dial,
  credential,
})

export const timer = (
  event: Extract<LinkWork, { kind: 'timer' }>['event'],
  at: number,
): LinkWork => ({
  key: `${event} ${at}`,
  kind: 'timer',
  at,
  event,
})
