/**
 * One room on a socket that carries many: what the user wants survives a reconnect, what the server granted
 * does not, and how far it was read says what is missing.
 */

/** `refused`: wanted, and asked for again once the server knows this client by another credential. */
export type MembershipState = 'wanted' | 'asked' | 'joined' | 'refused'

export interface Wish {
  readonly params?: unknown
  readonly presence?: object
}

/** `undefined` for nothing: ten thousand rooms may wish for it. */
export const wishOf = ({ params, presence }: Wish): Wish | undefined =>
  params === undefined && presence === undefined
    ? undefined
    : { ...(params !== undefined && { params }), ...(presence && { presence }) }

/** A server that means harm makes no loop of joins. */
const REJOIN_EVERY_MS = 1_000

/** The epoch of a server that does not count. */
const UNCOUNTED = ''

/** How a room was found when it was joined again. */
export type Return =
  /** Joined for the first time. */
  | 'new'
  /** Nothing is missing. */
  | 'recovered'
  /** Messages are missing: the room counts anew, or more were sent than the server keeps. */
  | { readonly reason: 'epoch' | 'no-recovery' }
  | { readonly reason: 'window'; readonly missed: number }

export interface Joined {
  readonly epoch?: string | undefined
  readonly seq?: number | undefined
  readonly recovered?: boolean | undefined
}

export class Membership {
  readonly room: string
  wish: Wish | undefined
  state: MembershipState = 'wanted'
  /** The request that asked for it. */
  askedBy = 0
  epoch: string | undefined
  seq = 0
  #rejoinsAt = 0

  constructor(room: string, wish: Wish | undefined) {
    this.room = room
    this.wish = wish
  }

  /** Counts a rejoin: the first one at once, then one a second on average. In ms. */
  rejoinsIn(now: number): number {
    const at = Math.max(now, this.#rejoinsAt)
    this.#rejoinsAt = at + REJOIN_EVERY_MS
    return at - now
  }

  /**
   * Is this the answer to a join of this membership? What was asked for one that was left in the meantime is
   * answered too, and what changes one that the server has not seen leave is told. Neither says anything of
   * this one.
   */
  isAnsweredBy(id: number | undefined): boolean {
    return id === undefined || id === this.askedBy || this.epoch !== undefined
  }

  /** An error about the room may be about a send of somebody who has left. */
  isRefusedBy(id: number | undefined): boolean {
    return this.state === 'asked' && (id === undefined || id === this.askedBy)
  }

  /** The messages that come with it are received afterwards, so it stands at the last one before them. */
  joined({ epoch, seq = 0, recovered = false }: Joined): Return {
    const { epoch: before, seq: last } = this
    this.state = 'joined'
    this.epoch = epoch ?? UNCOUNTED
    if (before === undefined) this.seq = seq
    if (before === undefined) return 'new'
    if (epoch === undefined) return { reason: 'no-recovery' }
    // A server that has less than this client has seen counts anew, whatever it says.
    if (before === epoch && (seq === last || (recovered && seq > last))) return 'recovered'
    this.seq = seq
    return before === epoch && seq > last
      ? { reason: 'window', missed: seq - last }
      : { reason: 'epoch' }
  }

  /** Is a message of this number the next one, one that was seen, or has something been left out? */
  received(seq: number): 'next' | 'seen' | 'hole' {
    const last = this.seq
    if (seq <= last) return 'seen'
    this.seq = seq
    return seq === last + 1 ? 'next' : 'hole'
  }
}

/** As many as fit into a frame: by their number and by their bytes, but at least one. */
export function* batchesOf<Entry>(
  entries: Iterable<Entry>,
  limits: { readonly count: number; readonly bytes: number },
  bytesOf: (entry: Entry) => number,
): Generator<readonly Entry[]> {
  let batch: Entry[] = []
  let left = limits.bytes
  for (const entry of entries) {
    const bytes = bytesOf(entry)
    if (batch.length > 0 && (batch.length >= limits.count || bytes > left)) {
      yield batch
      batch = []
      left = limits.bytes
    }
    batch.push(entry)
    left -= bytes
  }
  if (batch.length > 0) yield batch
}
