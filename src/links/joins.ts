/** The joins of one socket: in as few frames as fit, each answered, or asked for again. */
import { batchesOf, type Membership } from '../core/membership.ts'
import type { Codec, JoinRequest } from '../protocols/protocol.ts'
import { callAt } from '../shell/timers.ts'

export interface JoinsPort {
  readonly codec: Codec
  readonly answerMs: number
  nextId(): number
  /** @returns whether an open socket took it */
  write(frame: string): boolean
  unanswered(membership: Membership): void
}

interface Batch {
  readonly left: Set<Membership>
  stop(): void
}

const ROOMS_PER_JOIN = 100

export class Joins {
  /** What the server takes in one frame. */
  limits = { count: ROOMS_PER_JOIN, bytes: Number.POSITIVE_INFINITY }
  showsPresence = false
  /** To be asked for as soon as there is a connection. */
  readonly wanted = new Set<Membership>()
  readonly #port: JoinsPort
  /** By the id of the request. */
  readonly #batches = new Map<number, Batch>()

  constructor(port: JoinsPort) {
    this.#port = port
  }

  /** Everything that was wanted was asked for, and answered. */
  get isIdle(): boolean {
    return this.wanted.size === 0 && this.#batches.size === 0
  }

  /** Was it asked for here, and not answered? */
  awaits(membership: Membership): boolean {
    return this.#batches.get(membership.askedBy)?.left.has(membership) ?? false
  }

  want(membership: Membership): void {
    membership.state = 'wanted'
    this.wanted.add(membership)
  }

  ask(): void {
    const { codec } = this.#port
    const { join } = codec
    if (join === undefined || this.wanted.size === 0) return
    const requests = [...this.wanted].map((membership) => ({
      membership,
      request: this.#requestOf(membership),
    }))
    // A frame of one room is what it adds to a batch, and a little more.
    const sizeOf = ({ request }: (typeof requests)[number]) =>
      this.limits.bytes === Number.POSITIVE_INFINITY
        ? 0
        : new TextEncoder().encode(JSON.stringify(request)).byteLength + 1
    const limits = { ...this.limits, bytes: this.limits.bytes - FRAME_BYTES }
    for (const batch of batchesOf(requests, limits, sizeOf)) {
      const id = this.#port.nextId()
      this.await(
        id,
        batch.map(({ membership }) => membership),
      )
      const frame = join.call(
        codec,
        batch.map(({ request }) => request),
        id,
      )
      // The next socket asks for all of them.
      if (!this.#port.write(frame)) return
    }
  }

  /** They were asked for, by the request of this id: here, or, as 0, by the URL of the dial. */
  await(id: number, memberships: readonly Membership[]): void {
    for (const membership of memberships) {
      this.wanted.delete(membership)
      membership.state = 'asked'
      membership.askedBy = id
    }
    const left = new Set(memberships)
    const stop = callAt(Date.now() + this.#port.answerMs, () => {
      this.#batches.delete(id)
      for (const membership of left) this.#port.unanswered(membership)
    })
    this.#batches.set(id, { left, stop })
  }

  /** It was answered, or nobody wants it any more. */
  forget(membership: Membership): void {
    this.wanted.delete(membership)
    const batch = this.#batches.get(membership.askedBy)
    if (!batch?.left.delete(membership) || batch.left.size > 0) return
    batch.stop()
    this.#batches.delete(membership.askedBy)
  }

  /** Nothing more is heard of what was asked for. */
  interrupted(): void {
    for (const { stop } of this.#batches.values()) stop()
    this.#batches.clear()
  }

  #requestOf({ room, wish, epoch, seq }: Membership): JoinRequest {
    return {
      room,
      ...(wish?.params !== undefined && { params: wish.params }),
      ...(this.showsPresence && wish?.presence && { presence: wish.presence }),
      ...(epoch && { resume: { epoch, seq } }),
    }
  }
}

/** What a join takes beside its rooms: `{"type":"join","id":9007199254740991,"rooms":[]}`. */
const FRAME_BYTES = 64
