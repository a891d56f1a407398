/** Promises that wait for a state. Each is looked at after every change, and settled once. */

import { abortReason } from './abort.ts'

/** `undefined`: not yet. */
export type Outcome = { readonly done: true } | { readonly error: unknown } | undefined

/** A connection that stands is no answer to a join; one that failed is. */
export const failed = (outcome: Outcome): Outcome =>
  outcome && 'error' in outcome ? outcome : undefined

export const throwFailure = (outcome: Outcome): void => {
  if (outcome && 'error' in outcome) throw outcome.error
}

export class Waiters {
  readonly #open = new Set<() => void>()

  wait(outcomeOf: () => Outcome, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    return new Promise((resolve, reject) => {
      const settle = (outcome: Outcome) => {
        if (outcome === undefined) return
        this.#open.delete(look)
        signal?.removeEventListener('abort', abort)
        if ('done' in outcome) resolve()
        else reject(outcome.error)
      }
      const look = () => settle(outcomeOf())
      const abort = () => signal && settle({ error: abortReason(signal) })
      signal?.addEventListener('abort', abort)
      this.#open.add(look)
      look()
    })
  }

  look(): void {
    for (const look of [...this.#open]) look()
  }
}
