/** Timers that may lie further away than a platform timer reaches. */
import { LONGEST_TIMER_MS } from '../core/delays.ts'

/** Calls back once the clock has reached `at` (epoch ms). */
export const callAt = (at: number, callback: () => void): (() => void) => {
  let handle: ReturnType<typeof setTimeout>
  const arm = () => {
    const left = at - Date.now()
    handle =
      left > LONGEST_TIMER_MS
        ? setTimeout(arm, LONGEST_TIMER_MS)
        : setTimeout(callback, Math.max(0, left))
  }
  arm()
  return () => clearTimeout(handle)
}

/** Timers that end together. */
export class Timers {
  readonly #stops = new Set<() => void>()

  /** In ms. */
  after(delay: number, callback: () => void): void {
    const stop = callAt(Date.now() + delay, () => {
      this.#stops.delete(stop)
      callback()
    })
    this.#stops.add(stop)
  }

  clear(): void {
    for (const stop of this.#stops) stop()
    this.#stops.clear()
  }
}

/** What every event carries into a pure machine: the time, and a number in [0, 1) to draw delays from. */
export const moment = (): { at: number; roll: number } => ({ at: Date.now(), roll: Math.random() })
