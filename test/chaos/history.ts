/** What happened in a run: one list, in the order in which this process saw it. Data only. */
import type { Fault } from './faults.ts'

/** How a `send()` was settled. `unsent`: the SDK says that it never left. */
export type Settled = 'acknowledged' | 'refused' | 'unknown' | 'unsent'

export type HistoryEvent =
  /** `join()` was called on a room that was not joined: a membership begins. */
  | { readonly kind: 'joining'; readonly client: number; readonly room: string }
  /** That `join()` resolved. */
  | { readonly kind: 'joined'; readonly client: number; readonly room: string }
  | {
      readonly kind: 'refused'
      readonly client: number
      readonly room: string
      readonly code: string
    }
  | { readonly kind: 'left'; readonly client: number; readonly room: string }
  /** A `joined` frame reached the socket of this client: read from the wire, not from the SDK. */
  | {
      readonly kind: 'told'
      readonly client: number
      /** Which of its sockets, by their dials: while a token is renewed there are two. */
      readonly socket: number
      readonly room: string
      readonly epoch: string
      readonly seq: number
      readonly recovered: boolean
      /** So many messages came with it: the last one has `seq`. */
      readonly missed: number
    }
  | {
      readonly kind: 'sending'
      readonly client: number
      readonly room: string
      /** Unique in the run. */
      readonly key: string
      readonly volatile: boolean
    }
  | {
      readonly kind: 'settled'
      readonly key: string
      readonly how: Settled
      /** What the server said of it, where it said no; else the error. */
      readonly code?: string
      /** Of the receipt. */
      readonly seq?: number
    }
  | {
      readonly kind: 'delivered'
      readonly client: number
      readonly room: string
      readonly key: string
      /** The data is what `sending` of this key sent. */
      readonly intact: boolean
      readonly id: string
      readonly seq: number
      readonly sender: string
      readonly own: boolean
    }
  | {
      readonly kind: 'gap'
      readonly client: number
      readonly room: string
      readonly reason: string
      readonly missed?: number
    }
  | { readonly kind: 'connected'; readonly client: number }
  | { readonly kind: 'disconnected'; readonly client: number }
  /** A socket of this client ended. Where another one goes on in its place, nobody is disconnected. */
  | { readonly kind: 'cut'; readonly client: number; readonly socket: number }
  /** Everything that `error` events say. */
  | { readonly kind: 'error'; readonly client: number; readonly text: string }
  | { readonly kind: 'fault'; readonly client?: number; readonly fault: Fault }
  /** What the server answered to sends that reached it when a later connection had replaced theirs. */
  | {
      readonly kind: 'late'
      readonly client: number
      readonly stored: number
      readonly superseded: number
    }
  /** What the server stores rooms in is about to lose its memory. */
  | { readonly kind: 'epoch-ended' }
  /** All faults are over, everybody is connected, and had time to receive and to settle. */
  | { readonly kind: 'quiet' }

export type Recorded = HistoryEvent & {
  /** Since the run began, in ms. */
  readonly at: number
}

export interface Setup {
  /** By client. */
  readonly users: readonly string[]
  /** The server's. */
  readonly resumeWindowMs: number
  /** Rooms that nobody may enter. */
  readonly forbidden: readonly string[]
  /** Codes with which a server may refuse a good send, such as `unavailable`. */
  readonly refusals: readonly string[]
}

export interface History {
  readonly setup: Setup
  readonly events: readonly Recorded[]
}

/** Writes it down. */
export class Recorder {
  readonly events: Recorded[] = []
  readonly #startedAt = performance.now()

  record(event: HistoryEvent): void {
    this.events.push({ ...event, at: Math.round(performance.now() - this.#startedAt) })
  }
}

/** JSON lines: the setup, then one event a line. */
export const linesOf = ({ setup, events }: History): string =>
  [setup, ...events].map((line) => `${JSON.stringify(line)}\n`).join('')
