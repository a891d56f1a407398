/** Notices that the machine slept: then a link may be dead that looks open. */
import { type Sleep, sleepOf } from '../core/sleep.ts'

/** @param everyMs how often it is asked, by a timer */
export const watchSleep = (everyMs: number): (() => Sleep) => {
  let wall = Date.now()
  let running = ran()
  return () => {
    const times = { wentMs: Date.now() - wall, ranMs: ran() - running, everyMs }
    wall += times.wentMs
    running += times.ranMs
    const { document } = globalThis as { document?: { visibilityState?: string } }
    return sleepOf(times, document?.visibilityState === 'hidden' ? 'hidden' : 'shown')
  }
}

const ran = (): number => globalThis.performance?.now() ?? 0
