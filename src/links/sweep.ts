/** One timer for all deadlines, while there are any. */
const SWEEP_MS = 250
/** A look that is later has waited for a busy thread, and answers behind it. */
const LATE_MS = 50

export class Sweep {
  readonly #look: () => void
  #timer: ReturnType<typeof setInterval> | undefined
  #dueAt = 0

  constructor(look: () => void) {
    this.#look = look
  }

  /** @param at epoch ms; `Infinity` for never */
  arm(at: number): void {
    if (this.#timer !== undefined || !Number.isFinite(at)) return
    this.#dueAt = Date.now() + SWEEP_MS
    this.#timer = setInterval(() => {
      const now = Date.now()
      const isLate = now > this.#dueAt + LATE_MS
      // Late once, answers get a turn; late again and again, it must not wait for ever.
      this.#dueAt = isLate ? Number.POSITIVE_INFINITY : now + SWEEP_MS
      if (!isLate) this.#look()
    }, SWEEP_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
