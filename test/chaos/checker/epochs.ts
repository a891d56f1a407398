import type { Report } from './rules.ts'

/** The epochs of each room, in the order in which anybody heard of them. */
export class Epochs {
  readonly #report: Report
  readonly #rooms = new Map<string, Map<string, { order: number; firstTold: number }>>()
  /** When the store lost its memory: indices of events. */
  readonly #ends: number[] = []

  constructor(report: Report) {
    this.#report = report
  }

  ended(event: number): void {
    this.#ends.push(event)
  }

  told(room: string, epoch: string, event: number): void {
    const epochs = this.#rooms.get(room) ?? new Map()
    this.#rooms.set(room, epochs)
    if (epochs.has(epoch)) return
    const newest = [...epochs.values()].at(-1)
    epochs.set(epoch, { order: epochs.size, firstTold: event })
    if (newest !== undefined && !this.#ends.some((end) => end > newest.firstTold))
      this.#report('epoch-unexplained', event, `${room} counts anew as ${epoch}`)
  }

  /** Has the store lost its memory since anybody heard of this one? */
  hasEnded(room: string, epoch: string | undefined): boolean {
    const known = this.#rooms.get(room)?.get(epoch ?? '')
    return known !== undefined && this.#ends.some((end) => end > known.firstTold)
  }

  orderOf(room: string, epoch: string): number {
    return this.#rooms.get(room)?.get(epoch)?.order ?? -1
  }
}
