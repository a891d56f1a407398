/** setTimeout fires at once beyond this. */
const MAX_TIMER_MS = 2_147_483_647

export interface LifetimeEvents {
  /** How long before the end `expiring` is wanted; null: never. */
  aheadMs(): number | null
  expiring(inMs: number): void
  ended(): void
}

/** How long the token of one connection lasts. */
export class Lifetime {
  readonly #events: LifetimeEvents
  #expiresAt = 0
  #timers: NodeJS.Timeout[] = []

  constructor(events: LifetimeEvents) {
    this.#events = events
  }

  /** Whole ms; 0 when it is over. */
  get leftMs(): number {
    return Math.max(0, Math.floor(this.#expiresAt - Date.now()))
  }

  begin(expiresAt: number): void {
    this.stop()
    this.#expiresAt = expiresAt
    const left = this.leftMs
    this.#at(left, () => this.#events.ended())
    const ahead = this.#events.aheadMs()
    if (ahead === null) return
    // At most half of what is left: a client that renews at once would be told again at once.
    const warning = Math.floor(Math.min(ahead, left / 2))
    // A timer may ring a millisecond before its time, and late on a busy machine.
    this.#at(left - warning, () => this.#events.expiring(Math.min(warning, this.leftMs)))
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }

  #at(ms: number, run: () => void): void {
    if (ms <= MAX_TIMER_MS) this.#timers.push(setTimeout(run, ms))
  }
}
