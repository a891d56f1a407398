const WINDOW_MS = 1_000

/** Counts the sends of a connection within fixed windows of one second. */
export class SendRate {
  #startedAt = 0
  #sends = 0

  /** How long the next send has to wait; 0 when it may go, and then it counts. */
  waitFor(perSecond: number | null): number {
    if (perSecond === null) return 0
    const now = Date.now()
    if (now - this.#startedAt >= WINDOW_MS) {
      this.#startedAt = now
      this.#sends = 0
    }
    if (this.#sends >= perSecond) return Math.max(1, this.#startedAt + WINDOW_MS - now)
    this.#sends += 1
    return 0
  }
}
