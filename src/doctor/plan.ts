/** What to try next, given what was seen. Pure; a table in the order of trying. */
import type { Facts, ProbeName } from './facts.ts'
import { isExpired } from './lifetime.ts'
import { nearPaths } from './near-paths.ts'
import {
  endCode,
  isMixed,
  isRejectingCode,
  isSame,
  serverOf,
  socketPath,
  solutionOf,
  works,
} from './queries.ts'

interface Step {
  readonly probe: ProbeName
  readonly when: (facts: Facts) => boolean
}

const base = (facts: Facts) => facts.trials.get('base')

const status = (facts: Facts): number | undefined => {
  const outcome = base(facts)
  return outcome?.kind === 'answer' ? outcome.status : undefined
}

/** How an open base ended; 1006 where TCP was cut. */
const code = (facts: Facts): number | undefined => {
  const outcome = base(facts)
  return outcome?.kind === 'open' && outcome.flaw === undefined ? endCode(outcome) : undefined
}

const isAnswered = (facts: Facts): boolean => base(facts)?.kind === 'answer'
const isBlind = (facts: Facts): boolean => base(facts)?.kind === 'blind'
/** TCP, and TLS where there is some, but no answer to the upgrade. */
const isMute = (facts: Facts): boolean => {
  const outcome = base(facts)
  return outcome?.kind === 'failed' && outcome.at === 'answer'
}

/** Refused in a way that may be about who asks. */
const isRefused = (facts: Facts): boolean =>
  [400, 401, 403].includes(status(facts) ?? 0) ||
  isRejectingCode(code(facts)) ||
  isUnheard(facts) ||
  isBlind(facts)

/** The token travelled in a frame, and was refused there, or not answered. */
const isUnheard = (facts: Facts): boolean => {
  const outcome = base(facts)
  if (outcome?.kind !== 'open' || facts.token.carried !== 'frame') return false
  return outcome.flaw === 'refused-in-frame' || outcome.flaw === 'no-welcome'
}

/** 1011: what daphne makes of 1008, and of every exception. 1006: uvicorn's exceptions. */
const isBroken = (facts: Facts): boolean => [1006, 1011].includes(code(facts) ?? 0)

const isSolved = (facts: Facts): boolean =>
  solutionOf(facts) !== undefined || socketPath(facts) !== undefined

const hasToken = ({ token }: Facts): boolean =>
  token.carried === 'handshake' || token.carried === 'frame'

const isElsewhereLikely = (facts: Facts): boolean =>
  hasToken(facts) &&
  !isSolved(facts) &&
  !isExpired(facts) &&
  !readsToken(facts) &&
  (isRefused(facts) || raisesAtPath(facts) || (isBroken(facts) && !endedLate(facts)))

/** daphne takes a second for each exception, and where it raises at every path it is no missing token. */
const raisesAtPath = (facts: Facts): boolean =>
  status(facts) === 500 &&
  !(serverOf(facts) === 'daphne' && isSame(base(facts), facts.trials.get('unknown-path')))

/** Another token in the same place is answered otherwise, so that is where the server looks. */
export const readsToken = (facts: Facts): boolean => {
  const fake = facts.trials.get('fake-token')
  return fake !== undefined && fake.kind !== 'unsent' && !isSame(base(facts), fake)
}

/** Long after it opened: what ends a socket then is seldom a check of the token. */
export const endedLate = (facts: Facts): boolean => {
  const outcome = base(facts)
  return outcome?.kind === 'open' && outcome.end !== undefined && outcome.end.afterMs > LATE_MS
}
/** daphne takes up to a second for a close that follows the accept. */
const LATE_MS = 1_300
/** No check of a token cuts TCP so long after the accept; a very short idle limit does. */
const CUT_LATE_MS = 250

/** Nothing was said, and the socket was ended long after it had opened, without a verdict. */
export const endedIdle = (facts: Facts): boolean => {
  const outcome = base(facts)
  if (outcome?.kind !== 'open' || outcome.flaw || !outcome.end) return false
  const { end } = outcome
  if (end.how === 'cut') return end.afterMs > CUT_LATE_MS
  return end.afterMs > LATE_MS && !isRejectingCode(end.code)
}

const mayBePath = (facts: Facts): boolean =>
  isBlind(facts) || [400, 401, 403, 404, 405, 410, 500].includes(status(facts) ?? 0)

const STEPS = (facts: Facts): readonly Step[] => [
  { probe: 'base', when: () => true },
  { probe: 'root', when: (f) => isAnswered(f) || isMute(f) || isBlind(f) || code(f) !== undefined },
  { probe: 'get', when: (f) => isMute(f) || isBlind(f) || (isAnswered(f) && status(f) !== 403) },
  { probe: 'other-scheme', when: isSchemeDoubtful },
  { probe: 'unknown-path', when: (f) => isAnswered(f) || isMute(f) },
  { probe: 'other-slash', when: mayBePath },
  { probe: 'no-protocols', when: (f) => f.target.offered > 0 && (isMute(f) || isBlind(f)) },
  { probe: 'fake-token', when: (f) => hasToken(f) && !isDecided(f) && !isSolved(f) },
  {
    probe: 'long-token',
    when: (f) => hasToken(f) && f.token.length > LONG && (isMute(f) || isAnswered(f) || isBlind(f)),
  },
  { probe: 'own-origin', when: (f) => mayVaryOrigin(f) && f.target.origin !== 'own' },
  { probe: 'no-origin', when: (f) => mayVaryOrigin(f) && f.target.origin !== 'none' },
  { probe: 'bare-token', when: (f) => f.token.wrapped && !works(base(f)) && !isSolved(f) },
  { probe: 'other-room', when: (f) => f.target.room && !isSolved(f) && mayBeRoom(f) },
  ...nearPaths(facts.target.path).map((path): Step => ({ probe: `near:${path}`, when: isLost })),
  ...facts.ways.flatMap((way): Step[] => [
    { probe: `way:${way}`, when: isElsewhereLikely },
    { probe: `fake-way:${way}`, when: (f) => works(f.trials.get(`way:${way}`)) },
  ]),
  { probe: 'again', when: (f) => isSolved(f) || endedIdle(f) },
  { probe: 'pinged', when: (f) => f.sight === 'node' && endedIdle(f) },
  { probe: 'crowd', when: (f) => f.wantsCrowd && works(base(f)) },
]

/** Some servers have 4 KB for all headers together, most 8. */
const LONG = 1_500

const isSchemeDoubtful = (facts: Facts): boolean => {
  const outcome = base(facts)
  if (outcome?.kind === 'answer') return outcome.mark === 'tls-port'
  if (outcome?.kind !== 'failed') return false
  return outcome.at === 'tls' ? outcome.why !== 'certificate' : isMute(facts)
}

/** No dial can tell more. */
const isDecided = (facts: Facts): boolean => {
  const outcome = base(facts)
  if (outcome?.kind === 'failed') return outcome.at !== 'answer'
  return outcome?.kind === 'forbidden' || [301, 302, 303, 307, 308].includes(status(facts) ?? 0)
}

const mayVaryOrigin = (facts: Facts): boolean =>
  facts.sight === 'node' && isRefused(facts) && !isSolved(facts)

const mayBeRoom = (facts: Facts): boolean =>
  isRefused(facts) || [404, 500].includes(status(facts) ?? 0)

/** The path is answered like one that no server has, so it may be the path. */
const isLost = (facts: Facts): boolean =>
  mayBePath(facts) && !isSolved(facts) && isSame(base(facts), facts.trials.get('unknown-path'))

/** `undefined`: everything that helps was tried. */
export const nextProbe = (facts: Facts): ProbeName | undefined => {
  if (facts.trouble !== undefined || isMixed(facts)) return undefined
  return STEPS(facts).find(({ probe, when }) => !facts.trials.has(probe) && when(facts))?.probe
}
