/** What the end of a socket means: by the user's policies, then by the defaults. */
import { stageOf } from '../core/link-ends.ts'
import type { LinkEvent, LinkState } from '../core/link-state.ts'
import { closeVerdict, type PolicyRecord, statusVerdict } from '../core/policy.ts'
import type { Bulk, Problem } from '../core/problem.ts'
import { isVerdict, type Verdict } from '../core/verdict.ts'
import type { Resolved } from '../options.ts'
import { nameOf } from '../sessions/safe-error.ts'
import type { DialEnd } from '../shell/dialer.ts'
import { OptionError } from '../shell/option-error.ts'
import { retryAfterMs } from '../shell/retry-after.ts'
import { moment } from '../shell/timers.ts'
import { fault, wrong } from './wrong.ts'

/**
 * @param bulk what a large token took of the handshake
 * @param failed hears what a policy of the user threw
 */
export const judgeEnd = (
  end: DialEnd,
  state: LinkState,
  { closePolicy, statusPolicy, transmission }: Resolved,
  bulk: Bulk,
  failed: (error: unknown) => void,
): [Problem, Verdict] => {
  switch (end.kind) {
    case 'threw':
      return [threw(end.cause), 'stop']
    case 'subprotocol':
      return [{ kind: 'subprotocol' }, 'stop']
    case 'status': {
      const { status } = end
      const { everConnected } = state.memory
      const known = { everConnected, retryAfterMs: retryAfterMs(end.retryAfter) }
      const policy = heard('statusPolicy', statusPolicy, failed, status)
      const problem: Problem = { kind: 'status', status, bulk, everConnected }
      return [problem, statusVerdict(status, known, policy)]
    }
    case 'closed': {
      // No code means anything before the open: every runtime makes up its own.
      if (state.kind === 'connecting' && state.openedAt === undefined)
        return [{ kind: 'unreachable', bulk }, 'retry']
      const { code, reason } = end
      const stage =
        transmission?.firstMessage && !('trust' in state)
          ? 'unanswered'
          : stageOf(state, Date.now())
      const policy = heard('closePolicy', closePolicy, failed, code, reason)
      return [{ kind: 'closed', code, reason }, closeVerdict(code, reason, policy, stage)]
    }
  }
}

/** Of a policy that throws, or gives what is no verdict, nothing is left but what is told: the defaults decide. */
const heard = <Given extends unknown[]>(
  name: string,
  policy: PolicyRecord | ((...given: Given) => Verdict | undefined) | undefined,
  failed: (error: unknown) => void,
  ...given: Given
): PolicyRecord | (() => Verdict | undefined) | undefined => {
  if (typeof policy !== 'function') return policy
  let verdict: Verdict | undefined
  try {
    const said = policy(...given)
    if (said !== undefined && !isVerdict(said)) throw wrong(`${name}()`, said, 'a verdict')
    verdict = said
  } catch (error) {
    failed(fault(`${name}()`, error))
  }
  return () => verdict
}

/** The text of a constructor may hold the URL; that of ours does not. */
const threw = (cause: unknown): Problem => ({
  kind: 'dial',
  cause,
  name: ` (${nameOf(cause)})`,
  ...(cause instanceof OptionError && { detail: cause.message }),
})

/** What a dial, or the making of its first frame, threw: of that every text is ours, so it may be shown. */
export const stopFor = (cause: unknown): LinkEvent => {
  const detail = cause instanceof TypeError ? { detail: cause.message } : {}
  const problem: Problem = { kind: 'dial', cause, ...detail }
  return { type: 'closed', ...moment(), verdict: 'stop', problem }
}
