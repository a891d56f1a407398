import type { LinkEvent } from '../core/link-state.ts'
import type { Resolved } from '../options.ts'
import { moment } from '../shell/timers.ts'

/** Who can tell the server, and hears what it did not take. */
interface OfferPort {
  offer(token: string): Promise<unknown>
  failed(error: unknown): void
}

/**
 * Tells the server a younger token, or a ticket for it where dials carry those. What it does not take is told to the
 * user, and is no end of the socket.
 */
export const offer = (
  { exchange, holder }: Pick<Resolved, 'exchange' | 'holder'>,
  credential: number,
  listener: OfferPort,
  report: (event: LinkEvent) => void,
): (() => void) => {
  const controller = new AbortController()
  const take = async () => {
    const answer = exchange
      ? await exchange(credential, controller.signal)
      : holder.answerOf(credential)
    // No ticket, no token: no word. The server closes the socket in its time.
    return answer && 'token' in answer ? listener.offer(answer.token) : Promise.reject()
  }
  take().then(
    () => report({ type: 'renewed', ...moment() }),
    (error: unknown) => {
      report({ type: 'renewal-failed', ...moment() })
      if (error !== undefined) listener.failed(error)
    },
  )
  return () => controller.abort()
}
