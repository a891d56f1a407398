/** What waits to be sent, and what waits to be answered: bounded together, in order. No promise and no timer. */

export interface OutboxBounds {
  readonly count: number
  readonly bytes: number
}

interface Sized {
  /** Rises from entry to entry: their order. */
  readonly id: number
  readonly bytes: number
}

export class Outbox<Entry extends Sized> {
  #waiting = new Map<number, Entry>()
  readonly #sent = new Map<number, Entry>()
  readonly #bounds: OutboxBounds
  #bytes = 0

  constructor(bounds: OutboxBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#waiting.size + this.#sent.size
  }

  get inFlight(): number {
    return this.#sent.size
  }

  fits(bytes: number): boolean {
    return this.size < this.#bounds.count && this.#bytes + bytes <= this.#bounds.bytes
  }

  add(entry: Entry): void {
    this.#waiting.set(entry.id, entry)
    this.#bytes += entry.bytes
  }

  take(id: number): Entry | undefined {
    const entry = this.find(id)
    if (entry === undefined) return undefined
    this.#waiting.delete(id)
    this.#sent.delete(id)
    this.#bytes -= entry.bytes
    return entry
  }

  find(id: number): Entry | undefined {
    return this.#sent.get(id) ?? this.#waiting.get(id)
  }

  sent(entry: Entry): void {
    this.#waiting.delete(entry.id)
    this.#sent.set(entry.id, entry)
  }

  /** To be sent again, at the place that they had. */
  recall(entries: readonly Entry[]): void {
    for (const { id } of entries) this.#sent.delete(id)
    const waiting = [...entries, ...this.#waiting.values()].sort((one, other) => one.id - other.id)
    this.#waiting = new Map(waiting.map((entry) => [entry.id, entry]))
  }

  /** Oldest first. */
  waiting(): Entry[] {
    return [...this.#waiting.values()]
  }

  unanswered(): Entry[] {
    return [...this.#sent.values()]
  }
}
