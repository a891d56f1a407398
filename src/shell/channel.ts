/** Where messages reach the user: listeners, iterators, and the moment before there are any. */
import { Emitter, type ListenOptions } from './emitter.ts'
import { Inbox } from './inbox.ts'
import { MessageStream } from './stream.ts'

/** Messages may be missing here, and why. */
export interface Gap {
  /**
   * - `no-recovery`: the connection came back, and this protocol cannot resume.
   * - `overflow`: nobody took the messages in time.
   * - `window`: the connection was away for longer than the server keeps messages.
   * - `epoch`: the server has lost its numbering, and may have lost messages with it.
   * - `hole`: the server left a number out.
   */
  readonly reason: 'no-recovery' | 'overflow' | 'window' | 'epoch' | 'hole'
  /** How many, where that is known. */
  readonly missed?: number
}

export class Channel<
  Message,
  Events extends { message: Message; gap: Gap },
> extends Emitter<Events> {
  /** While messages wait for their first listener. */
  #inbox: Inbox<Message> | undefined
  #streams: Set<MessageStream<Message>> | undefined

  override on<Name extends keyof Events & string>(
    name: Name,
    listener: (payload: Events[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    const off = super.on(name, listener, options)
    if (name === 'message') this.#inbox?.taken()
    return off
  }

  override once<Name extends keyof Events & string>(
    name: Name,
    listener: (payload: Events[Name]) => unknown,
    options?: ListenOptions,
  ): () => void {
    const off = super.once(name, listener, options)
    if (name === 'message') this.#inbox?.taken()
    return off
  }

  /** The hot path. */
  push(message: Message): void {
    if (this.#inbox === undefined) this.#deliver(message)
    else this.#inbox.push(message)
  }

  hold(): void {
    if (this.#streams !== undefined || this.listenerCount('message') > 0) return
    this.#inbox ??= new Inbox({
      deliver: (message) => this.#deliver(message),
      overflow: () => this.emit('gap', { reason: 'overflow' }),
      released: () => {
        this.#inbox = undefined
      },
    })
    this.#inbox.hold()
  }

  /** The promise that the user awaited is about to resolve. */
  expire(): void {
    this.#inbox?.expire()
  }

  /** @param login under which it is made */
  stream(login: number): MessageStream<Message> {
    const stream: MessageStream<Message> = new MessageStream(login, {
      overflow: () => this.emit('gap', { reason: 'overflow' }),
      closed: () => this.#closed(stream),
    })
    this.#streams ??= new Set()
    this.#streams.add(stream)
    this.#inbox?.taken()
    return stream
  }

  endStreams(error?: unknown): void {
    this.#inbox?.release()
    for (const stream of [...(this.#streams ?? [])]) stream.end(error)
  }

  #closed(stream: MessageStream<Message>): void {
    this.#streams?.delete(stream)
    if (this.#streams?.size === 0) this.#streams = undefined
  }

  /** What was not read yet is read by nobody. */
  drop(): void {
    this.#inbox?.drop()
  }

  /** What came before that login was somebody else's, and so was who read it. */
  forget(since: number): void {
    this.drop()
    for (const stream of [...(this.#streams ?? [])]) if (stream.login < since) stream.return()
  }

  #deliver(message: Message): void {
    this.emit('message', message)
    if (this.#streams) for (const stream of this.#streams) stream.push(message)
  }
}
