/** What arrives before anybody listens is held for a moment, so that no first message is lost. */

const HELD_AT_MOST = 1_000

export class Inbox<Message> {
  readonly #deliver: (message: Message) => void
  readonly #overflow: () => void
  #held: Message[] | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(deliver: (message: Message) => void, overflow: () => void) {
    this.#deliver = deliver
    this.#overflow = overflow
  }

  /** From now on messages wait for a taker. */
  hold(): void {
    clearTimeout(this.#timer)
    this.#held ??= []
  }

  push(message: Message): void {
    if (this.#held === undefined) this.#deliver(message)
    else if (this.#held.length < HELD_AT_MOST) this.#held.push(message)
    else this.#overflow()
  }

  /** Somebody listens now. In a microtask, so that the listener's own variables are set. */
  taken(): void {
    if (this.#held !== undefined) queueMicrotask(() => this.release())
  }

  /** Nobody waits any longer than one macrotask after the code that awaited could run. */
  expire(): void {
    if (this.#held === undefined) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.release(), 0)
  }

  /** What waits is for nobody; what comes next may still be. */
  drop(): void {
    if (this.#held) this.#held = []
  }

  release(): void {
    clearTimeout(this.#timer)
    const held = this.#held ?? []
    this.#held = undefined
    for (const message of held) this.#deliver(message)
  }
}
