import { callAt } from './timers.ts'

/**
 * A signal that aborts when `over` does, or once `dueAt()` has come. The moment may move on meanwhile: it is
 * asked for again when it would have been.
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
  const look = () => {
    if (Date.now() >= dueAt()) end()
    else cancel = callAt(dueAt(), look)
  }
  over.addEventListener('abort', end)
  if (over.aborted) end()
  else look()
  return { signal: controller.signal, stop }
}
