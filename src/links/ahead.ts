/**
 * Of two sockets, one may still bring a room that was left and joined again, and be ahead of the other one, which
 * brings what is missing between. So what is ahead is left to the other one; or to the answer to a join that is on its
 * way, which brings it too.
 */
import type { Membership } from '../core/membership.ts'

export class Ahead {
  /** The last number that was left so. */
  readonly #last = new Map<Membership, number>()

  /** Is this left? */
  leaves(membership: Membership | undefined, seq: number | undefined): boolean {
    if (!membership?.epoch || seq === undefined || seq <= membership.seq + 1) return false
    this.#last.set(membership, seq)
    return true
  }

  /** The rooms to which it has not come. From now on there is one socket alone. */
  *take(): Iterable<Membership> {
    const all = [...this.#last]
    this.#last.clear()
    for (const [membership, seq] of all)
      if (membership.state === 'joined' && membership.seq < seq) yield membership
  }

  clear(): void {
    this.#last.clear()
  }
}
