/** Typed events whose listeners cannot break each other. The only importer of eventemitter3. */
import { EventEmitter } from 'eventemitter3'

export interface ListenOptions {
  /** Unsubscribes when aborted. */
  readonly signal?: AbortSignal
}

type Listener<Payload> = (payload: Payload) => unknown

/**
 * eventemitter3 stops at a listener that throws and throws into whoever emits, so every listener is
 * wrapped once, when it is added: what it throws, or rejects with, goes to `report`. As in the DOM, adding
 * a listener again does nothing, and one that was taken off is not called any more, by nobody.
 */
export class Emitter<Events extends object> {
  readonly #emitter = new EventEmitter()
  readonly #offs = new Map<string, Map<unknown, () => void>>()
  readonly #report: (error: unknown) => void

  constructor(report: (error: unknown) => void) {
    this.#report = report
  }

  on<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: ListenOptions,
  ): () => void {
    return this.#add(name, listener, options, false)
  }

  once<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: ListenOptions,
  ): () => void {
    return this.#add(name, listener, options, true)
  }

  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): void {
    this.#of(name).get(listener)?.()
  }

  emit<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void {
    this.#emitter.emit(name, payload)
  }

  listenerCount(name: keyof Events & string): number {
    return this.#emitter.listenerCount(name)
  }

  #of(name: string): Map<unknown, () => void> {
    let offs = this.#offs.get(name)
    if (offs === undefined) {
      offs = new Map()
      this.#offs.set(name, offs)
    }
    return offs
  }

  #add<Payload>(
    name: string,
    listener: Listener<Payload>,
    { signal }: ListenOptions = {},
    isOnce: boolean,
  ): () => void {
    if (typeof listener !== 'function') throw new TypeError(`${name}: give a listener, a function`)
    const offs = this.#of(name)
    const known = offs.get(listener)
    if (known) return known
    let isOn = !signal?.aborted
    const off = () => {
      if (!isOn) return
      isOn = false
      offs.delete(listener)
      this.#emitter.off(name, guarded)
      signal?.removeEventListener('abort', off)
    }
    // What an `error` listener throws has nowhere to go: told to itself, it would throw for ever.
    const report = (error: unknown) => {
      if (name !== 'error') this.#report(error)
    }
    const guarded = (payload: Payload) => {
      if (!isOn) return
      if (isOnce) off()
      try {
        const result = listener(payload)
        // Not only promises of this realm.
        if (isThenable(result)) result.then(undefined, report)
      } catch (error) {
        report(error)
      }
    }
    if (isOn) {
      offs.set(listener, off)
      this.#emitter.on(name, guarded)
      signal?.addEventListener('abort', off)
    }
    return off
  }
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
