/** What an aborted signal rejects with, in every runtime. */
import { unrefed } from './timers.ts'

/** Any value may be the reason, `null` and `''` too; a signal of an old runtime, or of a polyfill, has none. */
export const abortReason = ({ reason }: AbortSignal): unknown =>
  reason === undefined ? abortError('aborted') : reason

/** As a method it is younger than what polyfills have. */
export const throwIfAborted = (signal: AbortSignal | null | undefined): void => {
  if (signal?.aborted) throw abortReason(signal)
}

export const abortError = (message: string): Error => {
  const name = 'AbortError'
  // React Native has none.
  return globalThis.DOMException
    ? new DOMException(message, name)
    : Object.assign(new Error(message), { name })
}

/** As `AbortSignal.timeout`, which is younger than what polyfills have. */
export const abortsIn = (ms: number): AbortSignal => {
  const controller = new AbortController()
  unrefed(setTimeout(() => controller.abort(), ms))
  return controller.signal
}
