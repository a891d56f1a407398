/** A browser's failed dial, which no single change mended. Certain is what the change of one thing shows. */
import { certain, likely, unknown } from '../causes.ts'
import type { Facts } from '../facts.ts'
import { isExpired } from '../lifetime.ts'
import type { Rule } from './rule.ts'

const blindly = (fits: (facts: Facts) => ReturnType<Rule>): Rule => {
  return (facts) => (facts.trials.get('base')?.kind === 'blind' ? fits(facts) : undefined)
}

const silent = blindly(({ trials, offline }) => {
  if (trials.get('root')?.kind !== 'silent') return undefined
  return offline
    ? certain({ cause: 'offline' })
    : unknown('host-unreachable', 'port-refused', 'dns', 'tls-certificate')
})

/** Without an offer it opens, whatever the server does then. */
const notEchoed = blindly(({ trials }) =>
  trials.get('no-protocols')?.kind === 'open'
    ? likely({ cause: 'subprotocol-not-echoed' }, 'subprotocol-not-offered', 'token-refused')
    : undefined,
)

const expired = blindly((facts) =>
  isExpired(facts) ? likely({ cause: 'token-expired' }, 'wrong-clock') : undefined,
)

const refreshToken = blindly(({ token }) =>
  token.isRefresh ? likely({ cause: 'refresh-token-sent' }, 'wrong-path') : undefined,
)

/** The host answers, and no more is to be seen: statuses are hidden from scripts. */
const hidden = blindly(() =>
  unknown(
    'close-before-accept',
    'wrong-path',
    'origin-refused',
    'exception-before-accept',
    'token-refused',
  ),
)

export const blind: readonly Rule[] = [silent, notEchoed, expired, refreshToken, hidden]
