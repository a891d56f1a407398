/** What a user sees of a socket, which may be many: one word for all links, and what goes with it. */
import { expiresAt } from './credential.ts'
import type { CredentialState } from './credential-state.ts'
import type { LinkState } from './link-state.ts'
import { type Action, actionOf, type Problem } from './problem.ts'

/** The session's part. */
export interface SessionView {
  readonly held: boolean
  readonly refusal?: Problem | undefined
  readonly tokenExpiresAt?: number | undefined
  readonly backingOff?:
    | { readonly until: number; readonly attempt: number; readonly problem: Problem }
    | undefined
}

export const viewOf = ({ phase, trial }: CredentialState): SessionView => ({
  held: phase.kind === 'held',
  refusal: phase.kind === 'refused' ? phase.problem : trial.refusal,
  tokenExpiresAt: phase.kind === 'held' ? expiresAt(phase.credential) : undefined,
  backingOff:
    phase.kind === 'backing-off'
      ? { until: phase.retryAt, attempt: phase.failures, problem: phase.problem }
      : undefined,
})

/** Nothing of what `viewOf` shows has changed: most of what links report changes nothing. */
export const isSameView = (
  { phase, trial }: CredentialState,
  { phase: other, trial: { refusal } }: CredentialState,
): boolean =>
  trial.refusal === refusal &&
  (phase === other ||
    (phase.kind === 'held' && other.kind === 'held' && phase.credential === other.credential))

interface Since {
  readonly everConnected: boolean
  /** Since when there is no connection, in epoch ms. */
  readonly downSince?: number
}

export type StatusView =
  | ({ readonly state: 'idle' | 'authenticating' | 'connecting' } & Since)
  | { readonly state: 'connected'; readonly tokenExpiresAt?: number }
  | {
      readonly state: 'waiting'
      readonly retryAt: number
      readonly attempt: number
      readonly downSince: number
      readonly problem: Problem
    }
  | { readonly state: 'failed'; readonly problem: Problem; readonly action: Action }

/** @param since when the user connected, also where no link is needed for it yet; epoch ms */
export const statusOf = (
  links: readonly LinkState[],
  since: number | undefined,
  session: SessionView,
): StatusView => {
  if (since === undefined) return { state: 'idle', ...sinceOf(links) }
  if (links.some(isConnected)) return connected(session)
  const { refusal } = session
  if (refusal) return { state: 'failed', problem: refusal, action: actionOf(refusal) }
  const live = links.filter(({ kind }) => kind !== 'refused')
  if (live.length === 0) return withoutLinks(links, since, session)
  const trying = live.filter(({ kind }) => kind !== 'failed')
  const [failed] = live
  if (trying.length === 0 && failed?.kind === 'failed')
    return { state: 'failed', problem: failed.problem, action: failed.action }
  if (trying.some(({ kind }) => kind === 'connecting' || kind === 'closing'))
    return { state: 'connecting', ...sinceOf(links) }
  const waits = trying.map(waitOf).filter((wait) => wait !== undefined)
  if (waits.length < trying.length) return { state: 'authenticating', ...sinceOf(links) }
  return waits.reduce((first, wait) => (wait.retryAt < first.retryAt ? wait : first))
}

const isConnected = ({ kind }: LinkState): boolean => kind === 'connected'

const connected = ({ tokenExpiresAt }: SessionView): StatusView => ({
  state: 'connected',
  ...(tokenExpiresAt !== undefined && { tokenExpiresAt }),
})

/** Rooms have sockets of their own and none is joined: holding a credential is all there is to do. */
const withoutLinks = (
  links: readonly LinkState[],
  downSince: number,
  session: SessionView,
): StatusView => {
  if (session.held) return connected(session)
  const { backingOff } = session
  if (!backingOff) return { state: 'authenticating', ...sinceOf(links), downSince }
  const { until, attempt, problem } = backingOff
  return { state: 'waiting', retryAt: until, attempt, downSince, problem }
}

type Wait = Extract<StatusView, { state: 'waiting' }>

const waitOf = (link: LinkState): Wait | undefined => {
  const { failures, downSince } = link.memory
  if (link.kind === 'waiting') {
    const retryAt = Math.max(link.due, link.notBefore)
    const { problem } = link
    return {
      state: 'waiting',
      retryAt,
      attempt: failures,
      downSince: downSince ?? retryAt,
      problem,
    }
  }
  if (link.kind !== 'authenticating' || !link.deferred) return undefined
  const { until, problem } = link.deferred
  return {
    state: 'waiting',
    retryAt: until,
    attempt: failures,
    downSince: downSince ?? until,
    problem,
  }
}

const sinceOf = (links: readonly LinkState[]): Since => {
  const since = links.map(({ memory }) => memory.downSince).filter((at) => at !== undefined)
  return {
    everConnected: links.some(({ memory }) => memory.everConnected),
    ...(since.length > 0 && { downSince: Math.min(...since) }),
  }
}
