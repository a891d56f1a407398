/** Typed events whose listeners cannot break each other. The only importer of eventemitter3. */
import { EventEmitter } from 'eventemitter3'

export interface ListenOptions {
  /** Unsubscribes when aborted. */
  readonly signal?: AbortSignal
}

type Listener<Payload> = (payload: Payload) => unknown

/** An emitter, as its subscriptions see it. */
interface Owner {
  subscribed(subscription: Subscription): void
  unsubscribed(subscription: Subscription): void
  report(error: unknown, by: string): void
}

/** One listener of one event. There may be one in each of ten thousand rooms, so it has no closures. */
class Subscription {
  readonly name: string
  // Given back only to its own event: `Emitter` is typed by them.
  readonly listener: Listener<never>
  readonly #owner: Owner
  readonly #times: 'once' | 'always'
  readonly #signal: AbortSignal | undefined
  #isOn = true

  constructor(
    owner: Owner,
    name: string,
    listener: Listener<never>,
    times: 'once' | 'always',
    signal: AbortSignal | undefined,
  ) {
    this.#owner = owner
    this.name = name
    this.listener = listener
    this.#times = times
    this.#signal = signal
    owner.subscribed(this)
    signal?.addEventListener('abort', this)
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.off()
  }

  off(): void {
    if (!this.#isOn) return
    this.#isOn = false
    this.#owner.unsubscribed(this)
    this.#signal?.removeEventListener('abort', this)
  }

  call(payload: never): void {
    if (!this.#isOn) return
    if (this.#times === 'once') this.off()
    try {
      const result = this.listener(payload)
      // Not only promises of this realm.
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.#report(error))
    } catch (error) {
      this.#report(error)
    }
  }

  #report(error: unknown): void {
    this.#owner.report(error, `a listener of '${this.name}'`)
  }
}

/** eventemitter3 calls it with the subscription as its context. */
function deliver(this: Subscription, payload: never): void {
  this.call(payload)
}

/**
 * eventemitter3 stops at a listener that throws and throws into whoever emits, so every listener is called
 * with care: what it throws, or rejects with, goes to `report`. As in the DOM, adding a listener again does
 * nothing, and one that was taken off is not called any more, by nobody.
 */
export class Emitter<Events extends object> implements Owner {
  readonly #emitter = new EventEmitter<{ [name: string]: [payload: never] }>()
  #subscriptions: readonly Subscription[] = []
  readonly #names: readonly string[]
  readonly #report: (error: unknown, by: string) => void

  /** @param report hears what a listener throws, and which */
  constructor(names: readonly string[], report: (error: unknown, by: string) => void) {
    this.#names = names
    this.#report = report
  }

  on<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: ListenOptions,
  ): () => void {
    return this.#add(name, listener, 'always', options)
  }

  once<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: ListenOptions,
  ): () => void {
    return this.#add(name, listener, 'once', options)
  }

  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): void {
    this.#find(name, listener)?.off()
  }

  emit<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void {
    // Names and payloads belong together: `Events` says so.
    this.#emitter.emit(name, payload as never)
  }

  subscribed(subscription: Subscription): void {
    this.#subscriptions = [...this.#subscriptions, subscription]
    this.#emitter.on(subscription.name, deliver, subscription)
  }

  unsubscribed(subscription: Subscription): void {
    this.#subscriptions = this.#subscriptions.filter((each) => each !== subscription)
    this.#emitter.off(subscription.name, deliver, subscription)
  }

  report(error: unknown, by: string): void {
    this.#report(error, by)
  }

  listenerCount(name: keyof Events & string): number {
    return this.#emitter.listenerCount(name)
  }

  #find(name: string, listener: Listener<never>): Subscription | undefined {
    if (!this.#names.includes(name))
      throw new TypeError(`no event '${name}': there are ${this.#names.join(', ')}`)
    return this.#subscriptions.find((each) => each.name === name && each.listener === listener)
  }

  #add(
    name: string,
    listener: Listener<never>,
    times: 'once' | 'always',
    { signal }: ListenOptions = {},
  ): () => void {
    if (typeof listener !== 'function') throw new TypeError(`${name}: give a listener, a function`)
    if (signal?.aborted) return () => {}
    const subscription =
      this.#find(name, listener) ?? new Subscription(this, name, listener, times, signal)
    return () => subscription.off()
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
