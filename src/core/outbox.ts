/** What waits to be sent, and what waits to be answered: bounded together, in order. No promise and no timer. */

export interface OutboxBounds {
  readonly count: number
  readonly bytes: number
}

interface Sized {
  /** Rises from entry to entry: their order. */
  readonly id: number
  readonly bytes: number
  readonly room?: string | undefined
}

/** So much of the bytes the socket may have buffered; what is above that waits, while there is room. */
const BUFFERED_PART = 0.75

export class Outbox<Entry extends Sized> {
  readonly bounds: OutboxBounds
  /** Sent once, and to be sent again: they were first. */
  #recalled = new Map<number, Entry>()
  readonly #waiting = new Map<number, Entry>()
  readonly #sent = new Map<number, Entry>()
  /** How many wait in each room. */
  readonly #behind = new Map<string | undefined, number>()
  #bytes = 0

  constructor(bounds: OutboxBounds) {
    this.bounds = bounds
  }

  get size(): number {
    return this.queued + this.#sent.size
  }

  get queued(): number {
    return this.#recalled.size + this.#waiting.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get inFlight(): number {
    return this.#sent.size
  }

  /** Of the socket's own buffer, in bytes. */
  get mostBuffered(): number {
    return this.bounds.bytes * BUFFERED_PART
  }

  /** May it wait? What is buffered counts as soon as anything waits for it, so that the first one always may. */
  fits(bytes: number, buffered: number): boolean {
    const ahead = this.queued > 0 ? Math.min(buffered, this.mostBuffered) : 0
    return this.size < this.bounds.count && this.#bytes + ahead + bytes <= this.bounds.bytes
  }

  /** May what leaves at once be kept until it is answered? One frame may be larger than all. */
  keeps(): boolean {
    const { count, bytes } = this.bounds
    return this.#bytes <= bytes && (count === 0 || this.size < count)
  }

  add(entry: Entry): void {
    this.#waiting.set(entry.id, entry)
    this.#count(entry, 1)
    this.#bytes += entry.bytes
  }

  take(id: number): Entry | undefined {
    const entry = this.find(id)
    if (entry === undefined) return undefined
    if (!this.#sent.delete(id)) this.#leave(entry)
    this.#bytes -= entry.bytes
    return entry
  }

  find(id: number): Entry | undefined {
    return this.#sent.get(id) ?? this.#recalled.get(id) ?? this.#waiting.get(id)
  }

  sent(entry: Entry): void {
    this.#leave(entry)
    this.#sent.set(entry.id, entry)
  }

  /** To be sent again, before what was not sent yet. */
  recall(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#sent.delete(entry.id)
      this.#count(entry, 1)
    }
    const recalled = [...this.#recalled.values(), ...entries].sort(
      (one, other) => one.id - other.id,
    )
    this.#recalled = new Map(recalled.map((entry) => [entry.id, entry]))
  }

  /** Do earlier frames of this room still wait? */
  isBehind(room: string | undefined): boolean {
    return this.#behind.has(room)
  }

  /** One after the other, each oldest first; what is taken meanwhile is left out. No copy, since many may wait. */
  queues(): readonly Iterable<Entry>[] {
    return [this.#recalled.values(), this.#waiting.values()]
  }

  /** Oldest first. */
  waiting(): Entry[] {
    return [...this.#recalled.values(), ...this.#waiting.values()]
  }

  unanswered(): Entry[] {
    return [...this.#sent.values()]
  }

  #leave(entry: Entry): void {
    if (!this.#recalled.delete(entry.id)) this.#waiting.delete(entry.id)
    this.#count(entry, -1)
  }

  #count({ room }: Entry, change: 1 | -1): void {
    const count = (this.#behind.get(room) ?? 0) + change
    if (count > 0) this.#behind.set(room, count)
    else this.#behind.delete(room)
  }
}
