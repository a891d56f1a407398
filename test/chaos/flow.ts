/** One direction of one TCP connection: its bytes in order, late, in pieces, or from some byte on never. */
export interface FlowEnd {
  write(bytes: Buffer): void
  /** Everything has been written, and the source has ended. */
  finish(): void
}

export class Flow {
  readonly #to: FlowEnd
  #waiting: { bytes: Buffer; dueAt: number }[] = []
  #state: 'open' | 'ending' | 'closed' = 'open'
  #held = false
  #delayMs = 0
  /** So many bytes still travel alone. */
  #slices = 0
  #budget: { left: number; spent: () => void } | undefined
  #next: NodeJS.Timeout | NodeJS.Immediate | undefined

  constructor(to: FlowEnd) {
    this.#to = to
  }

  push(bytes: Buffer): void {
    if (this.#state !== 'open' || bytes.length === 0) return
    this.#waiting.push({ bytes, dueAt: performance.now() + this.#delayMs })
    this.#pump()
  }

  /** The source has nothing more. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ending'
    this.#pump()
  }

  /** Loses what waits, and everything that follows. */
  close(): void {
    this.#state = 'closed'
    this.#waiting = []
  }

  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#pump()
  }

  /** Bytes that come from now on arrive so much later. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  slice(bytes: number): void {
    this.#slices = bytes
  }

  /** Lets so many further bytes through, closes, and says so. */
  cutAfter(bytes: number, spent: () => void): void {
    this.#budget = { left: bytes, spent }
    this.#pump()
  }

  readonly #pump = (): void => {
    if (this.#next !== undefined || this.#held) return
    while (this.#next === undefined && this.#state !== 'closed' && this.#step());
    if (this.#state !== 'ending' || this.#waiting.length > 0) return
    this.#state = 'closed'
    this.#to.finish()
  }

  /** @returns whether there may be more to do now */
  #step(): boolean {
    if (this.#budget?.left === 0) {
      this.close()
      this.#budget.spent()
      return false
    }
    const first = this.#waiting[0]
    if (first === undefined) return false
    const waitMs = first.dueAt - performance.now()
    if (waitMs > 0) {
      this.#next = setTimeout(this.#resumed, waitMs)
      return false
    }
    const sliced = this.#slices > 0
    this.#write(first, sliced ? 1 : first.bytes.length)
    if (sliced) this.#next = setImmediate(this.#resumed)
    return true
  }

  #write(first: { bytes: Buffer }, wanted: number): void {
    const count = Math.min(wanted, this.#budget?.left ?? wanted)
    const bytes = first.bytes.subarray(0, count)
    first.bytes = first.bytes.subarray(count)
    if (first.bytes.length === 0) this.#waiting.shift()
    this.#slices = Math.max(0, this.#slices - count)
    if (this.#budget) this.#budget.left -= count
    this.#to.write(bytes)
  }

  readonly #resumed = (): void => {
    this.#next = undefined
    this.#pump()
  }
}
