import type { SendFrame } from './frames.ts'

interface Again {
  /** A room that counts anew owes nothing to what was meant for it before. */
  readonly epoch: string
  /** The first send that has to come again, and the last one that was told to. */
  from: number
  upTo: number
  /** Not before, in epoch ms. */
  at: number
}

/**
 * The order of one client's sends to a room. Who is told to come again has others on their way already: they must not
 * be stored before it, so they are told the same.
 */
export class SendOrder {
  readonly #again = new Map<string, Again>()

  /** How long this send has to wait for an earlier one; 0 when it may be stored. */
  waitFor({ room, epoch, n }: SendFrame): number {
    const again = this.#of(room, epoch)
    if (again === undefined || n < again.from) return 0
    if (n > again.upTo) {
      again.upTo = n
      return Math.max(1, again.at - Date.now())
    }
    // It was told to come again, and comes: its client has settled, or given up, all before it.
    again.from = n + 1
    if (again.from > again.upTo) this.#again.delete(room)
    return 0
  }

  comesAgain({ room, epoch, n }: SendFrame, inMs: number): void {
    const { from = n, upTo = n, at = 0 } = this.#of(room, epoch) ?? {}
    this.#again.set(room, {
      epoch,
      from: Math.min(from, n),
      upTo: Math.max(upTo, n),
      at: Math.max(at, Date.now() + inMs),
    })
  }

  left(room: string): void {
    this.#again.delete(room)
  }

  #of(room: string, epoch: string): Again | undefined {
    const again = this.#again.get(room)
    return again?.epoch === epoch ? again : undefined
  }
}
