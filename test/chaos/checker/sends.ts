/** The sends of a run: what was promised for each, and whether it may have ended so. */
import type { Settled, Setup } from '../history.ts'
import type { Report } from './rules.ts'

export interface Send {
  readonly key: string
  readonly client: number
  readonly room: string
  readonly volatile: boolean
  /** Index, and ms. */
  readonly event: number
  readonly at: number
  /** Of the room, as the client was told then. */
  readonly epoch: string | undefined
  settled?: { readonly how: Settled; readonly event: number }
}

/** What had happened to a send's client and room when it was settled. */
export interface Circumstances {
  readonly epoch: string | undefined
  /** Indices of the last ones, -1 for never. */
  readonly leftAt: number
  readonly disconnectedAt: number
  readonly isConnected: boolean
}

export class Sends {
  readonly #setup: Setup
  readonly #report: Report
  readonly #sends = new Map<string, Send>()

  constructor(setup: Setup, report: Report) {
    this.#setup = setup
    this.#report = report
  }

  get(key: string): Send | undefined {
    return this.#sends.get(key)
  }

  all(): Iterable<Send> {
    return this.#sends.values()
  }

  sending(send: Send): void {
    this.#sends.set(send.key, send)
  }

  settled(
    key: string,
    how: Settled,
    code: string | undefined,
    now: Circumstances & { readonly event: number; readonly at: number },
  ): void {
    const send = this.#sends.get(key)
    const { event } = now
    if (send === undefined || send.settled !== undefined) {
      this.#report('settled-twice', event, `${key}: ${how} after ${send?.settled?.how}`)
      return
    }
    send.settled = { how, event }
    const interrupted =
      now.leftAt > send.event ||
      (send.volatile && (!now.isConnected || now.disconnectedAt > send.event))
    const isOver = now.epoch !== send.epoch || now.at - send.at >= this.#setup.resumeWindowMs * 0.9
    if (how === 'unknown' && !interrupted && !isOver)
      this.#report('unknown-unexplained', event, `${key}: ${code}`)
    if (how === 'unsent' && !interrupted)
      this.#report('unsent-unexplained', event, `${key}: ${code}`)
    if (how === 'refused' && !this.#setup.refusals.includes(code ?? ''))
      this.#report('refusal-unexplained', event, `${key}: ${code}`)
  }

  /** @param isDelivered to anybody, ever */
  end(isDelivered: (key: string) => boolean, event: number): void {
    for (const { key, settled } of this.#sends.values()) {
      if (settled === undefined) this.#report('never-settled', event, key)
      else if (settled.how === 'refused' && isDelivered(key))
        this.#report('refused-delivered', settled.event, key)
      else if (settled.how === 'unsent' && isDelivered(key))
        this.#report('unsent-delivered', settled.event, key)
    }
  }
}
