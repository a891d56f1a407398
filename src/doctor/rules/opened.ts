/** The handshake succeeded, and yet the socket cannot be used, or did not stay open. */
import { certain, type Finding, likely, unknown } from '../causes.ts'
import type { End, Facts, Opened, Outcome } from '../facts.ts'
import { endedIdle, endedLate, readsToken } from '../plan.ts'
import { isRejectingCode, isSame, serverOf, works } from '../queries.ts'
import type { Rule } from './rule.ts'

const opening = ({ trials }: Facts): Opened | undefined => {
  const base = trials.get('base')
  return base?.kind === 'open' ? base : undefined
}

const FRAME = 'first-frame-awaited' as const
const sendsFrame = ({ token }: Facts): boolean => token.carried === 'frame'

/** It says so itself. Whoever sends no frame is let in, and left waiting. */
const asking: Rule = (facts) =>
  opening(facts)?.asks && !sendsFrame(facts) ? certain({ cause: FRAME }) : undefined

const flawed: Rule = (facts) => {
  switch (opening(facts)?.flaw) {
    case 'not-echoed':
      return certain({ cause: 'subprotocol-not-echoed' })
    case 'stranger':
      return certain({ cause: 'subprotocol-not-offered' })
    case 'token-echoed':
      return certain({ cause: 'token-echoed' })
    case 'accept-key':
      return certain({ cause: 'broken-upgrade', flaw: 'accept-key' })
    case 'extension':
      return certain({ cause: 'broken-upgrade', flaw: 'extension' })
    case 'refused-in-frame':
      return certain({ cause: 'token-refused' })
    case 'no-pong':
      return certain({ cause: 'no-pong' })
    case 'no-welcome':
      // A server that waits for the token in a frame greets after it.
      return likely({ cause: 'no-welcome' }, ...(sendsFrame(facts) ? [] : [FRAME]))
    case undefined:
      return undefined
  }
}

const ended = (fits: (end: End, facts: Facts) => Finding | undefined): Rule => {
  return (facts) => {
    const base = opening(facts)
    return base?.end && base.flaw === undefined ? fits(base.end, facts) : undefined
  }
}

/** Silence is cut, twice after the same time, and pings prevent it. */
const idle = ended((end, facts) => {
  if (!endedIdle(facts)) return undefined
  const { afterMs } = end
  const [again, pinged] = [facts.trials.get('again'), facts.trials.get('pinged')]
  if (!endedLike(end, again) || pinged === undefined) return unknown('idle-cut', 'cut-while-open')
  if (works(pinged)) return certain({ cause: 'idle-cut', afterMs })
  return endedLate(facts)
    ? likely({ cause: 'cut-while-open', afterMs }, 'exception-after-accept')
    : unknown('exception-after-accept', 'cut-while-open', 'idle-cut')
})

/** Limits are kept to the second; whatever breaks a network is not. */
const endedLike = ({ how, afterMs }: End, other: Outcome | undefined): boolean =>
  other?.kind === 'open' &&
  other.end?.how === how &&
  Math.abs(other.end.afterMs - afterMs) < afterMs / 4 + SLACK_MS
const SLACK_MS = 500

const restarting = ended((end) =>
  end.how === 'close' && [1001, 1012, 1013].includes(end.code)
    ? certain({ cause: 'server-restarting', code: end.code })
    : undefined,
)

/** 3003 and 4403 are about what was asked for, the others about who asks. */
const refused = ended((end, facts) => {
  if (end.how !== 'close' || !isRejectingCode(end.code)) return undefined
  const { code } = end
  if (code === 3003 || code === 4403) return likely({ cause: 'room-refused' }, 'token-refused')
  if (![1008, 3000, 4001, 4003, 4401, TIMED_OUT].includes(code)) return undefined
  if (endedLate(facts)) return refusedLate(end, code, facts)
  // Another code for a made-up token: this one was read, and refused for another reason.
  const isUnauthorized = (code === 3000 || code === 4401) && !readsToken(facts)
  return likely(
    { cause: 'token-refused', code },
    ...(isUnauthorized ? [] : ['room-refused' as const]),
  )
})

/** What servers of GraphQL say where the first frame did not come. */
const TIMED_OUT = 4408

/** Every token is let in, and sent away after the same time: it is a frame that did not come. */
const refusedLate = (end: End, code: number, facts: Facts): Finding => {
  if (sendsFrame(facts)) return likely({ cause: 'token-refused', code }, 'token-elsewhere')
  const fake = facts.trials.get('fake-token')
  return isSame(opening(facts), fake) && endedLike(end, fake)
    ? likely({ cause: FRAME, afterMs: end.afterMs }, 'token-refused')
    : likely({ cause: 'token-refused', code }, FRAME)
}

/**
 * daphne says 1011 for every exception, and for codes that it cannot send, 1008 among them. uvicorn ends
 * TCP. So may a proxy.
 */
const raised = ended((end, facts) => {
  if (end.how === 'close' && end.code !== 1011) return undefined
  const server = serverOf(facts)
  if (end.how === 'cut')
    return likely(
      { cause: 'exception-after-accept' },
      ...(server === 'uvicorn' ? [] : ['cut-while-open' as const]),
    )
  return server === 'daphne' && isSame(opening(facts), facts.trials.get('fake-token'))
    ? likely({ cause: 'exception-after-accept' }, 'token-refused')
    : certain({ cause: 'exception-after-accept' })
})

const closed = ended((end) =>
  end.how === 'close'
    ? certain({ cause: 'closed-after-accept', code: end.code, afterMs: end.afterMs })
    : undefined,
)

export const opened: readonly Rule[] = [asking, flawed, idle, restarting, refused, raised, closed]
