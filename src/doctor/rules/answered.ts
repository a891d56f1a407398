/** An HTTP answer in place of a socket, which no single change turned into one. */
import { type CauseName, certain, likely } from '../causes.ts'
import type { Answered, Facts } from '../facts.ts'
import { readsToken } from '../plan.ts'
import { isSame, serverOf } from '../queries.ts'
import type { Rule } from './rule.ts'

const answer = (fits: (base: Answered, facts: Facts) => ReturnType<Rule>): Rule => {
  return (facts) => {
    const base = facts.trials.get('base')
    return base?.kind === 'answer' ? fits(base, facts) : undefined
  }
}

const portal = answer((base, facts) => {
  if (base.mark !== 'portal') return undefined
  if (base.status === 511) return certain({ cause: 'captive-portal' })
  // A page with a sign-in may be the server's own, where it is not the answer to everything.
  const { trials, target } = facts
  const everywhere = isSame(base, trials.get('unknown-path')) && isSame(base, trials.get('root'))
  return everywhere && !target.secure ? likely({ cause: 'captive-portal' }, 'web-page') : undefined
})

const login = answer((base) =>
  base.status === 401 && base.asks === 'basic' ? certain({ cause: 'proxy-login' }) : undefined,
)

const gateway = answer(({ status }) => {
  if (status === 429) return certain({ cause: 'rate-limited', status })
  const isGateway = [502, 503, 504].includes(status) || (status >= 520 && status <= 526)
  return isGateway ? certain({ cause: 'bad-gateway', status }) : undefined
})

/** Server programs that speak WSGI, which has no WebSockets. */
const wsgi = answer((base, facts) => {
  const server = base.server ?? ''
  const isWsgi = server === 'WSGIServer' || server === 'gunicorn'
  return isWsgi && base.mark !== 'asgi-closed' && isAsGet(base, facts)
    ? certain({ cause: 'no-websocket-support', server })
    : undefined
})

/** Answered as an ordinary GET is. */
const isAsGet = (base: Answered, { trials }: Facts): boolean => isSame(base, trials.get('get'))

/** A framework's page for a GET, or `ws` that asks for an upgrade: what it saw was no upgrade. */
const lost = answer((base, facts) => {
  if (!isAsGet(base, facts) || base.wantsOther) return undefined
  const { status } = base
  return status === 426 || base.mark === 'page'
    ? certain({ cause: 'upgrade-lost', status })
    : undefined
})

const page = answer((base) =>
  base.status >= 200 && base.status < 300
    ? likely({ cause: 'web-page', status: base.status }, 'wrong-path', 'upgrade-lost')
    : undefined,
)

const missing = answer((base, facts) => {
  if (![404, 405, 410].includes(base.status)) return undefined
  const seesUpgrade = facts.trials.get('get')?.kind === 'answer' && !isAsGet(base, facts)
  return likely({ cause: 'wrong-path' }, ...(seesUpgrade ? [] : ['upgrade-lost' as const]))
})

const raised = answer((base, facts) => {
  if (base.status !== 500) return undefined
  // Channels raises where no route matches. Another answer to another token proves that one does.
  const mayBePath = isSame(base, facts.trials.get('unknown-path')) && !readsToken(facts)
  return likely({ cause: 'exception-before-accept' }, ...(mayBePath ? ['wrong-path' as const] : []))
})

const unauthorized = answer((base, facts) => {
  if (base.status !== 401) return undefined
  return likely({ cause: 'token-refused', status: 401 }, ...alike(facts))
})

/** What an answer leaves open that an unknown path and every Origin get as well. */
const alike = (facts: Facts): CauseName[] => {
  const { trials, target } = facts
  if (!isSame(trials.get('base'), trials.get('unknown-path')) || readsToken(facts)) return []
  return target.origin === 'other' || target.origin === 'none'
    ? ['wrong-path', 'origin-refused']
    : ['wrong-path']
}

const closedEarly = answer((base, facts) => {
  if (base.status !== 403) return undefined
  const isAsgi =
    base.mark === 'asgi-closed' ||
    (base.bytes === 0 && ['uvicorn', 'daphne', 'hypercorn'].includes(serverOf(facts) ?? ''))
  return isAsgi ? likely({ cause: 'close-before-accept' }, ...alike(facts)) : undefined
})

/** `ws` answers 400 where its option `path` says another one. */
const other = answer((base, facts) =>
  likely(
    { cause: 'handshake-refused', status: base.status },
    ...(base.status === 400 ? alike(facts) : []),
  ),
)

export const answered: readonly Rule[] = [
  portal,
  login,
  gateway,
  wsgi,
  lost,
  page,
  missing,
  raised,
  unauthorized,
  closedEarly,
  other,
]
