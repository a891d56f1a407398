/** One timer for all deadlines, while there are any. */
const SWEEP_MS = 250

export class Sweep {
  readonly #look: () => void
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(look: () => void) {
    this.#look = look
  }

  /** @param at epoch ms; `Infinity` for never */
  arm(at: number): void {
    if (Number.isFinite(at)) this.#timer ??= setInterval(this.#look, SWEEP_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
