const WINDOW_MS = 1000

interface Window {
  startedAt: number
  sends: number
}

/** Counts the sends of a connection within fixed windows of one second. */
export class SendRate {
  readonly #windows = new WeakMap<object, Window>()

  /** How long the next send has to wait; 0 when it may go, and then it counts. */
  waitFor(connection: object, perSecond: number | null): number {
    if (perSecond === null) return 0
    const now = Date.now()
    const current = this.#windows.get(connection)
    const window =
      current && now - current.startedAt < WINDOW_MS ? current : { startedAt: now, sends: 0 }
    this.#windows.set(connection, window)
    if (window.sends >= perSecond) return Math.max(1, window.startedAt + WINDOW_MS - now)
    window.sends += 1
    return 0
  }
}
