/** How long what was sent may still be on its way out: a ping waits behind it. Kernels take a lot, and do not tell. */
import type { Backlog } from './native-socket.ts'

/** Bytes in a ms that a line is taken to carry at least, and how much of its backlog a kernel may hide. */
const SLOWEST = 32
const HIDDEN_MS = 20_000

/** @param buffered bytes that the runtime has not given to its kernel */
export const backlogOf = (
  buffered: () => number,
): Backlog & { add(frame: string | ArrayBuffer): void } => {
  let rate = SLOWEST
  let emptyAt = 0
  /** As if nothing had been sent before the mark. */
  let sinceMarkAt = 0
  return {
    add: (frame) => {
      const ms = (typeof frame === 'string' ? frame.length : frame.byteLength) / rate
      const now = Date.now()
      emptyAt = Math.max(emptyAt, now) + ms
      sinceMarkAt = Math.max(sinceMarkAt, now) + ms
    },
    get lagMs() {
      const hiddenMs = Math.min(Math.max(emptyAt - Date.now(), 0), HIDDEN_MS)
      return Math.max(hiddenMs, buffered() / rate)
    },
    mark: () => {
      sinceMarkAt = 0
    },
    arrived: (times) => {
      rate = Math.max(rate * times, SLOWEST)
      emptyAt = sinceMarkAt
    },
  }
}
