/** Hands out the handshake of each dial. A token that is good for one dial is asked for anew. */
import type { AuthedSocketOptions } from '../options.ts'
import { type Captured, capture } from './capture.ts'

export class Supply {
  readonly #socket: AuthedSocketOptions
  readonly #room: string | undefined
  readonly #signal: AbortSignal | undefined
  readonly #all: Captured[]
  #latest: Captured
  /** Known once the source was asked twice. */
  #isPerDial: boolean | undefined

  constructor(
    first: Captured,
    socket: AuthedSocketOptions,
    room: string | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#all = [first]
    this.#latest = first
    this.#socket = socket
    this.#room = room
    this.#signal = signal
  }

  /** All that were handed out: a report may hold none of their tokens. */
  get all(): readonly Captured[] {
    return this.#all
  }

  /** For every dial but the first. */
  async next(): Promise<Captured> {
    if (this.#isPerDial === false) return this.#latest
    const found = await capture(this.#socket, this.#room, this.#signal)
    // Where the source has nothing more to give, what it gave is tried on.
    if (found.kind === 'failed') return this.#latest
    this.#isPerDial = found.captured.token !== this.#latest.token
    if (this.#isPerDial) {
      this.#latest = found.captured
      this.#all.push(found.captured)
    }
    return this.#latest
  }
}
