/** The sends and requests of one socket: queued, sent, answered, each settled exactly once. */
import { type Identity, isKnown, isSomebodyElse } from '../core/identity.ts'
import { Outbox, type OutboxBounds } from '../core/outbox.ts'
import { NotConnectedError, OutboxFullError, SendUnknownError } from '../errors.ts'

export interface SendOptions {
  /** Gives up: the promise rejects with its reason. */
  readonly signal?: AbortSignal
  /** Gives up after so long, in ms. Default: queued sends wait, sent ones as long as `requestTimeoutMs`. */
  readonly timeoutMs?: number
}

export interface Order {
  readonly id: number
  readonly frame: string | ArrayBuffer
  readonly room?: string | undefined
  /** Whose frame it is: nobody else sends it. */
  readonly identity: Identity
  /** The server answers it under its id. Otherwise it is done when it was handed over. */
  readonly answered: boolean
  /** May be sent again when a socket is lost before the answer: the server knows it by its id. */
  readonly repeatable: boolean
  readonly signal?: AbortSignal | undefined
  /** From now, in ms; without it an answer is due `answerMs` after the frame was sent. */
  readonly timeoutMs?: number | undefined
}

interface Entry extends Order {
  identity: Identity
  readonly bytes: number
  sent: boolean
  deadline: number | undefined
  settle: (error: unknown, value?: unknown) => void
}

export interface DeliveryPort {
  readonly bounds: OutboxBounds
  readonly answerMs: number
  /** Can this frame leave now? */
  isReady(order: Order): boolean
  write(frame: string | ArrayBuffer): void
}

const SWEEP_MS = 250

export class Delivery {
  readonly #port: DeliveryPort
  readonly #outbox: Outbox<Entry>
  #unsent = 0
  #sweep: ReturnType<typeof setInterval> | undefined

  constructor(port: DeliveryPort) {
    this.#port = port
    this.#outbox = new Outbox(port.bounds)
  }

  /** @throws {OutboxFullError} OUTBOX_FULL as a rejection; the frame was not queued */
  submit(order: Order): Promise<unknown> {
    const { signal, frame } = order
    if (signal?.aborted) return Promise.reject(signal.reason)
    const ready = this.#port.isReady(order) && !this.#isBehind(order.room)
    if (ready && !order.answered) {
      this.#port.write(frame)
      return Promise.resolve()
    }
    const { byteLength: bytes } =
      typeof frame === 'string' ? new TextEncoder().encode(frame) : frame
    if (!this.#outbox.fits(bytes))
      return Promise.reject(
        new OutboxFullError(
          'the outbox is full: wait for earlier sends, or raise the option outbox',
        ),
      )
    return new Promise((resolve, reject) => {
      const abort = () => this.#end(order.id, signal?.reason)
      const entry: Entry = {
        ...order,
        bytes,
        sent: false,
        deadline: order.timeoutMs === undefined ? undefined : Date.now() + order.timeoutMs,
        settle: (error, value) => {
          signal?.removeEventListener('abort', abort)
          if (error === undefined) resolve(value)
          else reject(error)
        },
      }
      signal?.addEventListener('abort', abort)
      this.#outbox.add(entry)
      this.#unsent++
      if (ready) this.#send(entry)
      this.#arm()
    })
  }

  /** Sends what can leave now, oldest first. Frames of another identity are refused. */
  flush(identity: Identity): void {
    for (const entry of this.#outbox.entries()) {
      if (entry.sent) continue
      if (isSomebodyElse(entry.identity, identity)) {
        this.#end(entry.id, new NotConnectedError('somebody else signed in before it was sent'))
        continue
      }
      entry.identity = identity
      if (this.#port.isReady(entry)) this.#send(entry)
    }
  }

  /** @returns `false` for an answer to nothing that is open */
  answer(id: number, error: unknown, value?: unknown): boolean {
    return this.#end(id, error, value)
  }

  /**
   * The socket is gone. What was sent is sent again where the server knows it again; while the identity is
   * unknown nothing outlives its socket, since the next one may be somebody else's.
   */
  interrupted(identity: Identity): void {
    const known = isKnown(identity)
    for (const entry of this.#outbox.entries()) {
      if (entry.sent && known && entry.repeatable) {
        entry.sent = false
        this.#unsent++
      } else if (entry.sent) this.#end(entry.id, unknown())
      else if (!known) this.#end(entry.id, lost())
    }
  }

  /** Settles everything that is open, or everything of one room. */
  end(queued: Error, room?: string): void {
    for (const entry of this.#outbox.entries())
      if (room === undefined || entry.room === room)
        this.#end(entry.id, entry.sent ? unknown() : queued)
  }

  /** Do earlier frames of this room still wait? Those of other rooms hold nobody up. */
  #isBehind(room: string | undefined): boolean {
    if (this.#unsent === 0) return false
    return this.#outbox.entries().some((entry) => !entry.sent && entry.room === room)
  }

  #send(entry: Entry): void {
    this.#port.write(entry.frame)
    if (!entry.answered) {
      this.#end(entry.id, undefined)
      return
    }
    entry.sent = true
    this.#unsent--
    entry.deadline ??= Date.now() + this.#port.answerMs
    this.#arm()
  }

  #end(id: number, error: unknown, value?: unknown): boolean {
    const entry = this.#outbox.take(id)
    if (entry && !entry.sent) this.#unsent--
    entry?.settle(error, value)
    if (this.#outbox.size === 0) {
      clearInterval(this.#sweep)
      this.#sweep = undefined
    }
    return entry !== undefined
  }

  /** One timer for all deadlines, while there are any. */
  #arm(): void {
    if (this.#sweep !== undefined || this.#outbox.size === 0) return
    if (this.#outbox.entries().every(({ deadline }) => deadline === undefined)) return
    this.#sweep = setInterval(() => {
      const now = Date.now()
      for (const { id, sent, deadline } of this.#outbox.entries())
        if (deadline !== undefined && deadline <= now) this.#end(id, sent ? unknown() : lost())
    }, SWEEP_MS)
  }
}

const unknown = (): Error =>
  new SendUnknownError('sent, and no answer came: it may have arrived or not')
const lost = (): Error => new NotConnectedError('not sent: the connection was lost')
