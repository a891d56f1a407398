import { check, duration, func, object, type Rule } from '../core/check.ts'
import type { Verdict } from '../core/verdict.ts'

/** What a server's frame answers, as read by {@link Correlate.answer}. */
export interface CorrelatedAnswer {
  /** The `id` that `request` was given. */
  readonly id: number
  readonly ok: boolean
  /** What `request()` resolves to, when `ok`. */
  readonly data?: unknown
  /** The server's own code, when not `ok`. Default `'error'`. */
  readonly code?: string
  /** The server's own text, when not `ok`. Default `''`. */
  readonly message?: string
}

/** How a server of your own answers calls. Given, `socket.request()` works. */
export interface Correlate {
  /** The frame to send for a call; it is encoded, and must become text. */
  request(type: string, payload: unknown, id: number): unknown
  /** The answer that a frame is, or `undefined` for all other frames. */
  answer(frame: unknown): CorrelatedAnswer | undefined
}

/** Frames that keep an idle connection alive. Only for servers that know them: others may close. */
export interface EnvelopeHeartbeat {
  /** Encoded once; must become text. */
  readonly frame: unknown
  /** Sent after so long without a frame from the server, and again as long as none comes, in ms, 1 to 2^31-1. */
  readonly everyMs: number
  /**
   * The connection is dead when nothing arrives within this time after it, in ms, 1 to 2^31-1; where answers of this
   * connection took longer than a fifth of it, within five times the slowest, up to a minute. Leave it out for a server
   * that does not answer: then it keeps the connection open, and finds no dead one.
   */
  readonly timeoutMs?: number
  /** `true` for the server's answer, which is then not delivered as a message. Default: none is. */
  answer?(frame: unknown): boolean
}

/**
 * How one message is written and read, as data. All fields may be left out. `frame` is what `decode` gave,
 * or the `ArrayBuffer` of a binary frame, so check its shape: a function that throws makes the frame
 * unreadable, which is an `error` event.
 */
export interface Envelope {
  /**
   * Default JSON, for strings too: `send('hi')` puts `"hi"` on the wire, with its quotes. For servers that
   * read bare text give `encode: String`. Default for `ArrayBuffer`, `SharedArrayBuffer` and views: a binary frame.
   *
   * @throws whatever `send()` is to reject with
   */
  encode?(data: unknown): string | ArrayBuffer
  /** Text frames only; binary ones are given as they are. Default JSON, and the bare text where it is none. */
  decode?(text: string): unknown
  /** For servers that say "expired" in a frame instead of a close code. Such a frame is no message. */
  verdict?(frame: unknown): Verdict | undefined
  readonly correlate?: Correlate
  /** Off by default: an unknown frame closes many servers, the article's Channels consumer among them. */
  readonly heartbeat?: EnvelopeHeartbeat
}

const ENVELOPE = { encode: func, decode: func, verdict: func, correlate: object, heartbeat: object }
const CORRELATE = { request: func, answer: func }
const anything: Rule = [() => true, 'anything']
const HEARTBEAT = { frame: anything, everyMs: duration, timeoutMs: duration, answer: func }

/** @throws {TypeError | RangeError} which names the field */
export function checkEnvelope(envelope: Envelope): void {
  check('envelope', envelope, ENVELOPE)
  const { correlate, heartbeat } = envelope
  if (correlate) check('correlate', correlate, CORRELATE, ['request', 'answer'])
  if (heartbeat) check('heartbeat', heartbeat, HEARTBEAT, ['frame', 'everyMs'])
}
