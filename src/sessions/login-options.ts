import { check, duration } from '../core/check.ts'

export interface LoginOptions {
  readonly signal?: AbortSignal
  /** The whole answer must have come by then, in ms. Default 30,000. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 30_000

/** @throws {TypeError} or {RangeError} for a wrong `timeoutMs` */
export const loginTimeoutMs = (verb: string, { timeoutMs = TIMEOUT_MS }: LoginOptions): number => {
  check(verb, { timeoutMs }, { timeoutMs: duration })
  return timeoutMs
}
