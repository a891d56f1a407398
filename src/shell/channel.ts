/** Where messages reach the user: listeners, iterators, and the moment before there are any. */
import { Emitter, type ListenOptions } from './emitter.ts'
import { Inbox } from './inbox.ts'
import { MessageStream } from './stream.ts'

/** Messages may be missing here, and why. */
export interface Gap {
  /**
   * `no-recovery`: the connection came back, and this protocol cannot resume. `overflow`: nobody took the
   * messages in time.
   */
  readonly reason: 'no-recovery' | 'overflow'
}

export class Channel<Message, Events extends { message: Message; gap: Gap }> {
  readonly #emitter: Emitter<Events>
  readonly #inbox: Inbox<Message>
  readonly #streams = new Set<MessageStream<Message>>()

  constructor(report: (error: unknown) => void) {
    this.#emitter = new Emitter(report)
    this.#inbox = new Inbox(
      (message) => this.#deliver(message),
      () => this.emit('gap', { reason: 'overflow' }),
    )
  }

  on<Name extends keyof Events & string>(
    name: Name,
    listener: (payload: Events[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    const off = this.#emitter.on(name, listener, options)
    if (name === 'message') this.#inbox.taken()
    return off
  }

  once<Name extends keyof Events & string>(
    name: Name,
    listener: (payload: Events[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    const off = this.#emitter.once(name, listener, options)
    if (name === 'message') this.#inbox.taken()
    return off
  }

  off<Name extends keyof Events & string>(
    name: Name,
    listener: (payload: Events[Name]) => unknown,
  ): void {
    this.#emitter.off(name, listener)
  }

  emit<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void {
    this.#emitter.emit(name, payload)
  }

  push(message: Message): void {
    this.#inbox.push(message)
  }

  hold(): void {
    if (this.#streams.size === 0 && this.#emitter.listenerCount('message') === 0) this.#inbox.hold()
  }

  /** The promise that the user awaited is about to resolve. */
  expire(): void {
    this.#inbox.expire()
  }

  stream(): MessageStream<Message> {
    const stream: MessageStream<Message> = new MessageStream({
      overflow: () => this.emit('gap', { reason: 'overflow' }),
      closed: () => this.#streams.delete(stream),
    })
    this.#streams.add(stream)
    this.#inbox.taken()
    return stream
  }

  endStreams(error?: unknown): void {
    this.#inbox.release()
    for (const stream of [...this.#streams]) stream.end(error)
  }

  /** What was not read yet is read by nobody: it was somebody else's. */
  forget(): void {
    this.#inbox.drop()
    for (const stream of [...this.#streams]) stream.return()
  }

  #deliver(message: Message): void {
    this.#emitter.emit('message', message)
    for (const stream of this.#streams) stream.push(message)
  }
}
