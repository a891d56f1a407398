import type { LinkEvent } from '../core/link-state.ts'
import { moment } from '../shell/timers.ts'

/** Who can tell the server, and hears what it did not take. */
interface OfferPort {
  offer(token: string): Promise<unknown>
  failed(error: unknown): void
}

/** Tells the server a younger token. What it does not take is told to the user, and is no end of the socket. */
export const offer = (
  tokenFor: (signal: AbortSignal) => Promise<string | undefined>,
  listener: OfferPort,
  report: (event: LinkEvent) => void,
): (() => void) => {
  const controller = new AbortController()
  tokenFor(controller.signal)
    .then((token) => (token === undefined ? Promise.reject() : listener.offer(token)))
    .then(
      () => report({ type: 'renewed', ...moment() }),
      (error: unknown) => {
        report({ type: 'renewal-failed', ...moment() })
        if (error !== undefined) listener.failed(error)
      },
    )
  return () => controller.abort()
}
