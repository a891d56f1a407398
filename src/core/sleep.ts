/** Timers ring once a minute in a tab that is hidden, and in no tab that is not. In ms. */
const LONG_MS = { shown: 60_000, hidden: 90_000 } as const
/** Less is a clock that was corrected, or a busy thread. */
const JUMP_MS = 3_000

export type Sleep = 'none' | 'short' | 'long'

/**
 * What a timer tells that should have rung by now.
 *
 * @param wentMs how far the wall clock went since it rang last
 * @param ranMs and how far the clock that stops while the machine sleeps, where it does
 * @param everyMs how often it rings
 */
export const sleepOf = (
  { wentMs, ranMs, everyMs }: { wentMs: number; ranMs: number; everyMs: number },
  page: keyof typeof LONG_MS,
): Sleep => {
  const stoodMs = wentMs - ranMs
  if (Math.max(stoodMs, wentMs - everyMs) > LONG_MS[page]) return 'long'
  return stoodMs > JUMP_MS ? 'short' : 'none'
}
