/** Where errors go: to listeners, and, where there are none, to a logger. */
import { isEndedByUser } from '../errors.ts'
import type { Emitter } from './emitter.ts'
import { Unheard, type Warner } from './unheard.ts'

export class Reports {
  readonly #channel: Pick<Emitter<{ error: unknown }>, 'emit' | 'listenerCount'>
  readonly #logger: Warner
  readonly #unheard = new Unheard()

  constructor(
    channel: Pick<Emitter<{ error: unknown }>, 'emit' | 'listenerCount'>,
    logger: Warner,
  ) {
    this.#channel = channel
    this.#logger = logger
  }

  /** @param isHeard somebody has heard it elsewhere */
  readonly report = (error: unknown, by = '', isHeard = false): void => {
    // Told to itself, a listener of errors that throws would throw for ever.
    const isNews = by !== "a listener of 'error'"
    if (isNews) this.#channel.emit('error', error)
    if (!isNews || (!isHeard && this.#channel.listenerCount('error') === 0))
      this.#unheard.tell(this.#logger, by, error)
  }
}

/** Ignoring the promise never raises `unhandledRejection`; its error is told, unless the user ended it himself. */
export const told = <Value>(
  promise: Promise<Value>,
  tell: (error: Error) => void,
  signal?: AbortSignal,
): Promise<Value> => {
  promise.catch((error) => {
    if (!signal?.aborted && !isEndedByUser(error)) tell(error)
  })
  return promise
}
