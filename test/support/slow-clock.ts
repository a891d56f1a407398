/**
 * A clock for tests whose client, proxy and server live in this process: a millisecond passes only when everybody has
 * had some turns of the event loop. So nothing is late because the machine is busy, and no wait takes its real time.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { vi } from 'vitest'

/** Loopback delivers at once: what is written is read a turn or two later. */
const TURNS_PER_MS = 5

/** From now on. @returns ends it */
export function startSlowClock(): () => Promise<void> {
  vi.useFakeTimers({
    toFake: [
      ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
      ...(['Date', 'performance'] as const),
    ],
  })
  let isOver = false
  const run = async (): Promise<void> => {
    while (!isOver) {
      for (let left = TURNS_PER_MS; left > 0; left -= 1) await turn()
      if (!isOver) vi.advanceTimersByTime(1)
    }
  }
  const done = run()
  return async () => {
    isOver = true
    await done
    vi.useRealTimers()
  }
}
