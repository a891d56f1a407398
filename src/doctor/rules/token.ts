/** What the token itself, and its size, tell of a refusal. */
import { certain, likely } from '../causes.ts'
import type { Facts, Outcome } from '../facts.ts'
import { clocksDiffer, isExpired, isExpiredHere, isFromFuture, isTooYoung } from '../lifetime.ts'
import { endCode, isRejectingCode, isSame, isTelling, skewOf } from '../queries.ts'
import type { Rule } from './rule.ts'

/** A refusal that a bad token may have: before the accept, or after it. A page comes from a proxy. */
const isRefusal = (outcome: Outcome | undefined): boolean =>
  (outcome?.kind === 'answer' && [401, 403].includes(outcome.status) && !outcome.html) ||
  (outcome?.kind === 'open' &&
    (outcome.flaw === 'refused-in-frame' ||
      (outcome.flaw === undefined && isRejectingCode(endCode(outcome)))))

const base = ({ trials }: Facts): Outcome | undefined => trials.get('base')

const tooLarge: Rule = (facts) => {
  const outcome = base(facts)
  if (outcome?.kind !== 'answer') return undefined
  const { trials, token } = facts
  const short = trials.get('fake-token')
  const isOfLength =
    isSame(outcome, trials.get('long-token')) && isTelling(short) && !isSame(outcome, short)
  // A 401 or 403 says that the token was read.
  const isNamed = [431, 414].includes(outcome.status) || outcome.mark === 'too-large'
  return isNamed || (isOfLength && ![401, 403].includes(outcome.status))
    ? certain({ cause: 'header-too-large', tokenLength: token.length })
    : undefined
}

const refreshToken: Rule = (facts) =>
  isRefusal(base(facts)) && facts.token.isRefresh
    ? certain({ cause: 'refresh-token-sent' })
    : undefined

const clock: Rule = (facts) => {
  if (!isRefusal(base(facts))) return undefined
  const skewMs = skewOf(facts)
  const skew = skewMs === undefined ? {} : { skewMs }
  if (isTooYoung(facts)) return certain({ cause: 'wrong-clock', ...skew })
  if (skewMs !== undefined && clocksDiffer(facts) && isExpired(facts) && !isExpiredHere(facts))
    return certain({ cause: 'wrong-clock', skewMs })
  return undefined
}

const expired: Rule = (facts) => {
  if (!isRefusal(base(facts)) || !isExpired(facts)) return undefined
  // By our clock alone, which may be the wrong one.
  return skewOf(facts) === undefined
    ? likely({ cause: 'token-expired' }, 'wrong-clock')
    : certain({ cause: 'token-expired' })
}

/** Not every library refuses a token that was issued in its future. */
const fromFuture: Rule = (facts) => {
  if (!isRefusal(base(facts)) || !isFromFuture(facts)) return undefined
  const skewMs = skewOf(facts)
  return likely(
    { cause: 'wrong-clock', ...(skewMs !== undefined && { skewMs }) },
    'token-refused',
    'close-before-accept',
  )
}

export const token: readonly Rule[] = [tooLarge, refreshToken, clock, expired, fromFuture]
