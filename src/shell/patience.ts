import { callWhenDue } from './timers.ts'

/**
 * A signal that aborts when `over` does, or once `dueAt()` has come, with the patience of `callWhenDue`.
 */
export const patience = (
  dueAt: () => number,
  over: AbortSignal,
): { readonly signal: AbortSignal; stop(): void } => {
  const controller = new AbortController()
  let cancel = () => {}
  const stop = () => {
    cancel()
    over.removeEventListener('abort', end)
  }
  const end = () => {
    stop()
    controller.abort()
  }
  over.addEventListener('abort', end)
  if (over.aborted || Date.now() >= dueAt()) end()
  else cancel = callWhenDue(dueAt, end)
  return { signal: controller.signal, stop }
}
