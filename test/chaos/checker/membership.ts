/** One client in one room, from `join()` to `leave()`: how far it got, and what its gaps cover. */
import type { Epochs } from './epochs.ts'
import type { Place } from './ledger.ts'
import type { Report } from './rules.ts'

/** A `joined` frame that did not go on where the member was. */
interface Reset {
  readonly to: Place
  readonly explained: boolean
  /** Which said so. */
  readonly socket: number
}

/** What a `joined` frame said, and when. */
interface Told extends Place {
  readonly socket: number
  readonly recovered: boolean
  /** So many messages came with it. */
  readonly missed: number
  /** The member had been away for longer than the window. */
  readonly wasAway: boolean
  /** A later socket of this client had been told before. */
  readonly isLate: boolean
}

/** From here, exclusive, to there, inclusive: what a gap says may be missing. */
export interface Covered {
  readonly from: Place
  readonly to: Place
  /** Index of the gap. */
  readonly event: number
}

export class Membership {
  readonly room: string
  readonly client: number
  /** Index of the event at which `join()` was called. */
  readonly wantedAt: number
  /** Index of the event at which `join()` resolved. */
  joinedAt: number | undefined
  readonly covered: Covered[] = []
  readonly #epochs: Epochs
  readonly #report: Report
  #at: Place | undefined
  #fresh = true
  /** By a second answer to the join. */
  #isReplaced = false
  #resets: Reset[] = []
  #gaps: number[] = []

  constructor(
    { client, room, wantedAt }: Pick<Membership, 'client' | 'room' | 'wantedAt'>,
    epochs: Epochs,
    report: Report,
  ) {
    this.client = client
    this.room = room
    this.wantedAt = wantedAt
    this.#epochs = epochs
    this.#report = report
  }

  /** The epoch that its server told last. */
  get epoch(): string | undefined {
    return this.#position?.epoch
  }

  joined(event: number): void {
    this.joinedAt = event
    this.#fresh = false
  }

  told(place: Told, event: number): void {
    const { recovered, wasAway } = place
    const base = { epoch: place.epoch, seq: place.seq - place.missed }
    const { epoch } = this
    if (this.#fresh || epoch === undefined) {
      // Until something came of it, a second answer may replace the first.
      this.#isReplaced = this.#at !== undefined
      this.#at = base
      return
    }
    const goesBack = this.#order(place) < this.#order({ epoch, seq: 0 })
    if (goesBack || (recovered && epoch !== place.epoch))
      this.#report('epoch-confused', event, `${this.#name}: ${epoch} then ${place.epoch}`)
    // Two sockets may be asked one after the other, and answer the other way round.
    if (place.isLate && this.#isKnown(base)) return
    if (recovered || (isSame(this.#position, base) && !wasAway)) return
    const { socket } = place
    this.#resets.push({ to: base, explained: this.epoch !== place.epoch || wasAway, socket })
  }

  /** Where nothing came of what this socket said, it was let go with it, and the member goes on from where it was. */
  cut(socket: number): void {
    const isUntold = this.#resets.length > this.#gaps.length
    if (isUntold && this.#resets.at(-1)?.socket === socket) this.#resets.pop()
  }

  gap(event: number): void {
    // Who knows of the first answer only since then has missed nothing, and may be told all the same.
    if (this.#fresh && this.#isReplaced) return
    this.#gaps.push(event)
  }

  delivered(seq: number, isRepeated: boolean, event: number): Place | undefined {
    this.#fresh = false
    this.resolve(event)
    const at = this.#at
    if (at === undefined) return undefined
    if (seq <= at.seq && !isRepeated)
      this.#report('out-of-order', event, `${this.#name}: ${seq} after ${at.seq}`)
    if (seq > at.seq + 1) this.#report('hole', event, `${this.#name}: ${seq} after ${at.seq}`)
    this.#at = { epoch: at.epoch, seq: Math.max(seq, at.seq) }
    return { epoch: at.epoch, seq }
  }

  /** What resets and gaps since the last message mean together. */
  resolve(event: number): void {
    const resets = this.#resets
    const gaps = this.#gaps
    this.#resets = []
    this.#gaps = []
    for (const gap of gaps.slice(resets.length))
      this.#report('gap-unexplained', gap, `${this.#name}: nothing was lost`)
    const last = resets.at(-1)
    if (last === undefined || this.#at === undefined) return
    for (const { explained } of resets)
      if (!explained)
        this.#report('gap-unexplained', event, `${this.#name}: not resumed from ${this.#at.seq}`)
    const gap = gaps.at(-1)
    if (gap !== undefined) this.covered.push({ from: this.#at, to: last.to, event: gap })
    else if (!isSame(this.#at, last.to))
      this.#report('gap-swallowed', event, `${this.#name}: went on in ${last.to.epoch}`)
    this.#at = last.to
  }

  /** It left: what it was not told any more is no matter, but what it was told is. */
  left(): void {
    for (const gap of this.#gaps.slice(this.#resets.length))
      this.#report('gap-unexplained', gap, `${this.#name}: nothing was lost`)
  }

  /**
   * @param place where the message stands, when anybody knows
   * @param sentAt index of its send
   */
  covers(place: Place | undefined, sentAt: number): boolean {
    return this.covered.some(({ from, to, event }) => {
      // Nobody saw it: it can only have been lost with its epoch.
      if (place === undefined) return event > sentAt && from.epoch !== to.epoch
      return this.#isBefore(from, place) && !this.#isBefore(to, place)
    })
  }

  get #position(): Place | undefined {
    return this.#resets.at(-1)?.to ?? this.#at
  }

  #isKnown({ epoch, seq }: Place): boolean {
    const position = this.#position
    return epoch === position?.epoch && seq <= position.seq
  }

  get #name(): string {
    return `client ${this.client} in ${this.room}`
  }

  #order({ epoch }: Place): number {
    return this.#epochs.orderOf(this.room, epoch)
  }

  #isBefore(one: Place, other: Place): boolean {
    const byEpoch = this.#order(one) - this.#order(other)
    return byEpoch === 0 ? one.seq < other.seq : byEpoch < 0
  }
}

/** A member that is there already misses nothing, whatever is said. */
const isSame = (one: Place | undefined, other: Place): boolean =>
  one?.epoch === other.epoch && one.seq === other.seq
