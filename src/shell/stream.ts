/** Messages as an async iterator with a bounded queue of its own. */

const QUEUED_AT_MOST = 1_000

export interface StreamPort {
  /** The reader is too slow: a message was dropped. */
  overflow(): void
  closed(): void
}

export class MessageStream<Message> implements AsyncIterableIterator<Message> {
  /** As in `Identity`: whose it is. */
  readonly login: number
  readonly #queue: Message[] = []
  readonly #port: StreamPort
  #waiting: { resolve(result: IteratorResult<Message>): void; reject(error: unknown): void }[] = []
  #end: { error?: unknown } | undefined

  constructor(login: number, port: StreamPort) {
    this.login = login
    this.#port = port
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  push(message: Message): void {
    const waiting = this.#waiting.shift()
    if (waiting) waiting.resolve({ done: false, value: message })
    else if (this.#queue.length < QUEUED_AT_MOST) this.#queue.push(message)
    else this.#port.overflow()
  }

  /** What is queued is still read; then the iterator is done, or throws `error`. */
  end(error?: unknown): void {
    if (this.#end) return
    this.#end = error === undefined ? {} : { error }
    this.#port.closed()
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (error === undefined) resolve({ done: true, value: undefined })
      else reject(error)
    }
  }

  next(): Promise<IteratorResult<Message>> {
    const [message] = this.#queue.splice(0, 1)
    if (message !== undefined) return Promise.resolve({ done: false, value: message })
    if (this.#end) {
      const { error } = this.#end
      this.#end = {}
      return error === undefined
        ? Promise.resolve({ done: true, value: undefined })
        : Promise.reject(error)
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** `break` ends the iterator, and leaves nothing else. */
  return(): Promise<IteratorResult<Message>> {
    this.#queue.length = 0
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
