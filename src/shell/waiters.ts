/** Promises that wait for a state. Each is looked at after every change, and settled once. */

import { abortReason } from './abort.ts'

/** `undefined`: not yet. */
export type Outcome = { readonly done: true } | { readonly error: unknown } | undefined

/** A connection that stands is no answer to a join; one that failed is. */
export const failed = (outcome: Outcome): Outcome =>
  outcome && 'error' in outcome ? outcome : undefined

export class Waiters {
  /** By what they wait for. */
  readonly #open = new Map<unknown, Set<() => void>>()

  /** @param topic what `outcomeOf` looks at, where it is one of many: a change of it looks at nothing else */
  wait(outcomeOf: () => Outcome, signal?: AbortSignal, topic?: object): Promise<void> {
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        if (outcome === undefined) return
        this.#delete(topic, look)
        signal?.removeEventListener('abort', abort)
        if ('done' in outcome) resolve()
        else reject(outcome.error)
      }
      const look = () => settle(outcomeOf())
      const abort = () => signal && settle({ error: abortReason(signal) })
      signal?.addEventListener('abort', abort)
      const others = this.#open.get(topic)
      if (others) others.add(look)
      else this.#open.set(topic, new Set([look]))
      look()
    })
  }

  /** Everybody looks. */
  look(): void {
    for (const topic of [...this.#open.keys()]) this.lookAt(topic)
  }

  lookAt(topic: unknown): void {
    for (const look of [...(this.#open.get(topic) ?? [])]) look()
  }

  #delete(topic: unknown, look: () => void): void {
    const open = this.#open.get(topic)
    open?.delete(look)
    if (open?.size === 0) this.#open.delete(topic)
  }
}
