/** One socket as its owner uses it: the link, the frames on it, and what waits to be sent. */
import { type Identity, isSomebodyElse } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import { errorOf } from '../error-of.ts'
import { endedByUser, RequestFailedError } from '../errors.ts'
import type { Resolved, UrlContext } from '../options.ts'
import type { Codec, Incoming, IncomingOf } from '../protocols/protocol.ts'
import { Delivery } from './delivery.ts'
import type { LinesMaker } from './lines.ts'
import { Link } from './link.ts'
import type {
  CallOptions,
  DeliveryPort,
  MessageOptions,
  Order,
  Receipt,
  Repetition,
  Terms,
} from './order.ts'
import { fault } from './wrong.ts'

export interface LineListener {
  /** The state of the link changed. */
  changed(next: LinkState, previous: LinkState): void
  /** Everything that is no answer to a send or a call. */
  incoming(message: Incoming): void
  failed(error: unknown): void
  /** May frames for this room leave? */
  isReady(room: string | undefined): boolean
  /** Names the counting of the room's messages, where the server tells one. */
  epochOf(room: string | undefined): string | undefined
  /** This is about to be dialed: the codec may add what belongs into it. */
  addressed(url: URL, codec: Codec): void
}

/** Who sends, drawn when it is read for the first time. */
export interface Client {
  readonly clientId: string
}

/** As long as the server has said nothing: no limits, and nothing is repeated. */
const untold = (): Terms => ({
  inFlight: Number.POSITIVE_INFINITY,
  frameBytes: Number.POSITIVE_INFINITY,
  rememberMs: 0,
})

export class Line {
  readonly link: Link
  readonly codec: Codec
  /** What waits to be sent, and what waits for its answer. */
  readonly delivery: Delivery
  readonly #options: Resolved
  readonly #listener: LineListener
  readonly #client: Client
  #terms = untold()
  #user: string | undefined
  /** Whose socket it is: somebody else may have signed in, and it is not closed yet. */
  #owner: Identity | undefined
  #nextId = 1

  constructor(
    options: Resolved,
    context: Omit<UrlContext, 'attempt'>,
    client: Client,
    listener: LineListener,
  ) {
    this.#options = options
    this.#listener = listener
    this.#client = client
    const { protocol } = options
    const codec = protocol.codec(client)
    // `resolveOptions` checked that it is one of this package's.
    this.codec = (protocol.rooms as LinesMaker).judge?.(codec, listener.failed) ?? codec
    this.link = new Link(options, context, this.codec, {
      changed: (next, previous) => this.#changed(next, previous),
      incoming: (message) => this.#incoming(message),
      failed: (error) => listener.failed(error),
      offer: (token) =>
        this.submit((id) => this.codec.auth?.(token, id) ?? '', {
          ...asked('socket'),
          timeoutMs: options.requestTimeoutMs,
        }),
      addressed: (url) => listener.addressed(url, this.codec),
    })
    this.delivery = new Delivery(this.#port())
  }

  get isConnected(): boolean {
    return this.link.state.kind === 'connected'
  }

  get identity(): Identity {
    // Made for each frame: a spread takes a sixth of the time of a send.
    const { login, since, token } = this.#options.holder.identity
    return { login, since, token, welcome: this.#user }
  }

  /** Ids are counted here, so that answers find their requests. */
  nextId(): number {
    return this.#nextId++
  }

  /**
   * @throws {TypeError} as a rejection: data that cannot be encoded
   * @throws {OutboxFullError} OUTBOX_FULL as a rejection
   */
  send(room: string | undefined, data: unknown, options: MessageOptions = {}): Promise<unknown> {
    const { volatile, signal, timeoutMs } = options
    return this.submit((id) => this.codec.send(room, data, id), {
      signal,
      timeoutMs,
      room,
      answered: this.#options.protocol.acknowledges,
      repetition: volatile ? 'volatile' : 'remembered',
    })
  }

  call(type: string, payload: unknown, options: CallOptions = {}): Promise<unknown> {
    const { codec } = this
    const { idempotent, signal, timeoutMs } = options
    if (codec.call === undefined)
      return Promise.reject(
        new TypeError('request() needs answers: give the envelope of your protocol a correlate'),
      )
    return this.submit((id) => codec.call?.(type, payload, id) ?? '', {
      signal,
      timeoutMs,
      ...asked(idempotent ? 'always' : 'never'),
    })
  }

  /** @throws what `send` throws, as a rejection; `encode` may throw too */
  submit(
    encode: (id: number) => string | ArrayBuffer,
    order: Omit<Order, 'id' | 'frame' | 'identity'>,
  ): Promise<unknown> {
    const id = this.nextId()
    try {
      return this.delivery.submit({ ...order, id, frame: encode(id), identity: this.identity })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #port(): DeliveryPort {
    const line = this
    return {
      bounds: this.#options.outbox,
      answerMs: this.#options.requestTimeoutMs,
      get terms() {
        return line.#terms
      },
      get identity() {
        return line.identity
      },
      isReady: ({ room, identity }) =>
        this.isConnected &&
        !isSomebodyElse(this.#owner ?? identity, identity) &&
        this.#listener.isReady(room),
      epochOf: (room) => this.#listener.epochOf(room),
      complete: (frame, epoch) => this.#complete(frame, epoch),
      get buffered() {
        return line.link.buffered
      },
      write: (frame) => this.link.write(frame),
    }
  }

  #complete(frame: Order['frame'], epoch: string | undefined): Order['frame'] | Error {
    const isWhole = epoch === undefined || typeof frame !== 'string'
    try {
      return isWhole ? frame : (this.codec.complete?.(frame, epoch) ?? frame)
    } catch (cause) {
      return fault('protocol.complete()', cause)
    }
  }

  #changed(next: LinkState, previous: LinkState): void {
    if (isOpen(previous) && !isOpen(next)) {
      this.delivery.interrupted()
      this.#user = undefined
    }
    if (next.kind === 'failed' || next.kind === 'refused')
      this.delivery.end(errorOf(next.problem, this.link.where))
    if (next.kind === 'idle') this.delivery.end(endedByUser('not sent: disconnected'))
    const isUp = next.kind === 'connected' && previous.kind !== 'connected'
    if (isUp) this.#owner = this.identity
    this.#listener.changed(next, previous)
    if (isUp) this.delivery.flush()
  }

  #incoming(message: Incoming): void {
    switch (message.kind) {
      case 'welcome':
        this.#user = message.user
        this.#terms = termsOf(message)
        break
      case 'ok':
        if (this.delivery.answer(message.id, this.#valueOf(message))) return
        break
      case 'error':
        if (this.#refused(message)) return
        break
    }
    this.#listener.incoming(message)
  }

  #valueOf({ id, seq, data }: IncomingOf<'ok'>): unknown {
    return seq === undefined
      ? data
      : ({ id: `${this.#client.clientId}:${id}`, seq } satisfies Receipt)
  }

  #refused({ id, code, message, retryAfterMs }: IncomingOf<'error'>): boolean {
    if (id === undefined) return false
    if (retryAfterMs !== undefined && this.delivery.postpone(id, retryAfterMs)) return true
    return this.delivery.refuse(id, new RequestFailedError(`the server answered: ${message}`, code))
  }
}

const termsOf = ({ limits, resumeWindowMs = 0 }: IncomingOf<'welcome'>): Terms => ({
  ...untold(),
  ...limits,
  rememberMs: resumeWindowMs,
})

/** Of no room, with an answer. */
export const asked = (repetition: Repetition) => ({ room: undefined, answered: true, repetition })

/** A connected link that came back: what was sent meanwhile is missing, unless the protocol resumes. */
export const isReconnect = (next: LinkState, previous: LinkState): boolean =>
  next.kind === 'connected' && previous.kind !== 'connected' && previous.memory.everConnected

/** Open, whether accepted or not: what was sent, or queued, was meant for this socket. */
const isOpen = (state: LinkState): boolean =>
  state.kind === 'connected' || (state.kind === 'connecting' && state.openedAt !== undefined)
