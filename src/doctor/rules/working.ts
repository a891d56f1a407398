/** The dial worked: what several sockets hear of each other, and nothing to complain about. */
import { certain, likely, unknown } from '../causes.ts'
import type { Facts } from '../facts.ts'
import { works } from '../queries.ts'
import type { Rule } from './rule.ts'

const isWorking = (facts: Facts): boolean => works(facts.trials.get('base'))

/** Groups that hear each other and not the others sit on workers that do not talk. */
const split: Rule = (facts) => {
  const crowd = facts.trials.get('crowd')
  if (!isWorking(facts) || crowd?.kind !== 'crowd') return undefined
  if (crowd.sockets < 2 || crowd.groups === 1) return undefined
  // What they said was not to the liking of the server.
  if (crowd.ended > 0 || crowd.groups === undefined) return unknown('workers-not-shared')
  return crowd.groups < crowd.sockets
    ? certain({ cause: 'workers-not-shared' })
    : likely({ cause: 'no-broadcast' }, 'workers-not-shared')
}

const healthy: Rule = (facts) => (isWorking(facts) ? certain({ cause: 'healthy' }) : undefined)

export const working: readonly Rule[] = [split, healthy]
