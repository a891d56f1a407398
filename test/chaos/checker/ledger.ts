/** Which message has which number: what all members together saw. */
import type { Report } from './rules.ts'

export interface Place {
  readonly epoch: string
  readonly seq: number
}

export class Ledger {
  readonly #report: Report
  readonly #rooms = new Map<string, Map<string, Map<number, string>>>()
  readonly #places = new Map<string, Place>()
  readonly #ids = new Map<string, string>()
  readonly #keys = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  placeOf(key: string): Place | undefined {
    return this.#places.get(key)
  }

  /** Somebody saw it there. */
  seen(room: string, place: Place, key: string, event: number): void {
    const seqs = this.#seqsOf(room, place.epoch)
    const other = seqs.get(place.seq)
    if (other === undefined) seqs.set(place.seq, key)
    else if (other !== key)
      this.#report('disagreement', event, `${room} ${place.seq} is ${other} and ${key}`)
    const before = this.#places.get(key)
    if (before === undefined) this.#places.set(key, place)
    else if (before.epoch !== place.epoch || before.seq !== place.seq)
      this.#report(
        'disagreement',
        event,
        `${key} is ${before.seq} of ${before.epoch} and ${place.seq} of ${place.epoch}`,
      )
  }

  identified(key: string, id: string, event: number): void {
    const before = this.#ids.get(key)
    const other = this.#keys.get(id)
    if ((before ?? id) !== id) this.#report('disagreement', event, `${key} is ${before} and ${id}`)
    if ((other ?? key) !== key) this.#report('disagreement', event, `${id} is ${other} and ${key}`)
    this.#ids.set(key, id)
    this.#keys.set(id, key)
  }

  /** The keys of each room and epoch, by number. */
  *runs(): Generator<{ room: string; keys: string[] }> {
    for (const [room, epochs] of this.#rooms)
      for (const seqs of epochs.values())
        yield {
          room,
          keys: [...seqs].sort(([one], [other]) => one - other).map(([, key]) => key),
        }
  }

  #seqsOf(room: string, epoch: string): Map<number, string> {
    const epochs = this.#rooms.get(room) ?? new Map<string, Map<number, string>>()
    const seqs = epochs.get(epoch) ?? new Map<number, string>()
    this.#rooms.set(room, epochs.set(epoch, seqs))
    return seqs
  }
}
