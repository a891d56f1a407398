import { callAt } from './timers.ts'

/** A timer that rings so late has slept, and others with it: they get a moment to say what they did. */
const SLEPT_MS = 1_000
const AWAKE_MS = 3_000

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
  const look = (planned: number) => {
    const now = Date.now()
    if (now < dueAt()) arm(dueAt())
    else if (now - planned > SLEPT_MS) arm(now + AWAKE_MS)
    else end()
  }
  const arm = (at: number) => {
    cancel = callAt(at, () => look(at))
  }
  over.addEventListener('abort', end)
  if (over.aborted) end()
  else look(Date.now())
  return { signal: controller.signal, stop }
}
