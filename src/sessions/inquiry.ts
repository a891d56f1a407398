/** What a session knows of a host that lets its sockets down. */
import type { EventOf } from '../core/link-state.ts'

export type HostAnswer = EventOf<'probed'>['probe']

export class Inquiry<Answer> {
  #askedAt = -Infinity
  #about: string | undefined
  #answer: Answer | undefined
  #asking: AbortController | undefined

  /**
   * Asked for all sockets at once, and seldom: an outage must not cost a second connection for each dial.
   *
   * @param about a host, or a credential
   * @param since when attempts began to fail in silence, epoch ms: what was learned later stays known
   * @param everyMs no sooner is it asked again
   * @param isWorth does something follow from an answer?
   * @returns `undefined` where nothing is known, and nobody asks
   */
  ask(
    about: string,
    [since, now]: readonly [number, number],
    everyMs: number,
    isWorth: () => boolean,
    start: (signal: AbortSignal) => Answer,
  ): Answer | undefined {
    const isFresh = Math.abs(now - this.#askedAt) < everyMs
    if (!isFresh && isWorth()) {
      this.forget()
      this.#asking = new AbortController()
      this.#askedAt = now
      this.#about = about
      this.#answer = start(this.#asking.signal)
    }
    return this.#about === about && (isFresh || this.#askedAt >= since) ? this.#answer : undefined
  }

  /** A no was heard: it counts once, and whether the next dial gets another is asked at once. */
  heard(): void {
    this.forget()
    this.#askedAt = -Infinity
  }

  /** Nobody waits for it any more. */
  forget(): void {
    this.#asking?.abort()
    this.#about = undefined
  }
}
