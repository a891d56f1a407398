import { randomUUID } from 'node:crypto'
import type { Connection } from './state.ts'

/** A repeated send is recognised among this many last ones of a room. */
const REMEMBERED_SENDS = 10_000

export interface MessageId {
  clientId: string
  n: number
}

/** One room: who is in it, how far it has counted, and which sends it has seen. */
export class Room {
  /** Changes whenever counting starts anew, here with the process. */
  readonly epoch: string = randomUUID()
  readonly members = new Set<Connection>()
  seq = 0
  readonly #seen = new Map<string, number>()

  /**
   * Numbers a message, or says which number it has already.
   *
   * The user belongs to the key: everybody in the room can read a clientId, and could otherwise
   * occupy the next number of somebody else, whose message would then vanish as a repetition.
   */
  number(user: string, { clientId, n }: MessageId): { seq: number; repeated: boolean } {
    const key = `${clientId} ${n} ${user}`
    const seen = this.#seen.get(key)
    if (seen !== undefined) return { seq: seen, repeated: true }
    this.seq += 1
    this.#seen.set(key, this.seq)
    if (this.#seen.size > REMEMBERED_SENDS) this.#forgetOldest()
    return { seq: this.seq, repeated: false }
  }

  #forgetOldest(): void {
    // A Map iterates in the order of insertion.
    for (const key of this.#seen.keys()) {
      this.#seen.delete(key)
      return
    }
  }
}
