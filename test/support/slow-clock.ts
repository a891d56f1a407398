/**
 * A clock for tests whose client, proxy and server live in this process: a millisecond passes only when everybody has
 * had some turns of the event loop. So nothing is late because the machine is busy, and no wait takes its real time.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { vi } from 'vitest'

type Method = (...given: unknown[]) => Promise<unknown>
const OF_OTHER_THREADS = ['sign', 'verify', 'digest', 'importKey'] as const

/** Signatures are made on other threads, which turns of this one do not wait for. */
function watchCrypto(): { readonly isAtWork: () => boolean; readonly restore: () => void } {
  let open = 0
  // Only these members, each of which answers a promise.
  const subtle = Object.getPrototypeOf(crypto.subtle) as Record<string, Method>
  const originals = OF_OTHER_THREADS.map((name) => [name, subtle[name]] as const)
  for (const [name, original] of originals)
    subtle[name] = function (this: unknown, ...given) {
      open += 1
      return Promise.resolve(original?.apply(this, given)).finally(() => {
        open -= 1
      })
    }
  const restore = (): void => {
    for (const [name, original] of originals) if (original) subtle[name] = original
  }
  return { isAtWork: () => open > 0, restore }
}

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
  const cryptography = watchCrypto()
  let isOver = false
  const run = async (): Promise<void> => {
    while (!isOver) {
      for (let left = TURNS_PER_MS; left > 0; left -= 1) await turn()
      while (cryptography.isAtWork()) await turn()
      if (!isOver) vi.advanceTimersByTime(1)
    }
  }
  const done = run()
  return async () => {
    isOver = true
    await done
    cryptography.restore()
    vi.useRealTimers()
  }
}
