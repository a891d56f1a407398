import { abortReason } from './abort.ts'
import { abortable } from './promises.ts'
import { callAt } from './timers.ts'

/**
 * Runs with a signal that aborts after `ms`, or as `signal` does. Rejects then with `late()`, or the reason of
 * `signal`, also where `run` waits on although its signal has aborted.
 */
export const inTime = async <Value>(
  ms: number,
  late: () => Error,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> => {
  const limit = new AbortController()
  const { signal: ended } = limit
  // Kept here: signals of old runtimes have no reason.
  let reason: unknown
  const end = (why: unknown) => {
    reason = why
    limit.abort(why)
  }
  const cancel = callAt(Date.now() + ms, () => end(late()))
  signal?.addEventListener('abort', () => end(abortReason(signal)), { signal: ended })
  try {
    return await abortable(run(ended), ended)
  } catch (error) {
    throw ended.aborted ? reason : error
  } finally {
    cancel()
    limit.abort()
  }
}
