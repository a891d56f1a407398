/** The sends of a run: what was promised for each, and whether it may have ended so. */
import type { Recorded, Settled, Setup } from '../history.ts'
import type { Place } from './ledger.ts'
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
  settled?: { readonly how: Settled; readonly event: number; readonly seq: number | undefined }
}

/** What had happened to a send's client and room when it was settled. */
export interface Circumstances {
  readonly epoch: string | undefined
  /** Indices of the last ones, -1 for never. */
  readonly leftAt: number
  readonly cutAt: number
  readonly isConnected: boolean
  /** The epoch under which it was sent, whoever was told. */
  readonly hasEnded: boolean
}

/** A client need not repeat up to the last moment: the repetition takes its time to the server. */
const REPEATED_SHARE = 0.7

/** What the server puts off, or meant for the next socket: others are sent again, volatile ones never. */
const COMES_AGAIN = ['rate-limited', 'unavailable', 'superseded']

export class Sends {
  readonly #setup: Setup
  readonly #report: Report
  readonly #sends = new Map<string, Send>()
  /** Those of one client in one room, oldest first. Volatile sends do not wait in line. */
  readonly #lines = new Map<string, Set<Send>>()

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
    if (!send.volatile) this.#lineOf(send).add(send)
  }

  settled(
    { key, how, code, seq, at }: Extract<Recorded, { kind: 'settled' }>,
    event: number,
    now: Circumstances,
  ): void {
    const send = this.#sends.get(key)
    if (send === undefined || send.settled !== undefined) {
      this.#report('settled-twice', event, `${key}: ${how} after ${send?.settled?.how}`)
      return
    }
    send.settled = { how, event, seq }
    this.#checkLine(send, event)
    const hasLeft = now.leftAt > send.event
    const wasLost = send.volatile && (!now.isConnected || now.cutAt > send.event)
    const isOver =
      now.epoch !== send.epoch || at - send.at >= this.#setup.resumeWindowMs * REPEATED_SHARE
    // The server may say so before it tells the members. Of a repetition it cannot know more.
    const isStale = code === 'stale-epoch' && now.hasEnded
    if (how === 'unknown' && !hasLeft && !wasLost && !isOver && !isStale)
      this.#report('unknown-unexplained', event, `${key}: ${code}`)
    // A volatile one waits for nothing, not even for others.
    if (how === 'unsent' && !hasLeft && !send.volatile)
      this.#report('unsent-unexplained', event, `${key}: ${code}`)
    const isLater = send.volatile && COMES_AGAIN.includes(code ?? '')
    if (how === 'refused' && !isStale && !isLater && !this.#setup.refusals.includes(code ?? ''))
      this.#report('refusal-unexplained', event, `${key}: ${code}`)
  }

  /** What was sent first is answered first, also on the next socket. */
  #checkLine(send: Send, event: number): void {
    const line = this.#lineOf(send)
    const [first] = line
    line.delete(send)
    if (send.settled?.how === 'acknowledged' && !send.volatile && first !== send)
      this.#report('answered-before', event, `${send.key} before ${first?.key}`)
  }

  #lineOf({ client, room }: Send): Set<Send> {
    const name = `${client} ${room}`
    const line = this.#lines.get(name) ?? new Set()
    this.#lines.set(name, line)
    return line
  }

  /** @param placeOf where a message stands, when anybody got it */
  end(placeOf: (key: string) => Place | undefined, event: number): void {
    for (const { key, settled } of this.#sends.values()) {
      const place = placeOf(key)
      if (settled === undefined) this.#report('never-settled', event, key)
      else if (place === undefined) continue
      else if (settled.how === 'refused') this.#report('refused-delivered', settled.event, key)
      else if (settled.how === 'unsent') this.#report('unsent-delivered', settled.event, key)
      else if ((settled.seq ?? place.seq) !== place.seq)
        this.#report('disagreement', settled.event, `${key} is ${place.seq} and ${settled.seq}`)
    }
  }
}
