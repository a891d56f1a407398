import type { SendFrame } from './frames.ts'

interface Told {
  /** A room that counts anew owes nothing to what was meant for it before. */
  readonly epoch: string
  /** The sends that have to come again, in the order in which they were told. */
  readonly sends: readonly number[]
  /** Not before, in epoch ms. */
  readonly at: number
}

/**
 * The order of one client's sends to a room. Who is told to come again has others on their way already: they must not
 * be stored before it, so they are told the same.
 *
 * A send that comes after it was told to come again, and later than one before it was, has a client that knew of both:
 * it has given up the one before. If the one before was told later, this one may have been on its way.
 */
export class SendOrder {
  readonly #told = new Map<string, Told>()
  readonly #most: () => number

  /** @param inFlight as many as a client may have on its way; those that it still means are the last that it was told of */
  constructor(inFlight: () => number) {
    this.#most = () => 2 * inFlight()
  }

  /** How long this send has to wait for an earlier one; 0 when it may be stored, which settles all before it. */
  waitFor({ room, epoch, n }: SendFrame): number {
    const told = this.#of(room, epoch)
    if (told === undefined) return 0
    if (told.sends.slice(told.sends.indexOf(n) + 1).some((other) => other < n))
      return Math.max(1, told.at - Date.now())
    const sends = told.sends.filter((other) => other > n)
    if (sends.length > 0) this.#told.set(room, { ...told, sends })
    else this.#told.delete(room)
    return 0
  }

  /** @returns in how many ms: no sooner than those before it */
  comesAgain({ room, epoch, n }: SendFrame, inMs: number): number {
    const { sends = [], at = 0 } = this.#of(room, epoch) ?? {}
    const now = Date.now()
    const told = {
      epoch,
      sends: [...sends.filter((other) => other !== n), n].slice(-this.#most()),
      at: Math.max(at, now + inMs),
    }
    this.#told.set(room, told)
    return told.at - now
  }

  left(room: string): void {
    this.#told.delete(room)
  }

  #of(room: string, epoch: string): Told | undefined {
    const told = this.#told.get(room)
    return told?.epoch === epoch ? told : undefined
  }
}
