/** What rules and plan ask of the facts. Pure. */
import type { Facts, Opened, Outcome, ProbeName, ServerName } from './facts.ts'
import { otherSlash } from './near-paths.ts'
import type { WayName } from './ways.ts'

/** A page on https may open `ws:` to the own machine only. */
export const isMixed = ({ target: { page, secure, loopback } }: Facts): boolean =>
  page === 'https' && !secure && !loopback

export const works = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === 'open' && outcome.end === undefined && outcome.flaw === undefined

/** Two answers that tell nothing apart. */
export const isSame = (one: Outcome | undefined, other: Outcome | undefined): boolean => {
  if (one === undefined || one.kind !== other?.kind) return false
  if (one.kind === 'answer' && other.kind === 'answer')
    return one.status === other.status && one.mark === other.mark && one.html === other.html
  if (one.kind === 'failed' && other.kind === 'failed')
    return one.at === other.at && one.why === other.why
  if (one.kind === 'open' && other.kind === 'open')
    return one.flaw === other.flaw && endCode(one) === endCode(other)
  return true
}

/** The close code; 1006 where TCP was cut. */
export const endCode = ({ end }: Opened): number | undefined =>
  end?.how === 'cut' ? 1006 : end?.code

/** Codes by which servers refuse a token or a user. */
export const isRejectingCode = (code: number | undefined): boolean =>
  code !== undefined &&
  (code === 1008 || code === 3000 || code === 3003 || (code >= 4000 && code < 5000))

/** Own clock minus the server's, where an answer said what time it is there. */
export const skewOf = (facts: Facts): number | undefined => {
  for (const outcome of facts.trials.values())
    if ((outcome.kind === 'answer' || outcome.kind === 'open') && outcome.skewMs !== undefined)
      return outcome.skewMs
  return undefined
}

export const serverOf = (facts: Facts): ServerName | undefined => {
  for (const outcome of facts.trials.values())
    if ((outcome.kind === 'answer' || outcome.kind === 'open') && outcome.server)
      return outcome.server
  return undefined
}

/** The first probe that changes one thing and works, where the configured dial does not: it names the cause. */
export const solutionOf = ({ trials }: Facts): ProbeName | undefined => {
  if (works(trials.get('base'))) return undefined
  for (const [probe, outcome] of trials)
    if (works(outcome) && isSolution(probe, trials)) return probe
  return undefined
}

const CHANGES = ['other-slash', 'own-origin', 'no-origin', 'bare-token', 'other-room']

/** A place where a made-up token does as well is no place where the server reads one. */
const isSolution = (probe: ProbeName, trials: Facts['trials']): boolean =>
  CHANGES.includes(probe) ||
  probe.startsWith('near:') ||
  (probe.startsWith('way:') && !works(trials.get(`fake-${probe as `way:${WayName}`}`)))

/** Opens, or refuses as a socket server does: not as for a path that is not there. */
const isSocket = (outcome: Outcome): boolean =>
  outcome.kind === 'open' ||
  (outcome.kind === 'answer' && (outcome.status === 401 || outcome.status === 403))

/** Another path that is there, where the configured one is answered as one that nobody has. */
export const socketPath = ({ target, trials }: Facts): string | undefined => {
  const unknown = trials.get('unknown-path')
  const base = trials.get('base')
  if (base?.kind !== 'answer' || !isSame(base, unknown)) return undefined
  for (const [probe, outcome] of trials) {
    if (!isSocket(outcome) || isSame(outcome, unknown)) continue
    if (probe === 'other-slash') return otherSlash(target.path)
    if (probe.startsWith('near:')) return probe.slice(5)
  }
  return undefined
}
