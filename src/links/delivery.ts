/** The sends and requests of one socket: queued, sent, answered, each settled exactly once. */
import { isSomebodyElse } from '../core/identity.ts'
import { Outbox } from '../core/outbox.ts'
import { abortReason } from '../shell/abort.ts'
import { callAt } from '../shell/timers.ts'
import {
  type DeliveryPort,
  dueAt,
  type Entry,
  enter,
  isOver,
  type Order,
  type Outcome,
  sizeOf,
  unwritten,
} from './order.ts'
import { failure, full, lost, notNow, othersNow, unknown, within } from './refusals.ts'
import { Sweep } from './sweep.ts'

/** So long a part of a long queue may hold the thread. */
const SLICE_MS = 20
/** A socket that is full is asked again after so long. */
const POLL_MS = 20
/** Of what waits for no answer: the same for all. */
const DONE = /* @__PURE__ */ Promise.resolve()

export class Delivery {
  readonly #port: DeliveryPort
  readonly #outbox: Outbox<Entry>
  readonly #sweep = new Sweep(() => this.#endOverdue())
  /** The server wants a pause: the longest of those that it asked for. */
  #pause: (() => void) | undefined
  #pausedUntil = 0
  /** The rest of a long queue, or what the socket had no space for: nothing overtakes it. */
  #next: ReturnType<typeof setTimeout> | undefined

  constructor(port: DeliveryPort) {
    this.#port = port
    this.#outbox = new Outbox(port.bounds)
  }

  /** Sent, and not answered. */
  get inFlight(): number {
    return this.#outbox.inFlight
  }

  /** @throws {OutboxFullError} OUTBOX_FULL as a rejection; the frame was not queued */
  submit(order: Order): Promise<unknown> {
    const { signal, frame, answered, room } = order
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    const isReady =
      this.#mayLeave(order) && this.#next === undefined && !this.#outbox.isBehind(room)
    let leaves = isReady && this.#hasSpace(frame)
    if (leaves && !answered) {
      if (this.#port.write(frame)) return DONE
      leaves = false
    }
    const outbox = this.#outbox
    const { buffered } = this.#port
    const bytes = sizeOf(frame)
    if (order.repetition === 'volatile' && !leaves)
      return Promise.reject(
        this.#mayLeave(order) && buffered > 0 ? full(bytes, outbox, buffered) : notNow(),
      )
    if (leaves ? !outbox.keeps() : !outbox.fits(bytes, buffered))
      return Promise.reject(full(bytes, outbox, buffered))
    if (isReady && !leaves) this.#flushIn(POLL_MS)
    return this.#keep(order, bytes, leaves)
  }

  /**
   * Sends what can leave now, oldest first, or that of one room alone. Frames of another identity are refused. Many
   * leave in slices, and what the socket has no space for when it has.
   */
  flush(room?: string): void {
    const until = Date.now() + SLICE_MS
    for (const queue of this.#outbox.queues())
      for (const entry of queue)
        if ((room === undefined || entry.room === room) && !this.#pass(entry, until)) return
  }

  /** @returns `false` for an answer to nothing that is open */
  answer(id: number, value: unknown): boolean {
    return this.#answered(id, { value })
  }

  /** An error is an answer to the last writing alone: an earlier one may have arrived. */
  refuse(id: number, error: Error): boolean {
    const isRepeated = (this.#outbox.find(id)?.writes ?? 0) > 1
    return this.#answered(id, failure(isRepeated ? unknown(error) : error))
  }

  /** The server wants it again, and nothing else, after a pause. @returns `false` for what is not sent again */
  postpone(id: number, afterMs: number): boolean {
    const entry = this.#outbox.find(id)
    if (entry === undefined || entry.repetition === 'volatile') return false
    // It was not taken: nothing of it is anywhere.
    if (entry.writes === 1) Object.assign(entry, unwritten())
    this.#outbox.recall([entry])
    this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + afterMs)
    this.#pause?.()
    this.#pause = callAt(this.#pausedUntil, () => {
      this.#pause = undefined
      this.flush()
    })
    return true
  }

  /** The socket is gone. What was sent is sent again where the server knows it again. */
  interrupted(): void {
    this.#resume()
    const again = this.#outbox
      .unanswered()
      .filter((entry) => entry.repetition === 'always' || this.#isRemembered(entry))
    for (const entry of again)
      if (entry.repetition === 'always') entry.answerBy = Number.POSITIVE_INFINITY
    this.#outbox.recall(again)
    for (const { id } of this.#outbox.unanswered()) this.#end(id, failure(unknown()))
    for (const { id, repetition } of this.#outbox.waiting())
      if (repetition === 'socket') this.#end(id, failure(lost()))
  }

  /** Settles everything that is open, or everything of one room. */
  end(queued: Error, room?: string): void {
    for (const entry of this.#all())
      if (room === undefined || entry.room === room)
        this.#end(entry.id, failure(entry.first ? unknown(queued) : queued))
  }

  /** @returns whether the next one may follow at once */
  #pass(entry: Entry, until: number): boolean {
    if (this.#isFull(entry)) return false
    const { identity } = this.#port
    const isOthers = isSomebodyElse(entry.identity, identity)
    if (!isOthers) entry.identity = identity
    if (!isOthers && !this.#mayLeave(entry)) return true
    if (isOthers) this.#end(entry.id, failure(entry.first ? unknown() : othersNow()))
    else if (!this.#mayWrite(entry)) this.#end(entry.id, failure(unknown()))
    else if (!this.#hasSpace(entry.frame)) return this.#flushIn(POLL_MS)
    else if (!this.#send(entry)) return false
    return Date.now() < until || this.#flushIn(0)
  }

  #keep(order: Order, bytes: number, leaves: boolean): Promise<unknown> {
    const { entry, promise } = enter(order, bytes, (outcome) => this.#end(order.id, outcome))
    this.#outbox.add(entry)
    if (leaves && !this.#send(entry) && order.repetition === 'volatile')
      this.#end(order.id, failure(notNow()))
    if (this.#outbox.size > 0) this.#sweep.arm(entry.deadline)
    return promise
  }

  /** A browser tells nobody when its buffer is empty: it is asked, as long as something waits for that. */
  #flushIn(ms: number): false {
    this.#next ??= setTimeout(() => {
      this.#next = undefined
      this.flush()
    }, ms)
    return false
  }

  /** Nothing buffered takes a frame of any size. */
  #hasSpace(frame: string | ArrayBuffer): boolean {
    const { buffered } = this.#port
    return buffered === 0 || !isOver(this.#outbox.mostBuffered - buffered, frame)
  }

  #mayLeave(order: Order): boolean {
    return !this.#isFull(order) && this.#pause === undefined && this.#port.isReady(order)
  }

  /** So many frames wait for their answers that the server takes no more. */
  #isFull({ answered }: Order): boolean {
    return answered && this.#outbox.inFlight >= this.#port.terms.inFlight
  }

  /** For the first time, or still known to the server. */
  #mayWrite(entry: Entry): boolean {
    if (entry.first === undefined || entry.repetition === 'always') return true
    return this.#isRemembered(entry) && entry.first.epoch === this.#port.epochOf(entry.room)
  }

  /** Not up to the last moment: a repetition takes its time to the server. */
  #isRemembered({ repetition, first }: Entry): boolean {
    const { rememberMs } = this.#port.terms
    const ageMs = first === undefined ? 0 : Date.now() - first.at
    return repetition === 'remembered' && ageMs < rememberMs * 0.75
  }

  /** @returns `false` where its socket has begun to close: it waits for the next one */
  #send(entry: Entry): boolean {
    const { terms, answerMs } = this.#port
    const now = Date.now()
    const first = entry.first ?? { at: now, epoch: this.#port.epochOf(entry.room) }
    const frame = within(terms.frameBytes, this.#port.complete(entry.frame, first.epoch))
    if (frame instanceof Error) {
      this.#end(entry.id, failure(entry.first ? unknown(frame) : frame))
      return true
    }
    if (!this.#port.write(frame)) return false
    if (!entry.answered) {
      this.#end(entry.id, { value: undefined })
      return true
    }
    this.#outbox.sent(entry)
    entry.first = first
    entry.writes++
    entry.answerBy =
      entry.repetition === 'remembered'
        ? first.at + Math.max(answerMs, terms.rememberMs)
        : now + answerMs
    this.#sweep.arm(dueAt(entry))
    return true
  }

  /** Room for the next one. */
  #answered(id: number, outcome: Outcome): boolean {
    const isOpen = this.#end(id, outcome)
    if (isOpen && this.#outbox.queued > 0) this.flush()
    return isOpen
  }

  #end(id: number, outcome: Outcome): boolean {
    const entry = this.#outbox.take(id)
    entry?.settle(outcome)
    if (this.#outbox.size === 0) {
      this.#sweep.stop()
      this.#resume()
    }
    return entry !== undefined
  }

  #resume(): void {
    clearTimeout(this.#next)
    this.#next = undefined
    this.#pause?.()
    this.#pause = undefined
    this.#pausedUntil = 0
  }

  #endOverdue(): void {
    const now = Date.now()
    for (const entry of this.#all())
      if (dueAt(entry) <= now) this.#end(entry.id, failure(entry.first ? unknown() : lost()))
  }

  #all(): Entry[] {
    return [...this.#outbox.unanswered(), ...this.#outbox.waiting()]
  }
}
