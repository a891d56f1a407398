/**
 * How a diary says moments, spans and problems. Like the errors that a user sees, it holds no text of the server
 * and none of a stranger's error.
 */
import type { Problem } from '../core/problem.ts'
import { errorOf } from '../error-of.ts'

/** The last moment that a `Date` can hold, in epoch ms. */
const LAST_MOMENT = 8.64e15

/** @param at epoch ms */
export const momentOf = (at: number): string =>
  Number.isFinite(at) && Math.abs(at) <= LAST_MOMENT ? new Date(at).toISOString() : 'no known time'

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

export const spanOf = (ms: number): string => {
  for (const [length, unit] of UNITS)
    if (ms >= length) return `${Math.round((ms / length) * 10) / 10} ${unit}`
  return `${Math.round(ms)} ms`
}

/** What happened, in short. */
export const problemWords = (problem: Problem): string => {
  switch (problem.kind) {
    case 'closed':
      return `closed with ${problem.code}`
    case 'unreachable':
      return 'the handshake failed, and no status was shown'
    case 'status':
      return `the handshake was answered with HTTP ${problem.status}`
    case 'subprotocol':
      return 'the server did not echo an offered subprotocol'
    case 'timeout':
      return problem.opened ? 'the server did not accept in time' : 'no answer in time'
    case 'dial':
      return 'nothing could be dialed'
    case 'probe':
      return 'the probe says that the token is refused'
    case 'verdict-frame':
      return 'a frame of the server said so'
    case 'token-unavailable':
      return `no token: ${errorOf(problem).message}`
    case 'token-refused':
      return `refused a token: ${errorOf(problem).message}`
    case 'token-invalid':
      return errorOf(problem).message
    case 'signed-out':
      return 'nobody is signed in'
    case 'expired':
      return 'the token had expired, and no other came'
    case 'rejected':
      return `the token was rejected again and again (${problemWords(problem.last)})`
    case 'unwelcome':
      return `refused, while another socket with this token works (${problemWords(problem.last)})`
  }
}
