/** One thing was changed, and the dial worked: that thing is the cause. */
import { certain, likely } from '../causes.ts'
import { otherSlash } from '../near-paths.ts'
import { socketPath, solutionOf, works } from '../queries.ts'
import type { WayName } from '../ways.ts'
import type { Rule } from './rule.ts'

/** What failed has to fail again, or the change had no part in it. */
const cameBack: Rule = (facts) =>
  solutionOf(facts) !== undefined && works(facts.trials.get('again'))
    ? certain({ cause: 'came-back' })
    : undefined

const solved: Rule = (facts) => {
  const probe = solutionOf(facts)
  switch (probe) {
    case undefined:
      return undefined
    case 'other-slash':
      return certain({ cause: 'wrong-slash', path: otherSlash(facts.target.path) })
    case 'own-origin':
      return certain({ cause: 'origin-refused', takes: 'own' })
    case 'no-origin':
      return certain({ cause: 'origin-refused', takes: 'none' })
    case 'bare-token':
      return certain({ cause: 'token-wrapped' })
    case 'other-room':
      return certain({ cause: 'room-refused' })
    default:
      if (probe.startsWith('near:')) return certain({ cause: 'wrong-path', path: probe.slice(5) })
      // The name of the probe is made of that of the way.
      return certain({ cause: 'token-elsewhere', way: probe.slice(4) as WayName })
  }
}

/** The configured path is answered as one that nobody has, and another one is not. */
const nowhere: Rule = (facts) => {
  const path = socketPath(facts)
  if (path === undefined) return undefined
  return path === otherSlash(facts.target.path)
    ? certain({ cause: 'wrong-slash', path })
    : certain({ cause: 'wrong-path', path })
}

const redirected: Rule = ({ target, trials }) => {
  const base = trials.get('base')
  if (base?.kind !== 'answer' || base.leads === undefined) return undefined
  const { leads } = base
  if (leads === 'other-slash')
    return certain({ cause: 'wrong-slash', path: otherSlash(target.path) })
  const everywhere = [trials.get('root'), trials.get('unknown-path')].every(
    (outcome) => outcome?.kind === 'answer' && outcome.leads === 'other-host',
  )
  // Behind TLS with a valid certificate nobody else can answer.
  if (leads === 'other-host' && everywhere && !target.secure)
    return likely({ cause: 'captive-portal' }, 'redirect')
  return certain({ cause: 'redirect', leads })
}

export const changed: readonly Rule[] = [cameBack, solved, nowhere, redirected]
