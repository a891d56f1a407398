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

/** A timer that rings later has waited for a thread that was busy, or asleep. */
const LATE_MS = 50
/** It waits again for twice as long as it was late, and no longer than this. */
const AWAKE_MS = 3_000

/**
 * Calls back once `due` has come. The moment may move on meanwhile: it is asked for again when it would have been.
 * When that is late, frames have waited as well, behind this timer: they get a moment to say what they did.
 */
export const callWhenDue = (due: number | (() => number), callback: () => void): (() => void) => {
  const dueAt = typeof due === 'number' ? () => due : due
  let cancel = () => {}
  const arm = (at: number) => {
    cancel = callAt(at, () => {
      const now = Date.now()
      const lateMs = now - at
      if (now < dueAt()) arm(dueAt())
      else if (lateMs > LATE_MS) arm(now + Math.min(2 * lateMs, AWAKE_MS))
      else callback()
    })
  }
  arm(dueAt())
  return () => cancel()
}

/** Timers that end together, one for each key. */
export class Timers {
  readonly #timers = new Map<unknown, { readonly at: number; stop(): void }>()

  has(key: unknown): boolean {
    return this.#timers.has(key)
  }

  /** In ms. Of two with one key the sooner one counts: whoever asks a thousand times is heard once. */
  after(delay: number, key: unknown, callback: () => void): void {
    const at = Date.now() + delay
    const known = this.#timers.get(key)
    if (known && known.at <= at) return
    known?.stop()
    const stop = callAt(at, () => {
      this.#timers.delete(key)
      callback()
    })
    this.#timers.set(key, { at, stop })
  }

  clear(): void {
    for (const { stop } of this.#timers.values()) stop()
    this.#timers.clear()
  }
}

/** What every event carries into a pure machine: the time, and a number in [0, 1) to draw delays from. */
export const moment = (): { at: number; roll: number } => ({ at: Date.now(), roll: Math.random() })

/** A Node process must not stay for it; while a peer holds the process, it still fires. */
export const unrefed = <Timer>(timer: Timer): Timer => {
  // A number in browsers.
  ;(timer as { unref?: () => void } | undefined)?.unref?.()
  return timer
}
