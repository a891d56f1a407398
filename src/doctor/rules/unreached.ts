/** No HTTP answer to the upgrade: nothing could be dialed, or nothing came back. */
import { type Cause, certain, type Finding, likely, unknown } from '../causes.ts'
import type { Facts, Failed, Outcome } from '../facts.ts'
import { isMixed, isSame, serverOf } from '../queries.ts'
import type { Rule } from './rule.ts'

const mixed: Rule = (facts) => (isMixed(facts) ? certain({ cause: 'mixed-content' }) : undefined)

const troubled: Rule = ({ trouble }) => trouble && certain(trouble)

const forbidden: Rule = ({ trials }) => {
  const base = trials.get('base')
  if (base?.kind !== 'forbidden') return undefined
  if (base.by === 'csp') return certain({ cause: 'blocked-by-csp' })
  return base.by === 'mixed-content'
    ? certain({ cause: 'mixed-content' })
    : unknown('blocked-by-csp', 'mixed-content')
}

const network: Rule = ({ trials }) => {
  const base = trials.get('base')
  if (base?.kind !== 'failed' || base.at === 'answer') return undefined
  const { code, why } = base
  const isNameless = base.at === 'lookup' && why === 'timeout'
  if (why === 'not-found' || isNameless) return certain({ cause: 'dns', code })
  if (why === 'refused') return certain({ cause: 'port-refused' })
  if (base.at === 'lookup' || base.at === 'connect')
    return why === 'unreachable' || why === 'timeout'
      ? certain({ cause: 'host-unreachable', code })
      : unknown('host-unreachable', 'port-refused')
  if (why === 'certificate') return certain({ cause: 'tls-certificate', code })
  const plain = trials.get('other-scheme')
  if (plain?.kind === 'answer' && plain.mark !== 'tls-port')
    return certain({ cause: 'tls-to-plain-port' })
  return certain({ cause: 'tls-failed', code })
}

const isAnswer = (outcome: Outcome | undefined): boolean => outcome?.kind === 'answer'

/** A TLS handshake that succeeds, or fails over the certificate alone, proves that the port speaks TLS. */
const speaksTls = (outcome: Outcome | undefined): boolean =>
  isAnswer(outcome) || (outcome?.kind === 'failed' && outcome.why === 'certificate')

const plainToTls: Rule = ({ target, trials }) => {
  const base = trials.get('base')
  if (target.secure || !speaksTls(trials.get('other-scheme'))) return undefined
  const isMute = base?.kind === 'failed' && base.at === 'answer' && base.why !== 'timeout'
  const says = base?.kind === 'answer' && base.mark === 'tls-port'
  return isMute || says ? certain({ cause: 'plain-to-tls-port' }) : undefined
}

/** uvicorn with `websockets-sansio` does not even answer a line that is too long. */
const muteOfLength: Rule = ({ token, trials }) => {
  const base = trials.get('base')
  const short = trials.get('fake-token')
  if (base?.kind !== 'failed' || base.at !== 'answer') return undefined
  if (!isSame(base, trials.get('long-token'))) return undefined
  return short?.kind === 'answer' || short?.kind === 'open'
    ? certain({ cause: 'header-too-large', tokenLength: token.length })
    : undefined
}

const mute: Rule = (facts) => {
  const base = facts.trials.get('base')
  if (base?.kind !== 'failed' || base.at !== 'answer') return undefined
  if (base.why === 'not-http') return certain({ cause: 'not-http' })
  const speaksHttp = isAnswer(facts.trials.get('get')) || isAnswer(facts.trials.get('root'))
  const { afterMs } = base
  if (base.why === 'timeout')
    return speaksHttp
      ? likely({ cause: 'never-accepted', afterMs }, ...ofProtocols(facts))
      : certain({ cause: 'no-answer', afterMs })
  return droppedBy(facts, base)
}

/**
 * daphne drops a connection that was not accepted within its 5 s, and one that was accepted with a foreign
 * subprotocol. uvicorn with wsproto drops the latter at once.
 */
const droppedBy = (facts: Facts, { afterMs }: Failed): Finding => {
  const server = serverOf(facts)
  if (server === 'daphne' && afterMs > 3_000)
    return likely({ cause: 'never-accepted', afterMs }, 'subprotocol-not-offered')
  return server === 'uvicorn'
    ? unknown('subprotocol-not-offered', 'exception-before-accept')
    : likely({ cause: 'dropped', afterMs }, ...ofProtocols(facts))
}

/** Without the offer it is answered: then the server may have named one that was not offered. */
const ofProtocols = ({ trials }: Facts): Cause['cause'][] => {
  const without = trials.get('no-protocols')
  return without?.kind === 'open' || without?.kind === 'answer' ? ['subprotocol-not-offered'] : []
}

export const unreached: readonly Rule[] = [
  mixed,
  troubled,
  forbidden,
  network,
  plainToTls,
  muteOfLength,
  mute,
]
