/** What waits to be sent, or to be answered: bounded, in order. Holds no promise and no timer. */

export interface OutboxBounds {
  readonly count: number
  readonly bytes: number
}

interface Sized {
  readonly id: number
  readonly bytes: number
}

export class Outbox<Entry extends Sized> {
  readonly #entries = new Map<number, Entry>()
  readonly #bounds: OutboxBounds
  #bytes = 0

  constructor(bounds: OutboxBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#entries.size
  }

  fits(bytes: number): boolean {
    return this.size < this.#bounds.count && this.#bytes + bytes <= this.#bounds.bytes
  }

  add(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    this.#bytes += entry.bytes
  }

  take(id: number): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    this.#entries.delete(id)
    this.#bytes -= entry.bytes
    return entry
  }

  /** Oldest first. */
  entries(): Entry[] {
    return [...this.#entries.values()]
  }
}
