/** What came on one connection and was not taken, and who waits for what. */

import { isObject } from '../core/check.ts'
import type { Reading, ServerFrame, ServerType } from './frames.ts'
import { CheckFailure, show } from './judging.ts'

/** Which frame is meant; all that is given must fit. */
export interface Wanted<Type extends ServerType = ServerType> {
  readonly type?: Type
  /** A frame that answers this request. */
  readonly id?: number
  readonly room?: string
  /** An error without id will do as well: the server may not have read the one of the request. */
  readonly orNameless?: true
}

/** What came and is not as it has to be. */
interface Spoiled {
  readonly type: unknown
  readonly id: unknown
  readonly problem: string
}

interface Waiter {
  readonly wanted: Wanted
  /** With a problem where the frame came and is not what it has to be. */
  end(result: ServerFrame | Pick<Spoiled, 'problem'>): void
}

export class Inbox {
  readonly #timeoutMs: number
  readonly #frames: ServerFrame[] = []
  readonly #spoiled: Spoiled[] = []
  readonly #waiters = new Set<Waiter>()
  #closed: string | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Takes what has come already. */
  here(wanted: Wanted): ServerFrame | undefined {
    const index = this.#frames.findIndex((frame) => isWanted(frame, wanted))
    return index < 0 ? undefined : this.#frames.splice(index, 1)[0]
  }

  /** Looks, and leaves it. */
  has(wanted: Wanted): ServerFrame | undefined {
    return this.#frames.find((frame) => isWanted(frame, wanted))
  }

  /**
   * The first that fits of those that came, or the next one.
   *
   * @throws {CheckFailure} when it does not come, or is not as it has to be
   */
  take(wanted: Wanted, what: string, timeoutMs = this.#timeoutMs): Promise<ServerFrame> {
    const here = this.here(wanted)
    return here ? Promise.resolve(here) : this.#wait(wanted, what, timeoutMs)
  }

  deliver(frame: ServerFrame): void {
    const waiter = [...this.#waiters].find(({ wanted }) => isWanted(frame, wanted))
    if (waiter) waiter.end(frame)
    else this.#frames.push(frame)
  }

  /** What cannot be read never arrives, so whoever waits for it learns at once why. */
  spoil(reading: Reading): void {
    if (reading.kind !== 'wrong' || !isObject(reading.frame)) return
    const { type, id } = reading.frame
    const spoiled = { type, id, problem: reading.problem }
    const waiter = [...this.#waiters].find(({ wanted }) => isMeant(spoiled, wanted))
    if (waiter) waiter.end(spoiled)
    else this.#spoiled.push(spoiled)
  }

  close(code: number): void {
    this.#closed = `the server closed with ${code} instead`
    for (const waiter of this.#waiters) waiter.end({ problem: this.#closed })
  }

  #wait(wanted: Wanted, what: string, timeoutMs: number): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        wanted,
        end: (result) => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          if ('problem' in result) reject(new CheckFailure(`no ${what} came: ${result.problem}`))
          else resolve(result)
        },
      }
      const nothing = (): void => waiter.end({ problem: this.#nothing(timeoutMs) })
      const timer = setTimeout(nothing, timeoutMs)
      const spoiled = this.#spoiled.findIndex((each) => isMeant(each, wanted))
      const [before] = spoiled < 0 ? [] : this.#spoiled.splice(spoiled, 1)
      if (before) waiter.end(before)
      else if (this.#closed === undefined) this.#waiters.add(waiter)
      else waiter.end({ problem: this.#closed })
    })
  }

  /** With what came and was not taken, for the one who waited in vain. */
  #nothing(timeoutMs: number): string {
    const last = this.#frames.slice(-2).map(show)
    const instead = last.length === 0 ? '' : `, but ${last.join(' and ')}`
    return `nothing within ${timeoutMs} ms${instead}`
  }
}

const isWanted = (frame: ServerFrame, wanted: Wanted): boolean => {
  const { type, id, room } = wanted
  if (wanted.orNameless && frame.type === 'error' && frame.id === undefined) return true
  return (
    (type === undefined || frame.type === type) &&
    (id === undefined || ('id' in frame && frame.id === id)) &&
    (room === undefined || ('room' in frame && frame.room === room))
  )
}

const isMeant = (spoiled: Spoiled, wanted: Wanted): boolean =>
  wanted.id === undefined ? wanted.type === spoiled.type : wanted.id === spoiled.id
