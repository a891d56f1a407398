/** What a close code, an HTTP status or a frame of the server means for the connection. */
export type Verdict =
  /** Dial again after a backoff. */
  | 'retry'
  /** The credential was rejected: ask for a fresh one. */
  | 'reauthenticate'
  /** The session is over: only signing in again helps. */
  | 'sign-in'
  /** Do not dial again. */
  | 'stop'
  /** This room is closed to the user; the others go on. */
  | 'refuse-room'
  /** The server's advice: dial again, and not before. */
  | { readonly retryAfterMs: number }

const WORDS: readonly unknown[] = ['retry', 'reauthenticate', 'sign-in', 'stop', 'refuse-room']

/** Verdicts come from users' functions and records, and from frames. */
export const isVerdict = (value: unknown): value is Verdict => {
  if (typeof value !== 'object' || value === null) return WORDS.includes(value)
  const wait = 'retryAfterMs' in value ? value.retryAfterMs : undefined
  return typeof wait === 'number' && wait >= 0 && wait < Infinity
}
