/**
 * Starts the requests of one connection in the order of arrival. Some hold up those behind them until they
 * are done (a send after a join needs the room); most do not, and many are on their way at once.
 */
export class Turns<Request> {
  readonly #start: (request: Request) => Promise<void> | undefined
  readonly #waiting: Request[] = []
  #isHeld: boolean

  /** @param start answers a promise that never rejects for a request that others wait for. */
  constructor(start: (request: Request) => Promise<void> | undefined, first: Promise<void>) {
    this.#start = start
    this.#isHeld = true
    first.finally(() => this.#go())
  }

  /** How many have not started. */
  get length(): number {
    return this.#waiting.length
  }

  add(request: Request): void {
    this.#waiting.push(request)
    if (!this.#isHeld) this.#go()
  }

  #go(): void {
    this.#isHeld = false
    while (!this.#isHeld) {
      const request = this.#waiting.shift()
      if (request === undefined) return
      const done = this.#start(request)
      if (done === undefined) continue
      this.#isHeld = true
      done.finally(() => this.#go())
    }
  }
}
