/** The joins of one socket: in as few frames as fit, each answered, or asked for again. */
import { batchesOf, type Membership } from '../core/membership.ts'
import { utf8Size } from '../core/utf8.ts'
import type { Codec, JoinRequest } from '../protocols/protocol.ts'
import { callAt, callWhenDue, type Timers } from '../shell/timers.ts'

export interface JoinsPort {
  readonly codec: Codec
  readonly answerMs: number
  nextId(): number
  /** @returns whether an open socket took it */
  write(frame: string): boolean
  unanswered(membership: Membership): void
  /** The codec threw: what it was joined with has no frame. */
  unwritten(membership: Membership, cause: unknown): void
}

interface Batch {
  readonly left: Set<Membership>
  /** When it was written, or the server last showed that it is not past it, in epoch ms. */
  heardAt: number
  stop(): void
}

interface Request {
  readonly membership: Membership
  readonly request: JoinRequest
}

/** So long joins are written in one go; then others have a turn. */
const SLICE_MS = 20
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
  /** Stops what was put off. */
  #later = () => {}

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

  /** A place to resume from says that it was joined: coming back counts as well. */
  comeBack(membership: Membership): void {
    if (membership.epoch !== undefined) membership.rejoinsIn(Date.now())
    this.want(membership)
  }

  want(membership: Membership): void {
    membership.state = 'wanted'
    this.wanted.add(membership)
  }

  ask(): void {
    const { join } = this.#port.codec
    if (join === undefined) return
    this.#later()
    const end = Date.now() + SLICE_MS
    const limits = { ...this.limits, bytes: this.limits.bytes - FRAME_BYTES }
    const sizeOf = ({ request }: Request) =>
      this.limits.bytes === Number.POSITIVE_INFINITY ? 0 : bytesOf(request)
    for (const batch of batchesOf(this.#requests(), limits, sizeOf)) {
      // The next socket asks for all of them.
      if (!this.#write(batch)) return
      if (Date.now() < end) continue
      this.#later = callAt(0, () => this.ask())
      return
    }
  }

  /** One that has no frame holds up no other. @returns `false` where no open socket took it */
  #write(batch: readonly Request[]): boolean {
    const { codec, nextId, write, unwritten } = this.#port
    const memberships = batch.map(({ membership }) => membership)
    const id = nextId()
    let frame: string
    try {
      frame =
        codec.join?.(
          batch.map(({ request }) => request),
          id,
        ) ?? ''
    } catch (cause) {
      if (batch.length > 1) return batch.every((each) => this.#write([each]))
      for (const membership of memberships) {
        this.wanted.delete(membership)
        unwritten(membership, cause)
      }
      return true
    }
    this.await(id, memberships)
    return write(frame)
  }

  /** They were asked for, by the request of this id: here, or, as 0, by the URL of the dial. */
  await(id: number, memberships: readonly Membership[]): void {
    for (const membership of memberships) {
      this.wanted.delete(membership)
      membership.state = 'asked'
      membership.askedBy = id
    }
    const left = new Set(memberships)
    const batch: Batch = { left, heardAt: Date.now(), stop: () => {} }
    this.#batches.set(id, batch)
    batch.stop = callWhenDue(
      () => this.#heardAt(batch) + this.#port.answerMs,
      () => {
        this.#batches.delete(id)
        for (const membership of left) this.#port.unanswered(membership)
      },
    )
  }

  /** Joins are answered in order: as long as earlier ones are, the turn of this one is still to come. */
  #heardAt(batch: Batch): number {
    let heardAt = 0
    for (const each of this.#batches.values()) {
      heardAt = Math.max(heardAt, each.heardAt)
      if (each === batch) break
    }
    return heardAt
  }

  /** It was answered, or nobody wants it any more. */
  forget(membership: Membership): void {
    this.wanted.delete(membership)
    const batch = this.#batches.get(membership.askedBy)
    if (!batch?.left.delete(membership)) return
    batch.heardAt = Date.now()
    if (batch.left.size > 0) return
    batch.stop()
    // Those behind it remember when.
    let isBehind = false
    for (const each of this.#batches.values()) {
      if (isBehind) each.heardAt = batch.heardAt
      isBehind ||= each === batch
    }
    this.#batches.delete(membership.askedBy)
  }

  /**
   * Because of what a server says: once, however often it says so, and no sooner than a rejoin of the room is due.
   *
   * @param then nothing has asked for it in the meantime, on this socket or another
   */
  again(membership: Membership, afterMs: number, delayed: Timers, then: () => void): void {
    const { askedBy, room } = membership
    const key = `${askedBy} ${room}`
    if (delayed.has(key)) return
    if (membership.state === 'asked') this.forget(membership)
    delayed.after(Math.max(afterMs, membership.rejoinsIn(Date.now())), key, () => {
      if (membership.askedBy === askedBy) then()
    })
  }

  /** Nothing more is heard of what was asked for. */
  interrupted(): void {
    this.#later()
    for (const { stop } of this.#batches.values()) stop()
    this.#batches.clear()
  }

  *#requests(): Iterable<Request> {
    for (const membership of this.wanted) yield { membership, request: this.#requestOf(membership) }
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

/** In a frame with others. What has no JSON is said by the codec, which may need none. */
const bytesOf = (request: JoinRequest): number => {
  try {
    return utf8Size(JSON.stringify(request)) + 1
  } catch {
    return 0
  }
}
