/** Typed events whose listeners cannot break each other. The only importer of eventemitter3. */
import { EventEmitter } from 'eventemitter3'

export interface ListenOptions {
  /** Unsubscribes when aborted. */
  readonly signal?: AbortSignal
}

type Listener<Payload> = (payload: Payload) => unknown

/**
 * eventemitter3 stops at a listener that throws and throws into whoever emits, so every listener is
 * wrapped once, when it is added: what it throws, or rejects with, goes to `report`.
 */
export class Emitter<Events extends object> {
  readonly #emitter = new EventEmitter()
  readonly #guarded = new Map<PropertyKey, Map<Listener<never>, (payload: never) => void>>()
  readonly #report: (error: unknown) => void

  constructor(report: (error: unknown) => void) {
    this.#report = report
  }

  on<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: ListenOptions,
  ): () => void {
    const off = () => this.off(name, listener)
    if (options?.signal?.aborted) return off
    if (!this.#of(name).has(listener)) {
      const guarded = this.#guard(listener)
      this.#of(name).set(listener, guarded)
      // Each name's listeners take that name's payload, which the map of names cannot say.
      this.#emitter.on(name, guarded as (payload: unknown) => void)
      options?.signal?.addEventListener('abort', off, { once: true })
    }
    return off
  }

  once<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
    options?: ListenOptions,
  ): () => void {
    const off = this.on(
      name,
      (payload) => {
        off()
        return listener(payload)
      },
      options,
    )
    return off
  }

  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): void {
    const guarded = this.#of(name).get(listener)
    if (guarded === undefined) return
    this.#of(name).delete(listener)
    this.#emitter.off(name, guarded as (payload: unknown) => void)
  }

  emit<Name extends keyof Events & string>(name: Name, payload: Events[Name]): void {
    this.#emitter.emit(name, payload)
  }

  listenerCount(name: keyof Events & string): number {
    return this.#emitter.listenerCount(name)
  }

  #of(name: PropertyKey): Map<Listener<never>, (payload: never) => void> {
    let listeners = this.#guarded.get(name)
    if (listeners === undefined) {
      listeners = new Map()
      this.#guarded.set(name, listeners)
    }
    return listeners
  }

  #guard<Payload>(listener: Listener<Payload>): (payload: Payload) => void {
    return (payload) => {
      try {
        const result = listener(payload)
        if (result instanceof Promise) result.catch(this.#report)
      } catch (error) {
        this.#report(error)
      }
    }
  }
}
