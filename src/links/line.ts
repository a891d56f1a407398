/** One socket as its owner uses it: the link, the frames on it, and what waits to be sent. */
import { type Identity, isSomebodyElse } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import { errorOf } from '../error-of.ts'
import { NotConnectedError, RequestFailedError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Codec, Incoming } from '../protocols/protocol.ts'
import { Delivery, type Order, type SendOptions } from './delivery.ts'
import { Link } from './link.ts'

export interface LineListener {
  /** The state of the link changed. */
  changed(next: LinkState, previous: LinkState): void
  /** Everything that is no answer to a send or a call. */
  incoming(message: Incoming): void
  failed(error: unknown): void
  /** May frames for this room leave? */
  isReady(room: string | undefined): boolean
}

export interface LineContext {
  readonly room?: string
  readonly params?: unknown
  readonly clientId: string
}

export class Line {
  readonly link: Link
  readonly codec: Codec
  readonly #options: Resolved
  readonly #delivery: Delivery
  readonly #listener: LineListener
  #user: string | undefined
  /** Whose socket it is: somebody else may have signed in, and it is not closed yet. */
  #owner: Identity | undefined
  #nextId = 1

  constructor(options: Resolved, context: LineContext, listener: LineListener) {
    this.#options = options
    this.#listener = listener
    this.codec = options.protocol.codec(context)
    this.link = new Link(options, context, this.codec, {
      changed: (next, previous) => this.#changed(next, previous),
      incoming: (message) => this.#incoming(message),
      failed: (error) => listener.failed(error),
    })
    this.#delivery = new Delivery({
      bounds: options.outbox,
      answerMs: options.requestTimeoutMs,
      isReady: ({ room, identity }) =>
        this.isConnected &&
        !isSomebodyElse(this.#owner ?? identity, identity) &&
        listener.isReady(room),
      write: (frame) => this.link.write(frame),
    })
  }

  get isConnected(): boolean {
    return this.link.state.kind === 'connected'
  }

  get identity(): Identity {
    return { ...this.#options.holder.identity, welcome: this.#user }
  }

  /** Ids are counted here, so that answers find their requests. */
  nextId(): number {
    return this.#nextId++
  }

  /**
   * @throws {TypeError} as a rejection: data that cannot be encoded
   * @throws {OutboxFullError} OUTBOX_FULL as a rejection
   */
  send(room: string | undefined, data: unknown, options: SendOptions = {}): Promise<unknown> {
    const id = this.nextId()
    return this.#submit(() => this.codec.send(room, data, id), {
      ...options,
      id,
      room,
      answered: this.#options.protocol.acknowledges,
      repeatable: true,
    })
  }

  call(
    type: string,
    payload: unknown,
    options: SendOptions & { readonly idempotent?: boolean } = {},
  ): Promise<unknown> {
    const id = this.nextId()
    const { call } = this.codec
    if (call === undefined)
      return Promise.reject(
        new TypeError('request() needs answers: give the envelope of your protocol a correlate'),
      )
    return this.#submit(() => call.call(this.codec, type, payload, id), {
      ...options,
      id,
      room: undefined,
      answered: true,
      repeatable: options.idempotent === true,
    })
  }

  flush(): void {
    this.#delivery.flush(this.identity)
  }

  /** Settles what is open: queued frames with `error`, sent ones as unknown. */
  end(error: Error, room?: string): void {
    this.#delivery.end(error, room)
  }

  #submit(
    encode: () => string | ArrayBuffer,
    order: Omit<Order, 'frame' | 'identity'>,
  ): Promise<unknown> {
    try {
      return this.#delivery.submit({ ...order, frame: encode(), identity: this.identity })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #changed(next: LinkState, previous: LinkState): void {
    if (isOpen(previous) && !isOpen(next)) {
      this.#delivery.interrupted(this.identity)
      this.#user = undefined
    }
    if (next.kind === 'failed' || next.kind === 'refused')
      this.end(errorOf(next.problem, this.link.where))
    if (next.kind === 'idle') this.end(new NotConnectedError('not sent: disconnected'))
    if (next.kind === 'connected' && previous.kind !== 'connected') this.#owner = this.identity
    this.#listener.changed(next, previous)
    if (next.kind === 'connected' && previous.kind !== 'connected') this.flush()
  }

  #incoming(message: Incoming): void {
    switch (message.kind) {
      case 'welcome':
        this.#user = message.user
        break
      case 'ok':
        if (this.#delivery.answer(message.id, undefined, message.data)) return
        break
      case 'error': {
        const { id, code } = message
        const error = new RequestFailedError(`the server answered: ${message.message}`, code)
        if (id !== undefined && this.#delivery.answer(id, error)) return
        break
      }
    }
    this.#listener.incoming(message)
  }
}

/** A connected link that came back: what was sent meanwhile is missing, unless the protocol resumes. */
export const isReconnect = (next: LinkState, previous: LinkState): boolean =>
  next.kind === 'connected' && previous.kind !== 'connected' && previous.memory.everConnected

/** Open, whether accepted or not: what was sent, or queued, was meant for this socket. */
const isOpen = (state: LinkState): boolean =>
  state.kind === 'connected' || (state.kind === 'connecting' && state.openedAt !== undefined)
