/** What arrives before anybody listens is held for a moment, so that no first message is lost. */

const HELD_AT_MOST = 1_000

export interface InboxPort<Message> {
  deliver(message: Message): void
  overflow(): void
  /** Nothing is held any more. */
  released(): void
}

export class Inbox<Message> {
  readonly #port: InboxPort<Message>
  #held: Message[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(port: InboxPort<Message>) {
    this.#port = port
  }

  /** From now on messages wait for a taker. */
  hold(): void {
    clearTimeout(this.#timer)
  }

  push(message: Message): void {
    if (this.#held.length < HELD_AT_MOST) this.#held.push(message)
    else this.#port.overflow()
  }

  /** Somebody listens now. In a microtask, so that the listener's own variables are set. */
  taken(): void {
    queueMicrotask(() => this.release())
  }

  /** Nobody waits any longer than one macrotask after the code that awaited could run. */
  expire(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.release(), 0)
  }

  /** What waits is for nobody; what comes next may still be. */
  drop(): void {
    this.#held = []
  }

  release(): void {
    clearTimeout(this.#timer)
    const held = this.#held
    this.#held = []
    this.#port.released()
    for (const message of held) this.#port.deliver(message)
  }
}
