/** What the end of a socket means: by the user's policies, then by the defaults. */
import { stageOf } from '../core/link-ends.ts'
import type { LinkEvent, LinkState } from '../core/link-state.ts'
import { closeVerdict, statusVerdict } from '../core/policy.ts'
import type { Bulk, Problem } from '../core/problem.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Resolved } from '../options.ts'
import type { DialEnd } from '../shell/dialer.ts'
import { retryAfterMs } from '../shell/retry-after.ts'
import { moment } from '../shell/timers.ts'

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
      return [{ kind: 'dial', cause: end.cause }, 'stop']
    case 'subprotocol':
      return [{ kind: 'subprotocol' }, 'stop']
    case 'status': {
      const { status } = end
      const { everConnected } = state.memory
      const known = { everConnected, retryAfterMs: retryAfterMs(end.retryAfter) }
      const by = (policy: typeof statusPolicy) => statusVerdict(status, known, policy)
      return [{ kind: 'status', status, bulk, everConnected }, decide(by, statusPolicy, failed)]
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
      const by = (policy: typeof closePolicy) => closeVerdict(code, reason, policy, stage)
      return [{ kind: 'closed', code, reason }, decide(by, closePolicy, failed)]
    }
  }
}

/** A policy that throws must not stop the link: the defaults decide. */
const decide = <Policy>(
  by: (policy: Policy | undefined) => Verdict,
  policy: Policy | undefined,
  failed: (error: unknown) => void,
): Verdict => {
  try {
    return by(policy)
  } catch (error) {
    failed(error)
    return by(undefined)
  }
}

/** What a dial, or the making of its first frame, threw: of that every text is ours, so it may be shown. */
export const stopFor = (cause: unknown): LinkEvent => {
  const detail = cause instanceof TypeError ? { detail: cause.message } : {}
  const problem: Problem = { kind: 'dial', cause, ...detail }
  return { type: 'closed', ...moment(), verdict: 'stop', problem }
}
