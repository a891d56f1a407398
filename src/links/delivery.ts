/** The sends and requests of one socket: queued, sent, answered, each settled exactly once. */
import { isSomebodyElse } from '../core/identity.ts'
import { Outbox } from '../core/outbox.ts'
import { NotConnectedError, OutboxFullError, RequestFailedError } from '../errors.ts'
import { abortReason } from '../shell/abort.ts'
import { callAt } from '../shell/timers.ts'
import {
  type DeliveryPort,
  dueAt,
  type Entry,
  isOver,
  lost,
  type Order,
  type Outcome,
  sizeOf,
  unknown,
  unwritten,
} from './order.ts'

const SWEEP_MS = 250

export class Delivery {
  readonly #port: DeliveryPort
  readonly #outbox: Outbox<Entry>
  #sweep: ReturnType<typeof setInterval> | undefined
  /** The server wants a pause: the longest of those that it asked for. */
  #pause: (() => void) | undefined
  #pausedUntil = 0

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
    const { signal, frame, repetition, timeoutMs = Number.POSITIVE_INFINITY } = order
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    const mayLeave = this.#mayLeave(order) && !this.#isBehind(order.room)
    // What waits for no answer is done, if its socket had not begun to close.
    if (mayLeave && !order.answered && this.#port.write(frame)) return Promise.resolve()
    if (repetition === 'volatile' && (!mayLeave || !order.answered)) return Promise.reject(notNow())
    const bytes = sizeOf(frame)
    if (!this.#outbox.fits(bytes))
      return Promise.reject(
        new OutboxFullError('the outbox is full: wait for earlier sends, or raise outbox'),
      )
    return new Promise((resolve, reject) => {
      const abort = () => signal && this.#end(order.id, { error: abortReason(signal) })
      const settle = (outcome: Outcome) => {
        signal?.removeEventListener('abort', abort)
        if ('error' in outcome) reject(outcome.error)
        else resolve(outcome.value)
      }
      signal?.addEventListener('abort', abort)
      const deadline = Date.now() + timeoutMs
      this.#add({ ...order, ...unwritten(), bytes, deadline, settle }, mayLeave)
    })
  }

  /** Sends what can leave now, oldest first. Frames of another identity are refused. */
  flush(): void {
    const { identity } = this.#port
    for (const entry of this.#outbox.waiting()) {
      if (this.#isFull(entry)) return
      if (isSomebodyElse(entry.identity, identity)) {
        this.#end(entry.id, failure(entry.first ? unknown() : othersNow()))
        continue
      }
      entry.identity = identity
      if (!this.#mayLeave(entry)) continue
      if (this.#mayWrite(entry)) {
        if (!this.#send(entry)) return
      } else this.#end(entry.id, failure(unknown()))
    }
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

  /** The server wants it again, and nothing else, after a pause. */
  postpone(id: number, afterMs: number): boolean {
    const entry = this.#outbox.find(id)
    if (entry === undefined) return false
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
  }

  /** Settles everything that is open, or everything of one room. */
  end(queued: Error, room?: string): void {
    for (const entry of this.#all())
      if (room === undefined || entry.room === room)
        this.#end(entry.id, failure(entry.first ? unknown() : queued))
  }

  #add(entry: Entry, mayLeave: boolean): void {
    this.#outbox.add(entry)
    if (mayLeave && !this.#send(entry) && entry.repetition === 'volatile')
      this.#end(entry.id, failure(notNow()))
    this.#arm()
  }

  #mayLeave(order: Order): boolean {
    return !this.#isFull(order) && this.#pause === undefined && this.#port.isReady(order)
  }

  /** So many frames wait for their answers that the server takes no more. */
  #isFull({ answered }: Order): boolean {
    return answered && this.#outbox.inFlight >= this.#port.terms.inFlight
  }

  /** Do earlier frames of this room still wait? Those of other rooms hold nobody up. */
  #isBehind(room: string | undefined): boolean {
    return this.#outbox.waiting().some((entry) => entry.room === room)
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
    const frame = this.#port.complete(entry.frame, first.epoch)
    if (isOver(terms.frameBytes, frame)) {
      this.#end(entry.id, failure(entry.first ? unknown() : tooLarge(terms.frameBytes)))
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
    this.#arm()
    return true
  }

  /** Room for the next one. */
  #answered(id: number, outcome: Outcome): boolean {
    const isOpen = this.#end(id, outcome)
    if (isOpen) this.flush()
    return isOpen
  }

  #end(id: number, outcome: Outcome): boolean {
    const entry = this.#outbox.take(id)
    entry?.settle(outcome)
    if (this.#outbox.size === 0) this.#rest()
    return entry !== undefined
  }

  #rest(): void {
    clearInterval(this.#sweep)
    this.#sweep = undefined
    this.#resume()
  }

  #resume(): void {
    this.#pause?.()
    this.#pause = undefined
    this.#pausedUntil = 0
  }

  /** One timer for all deadlines, while there are any. */
  #arm(): void {
    if (this.#sweep !== undefined || this.#outbox.size === 0) return
    if (!this.#all().some((entry) => Number.isFinite(dueAt(entry)))) return
    this.#sweep = setInterval(() => {
      const now = Date.now()
      for (const entry of this.#all())
        if (dueAt(entry) <= now) this.#end(entry.id, failure(entry.first ? unknown() : lost()))
    }, SWEEP_MS)
  }

  #all(): Entry[] {
    return [...this.#outbox.unanswered(), ...this.#outbox.waiting()]
  }
}

const failure = (error: Error): Outcome => ({ error })

const notNow = (): Error => new NotConnectedError('not sent: a volatile send waits for nothing')

const othersNow = (): Error => new NotConnectedError('somebody else signed in before it was sent')

const tooLarge = (limit: number): Error =>
  new RequestFailedError(`not sent: the server takes frames of ${limit} bytes`, 'too-large')
