/** A frame on its way: what is known of it, and what its sender may expect. */
import type { Identity } from '../core/identity.ts'
import type { OutboxBounds } from '../core/outbox.ts'
import { utf8Size } from '../core/utf8.ts'
import type { HistoryRequest } from '../protocols/protocol.ts'
import { abortReason } from '../shell/abort.ts'

export interface SendOptions {
  /** Gives up: the promise rejects with its reason. */
  readonly signal?: AbortSignal
  /**
   * Gives up after so long, in ms. Default: what is queued waits; what was sent has `requestTimeoutMs`, or as
   * long as the server knows repetitions, whichever is longer.
   */
  readonly timeoutMs?: number
}

export interface MessageOptions extends SendOptions {
  /**
   * Worth something only now: not queued without a connection, and not sent again when it is lost. Default
   * `false`.
   */
  readonly volatile?: boolean
}

/** What the server said of a message that it took. Empty where its protocol has no acknowledgements. */
export interface Receipt {
  /** As in `meta.id` of the message, for everybody who gets it. */
  readonly id?: string
  readonly seq?: number
}

export interface HistoryOptions extends SendOptions, Omit<HistoryRequest, 'limit'> {
  /** At most so many; the server has a limit of its own. Default 50. */
  readonly limit?: number
}

export interface CallOptions extends SendOptions {
  /** Sent again when the connection is lost before the answer. Default `false`. */
  readonly idempotent?: boolean
}

/**
 * What becomes of a frame whose socket is lost before the answer. `remembered`: sent again as long as the
 * server knows it by its id. `volatile`: not even queued. `socket`: for this one alone, so not kept in a queue either.
 */
export type Repetition = 'never' | 'always' | 'remembered' | 'volatile' | 'socket'

export interface Order {
  readonly id: number
  readonly frame: string | ArrayBuffer
  readonly room?: string | undefined
  /** Whose frame it is: nobody else sends it. */
  readonly identity: Identity
  /** The server answers it under its id. Otherwise it is done when it was handed over. */
  readonly answered: boolean
  readonly repetition: Repetition
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

/** Tagged: an error may be any value that somebody aborts with. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown }

export interface Entry extends Order {
  identity: Identity
  readonly bytes: number
  /** When, and under which counting of its room, it was written for the first time. */
  first: { readonly at: number; readonly epoch: string | undefined } | undefined
  writes: number
  /** Epoch ms; `Infinity` for never. */
  readonly deadline: number
  answerBy: number
  settle: (outcome: Outcome) => void
}

/** What the server said about itself. */
export interface Terms {
  /** Unanswered frames at a time. */
  readonly inFlight: number
  readonly frameBytes: number
  /** For so long it knows a repeated send, in ms. */
  readonly rememberMs: number
}

export interface DeliveryPort {
  readonly bounds: OutboxBounds
  readonly answerMs: number
  readonly terms: Terms
  readonly identity: Identity
  /** What the socket holds that the server has not taken, in bytes; 0 where the runtime does not tell. */
  readonly buffered: number
  /** Can this frame leave now? */
  isReady(order: Order): boolean
  /** Names the counting of the room's messages, where the server tells one. */
  epochOf(room: string | undefined): string | undefined
  /** As it goes out, for the first time or again. @returns what makes that impossible, if anything does */
  complete(frame: string | ArrayBuffer, epoch: string | undefined): string | ArrayBuffer | Error
  /** @returns whether an open socket took it */
  write(frame: string | ArrayBuffer): boolean
}

export const unwritten = () => ({ first: undefined, writes: 0, answerBy: Number.POSITIVE_INFINITY })

/** What is kept of an order, and the promise of what becomes of it. Who aborts it is told to `giveUp`. */
export const enter = (
  order: Order,
  bytes: number,
  giveUp: (outcome: Outcome) => void,
): { readonly entry: Entry; readonly promise: Promise<unknown> } => {
  const { signal, timeoutMs = Number.POSITIVE_INFINITY } = order
  let settle = (_: Outcome): void => {}
  const promise = new Promise((resolve, reject) => {
    const abort = () => signal && giveUp({ error: abortReason(signal) })
    settle = (outcome) => {
      signal?.removeEventListener('abort', abort)
      if ('error' in outcome) reject(outcome.error)
      else resolve(outcome.value)
    }
    signal?.addEventListener('abort', abort)
  })
  const entry = { ...order, ...unwritten(), bytes, deadline: Date.now() + timeoutMs, settle }
  return { entry, promise }
}

export const dueAt = ({ deadline, answerBy }: Entry): number => Math.min(deadline, answerBy)

export const sizeOf = (frame: string | ArrayBuffer): number =>
  typeof frame === 'string' ? utf8Size(frame) : frame.byteLength

/** UTF-8 takes at most three bytes for a unit of a string, so short ones need no count. */
export const isOver = (limit: number, frame: string | ArrayBuffer): boolean =>
  (typeof frame === 'string' ? frame.length * 3 : frame.byteLength) > limit && sizeOf(frame) > limit
