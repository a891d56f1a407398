/** Turns a problem of the machines into the error that a user sees. Texts name the line to change. */
import { isSignInPage } from './core/policy.ts'
import type { Bulk, Problem } from './core/problem.ts'
import {
  type AnyAuthedSocketError,
  CredentialRejectedError,
  HandshakeRefusedError,
  isAuthedSocketError,
  RequestFailedError,
  ServerClosedError,
  SubprotocolError,
  TokenInvalidError,
  TokenRefusedError,
  TokenUnavailableError,
} from './errors.ts'

/** @param where the redacted URL of the attempt, where there was one */
export const errorOf = (problem: Problem, where = 'the server'): AnyAuthedSocketError => {
  switch (problem.kind) {
    case 'closed':
      return new ServerClosedError(
        `${where} closed the socket with ${problem.code}`,
        problem.code,
        problem.reason,
      )
    case 'unreachable':
      return new HandshakeRefusedError(
        `no WebSocket at ${where}${hostWords(problem.hostAnswers)}${suspect(problem.bulk)}`,
      )
    case 'status':
      return new HandshakeRefusedError(
        `${where} answered the handshake with HTTP ${problem.status}${hintOf(problem)}${suspect(problem.bulk)}`,
        { status: problem.status },
      )
    case 'subprotocol':
      return new SubprotocolError(
        `${where} did not echo an offered subprotocol: accept the socket with the first one offered`,
      )
    case 'timeout':
      return new HandshakeRefusedError(
        `${where} did not ${problem.opened ? 'accept' : 'answer'} in time`,
      )
    case 'dial':
      return isAuthedSocketError(problem.cause)
        ? problem.cause
        : new HandshakeRefusedError(
            problem.detail ?? `the socket to ${where} could not be made${problem.name ?? ''}`,
            problem.detail ? { cause: problem.cause } : {},
          )
    case 'probe':
    case 'verdict-frame':
      return new CredentialRejectedError(`${where} refused the token`)
    case 'token-unavailable':
    case 'token-refused':
    case 'token-invalid':
      return ofSource(problem)
    case 'signed-out':
      return new TokenRefusedError('signed out: sign in first')
    case 'expired':
      // By whose clock: ours may be wrong.
      return new TokenInvalidError(
        `the token has expired (by this machine's clock at ${new Date(problem.at ?? Number.NaN).toJSON()}) and was not replaced`,
        problem.last && { cause: errorOf(problem.last, where) },
      )
    case 'unwelcome':
      return new HandshakeRefusedError(
        `${where} refused this socket while another with the same token is open: check Origin and path`,
        { cause: errorOf(problem.last, where) },
      )
    case 'rejected':
      return new CredentialRejectedError(
        `${where} rejected the token again and again: ${problem.action ? '' : 'sign in, or '}check ${
          problem.last.kind === 'status' ? 'path, slash, room, Origin (missing in Node) and ' : ''
        }how the server reads the token`,
        { cause: errorOf(problem.last, where) },
      )
  }
}

const ofSource = (
  problem: Extract<Problem, { cause: unknown }>,
): TokenRefusedError | TokenInvalidError | TokenUnavailableError => {
  const { cause } = problem
  if (
    cause instanceof TokenRefusedError ||
    cause instanceof TokenInvalidError ||
    cause instanceof TokenUnavailableError
  )
    return cause
  if (problem.kind === 'token-refused') return new TokenRefusedError()
  if (problem.kind === 'token-invalid') return new TokenInvalidError("the token is somebody else's")
  if (cause === undefined)
    return new TokenUnavailableError('the token source did not answer in time')
  // A stranger's error may hold the token: only its name is shown.
  return new TokenUnavailableError(
    `the token source failed${cause instanceof Error ? ` (${cause.name})` : ''}`,
  )
}

/** Nothing is said of a host that was not asked. */
const hostWords = (answers: boolean | undefined): string =>
  answers === undefined
    ? ''
    : answers
      ? ': the host answers, so it refused the handshake (token, Origin, path, slash, subprotocol not echoed) or is starting; accept, then close with 4003, to be told apart'
      : ': the host does not answer'

/** 404 and its like are mostly a slash: Django routes end with one, FastAPI routes do not. */
const hintOf = ({ status, everConnected }: Extract<Problem, { kind: 'status' }>): string => {
  if (status === 404 && everConnected) return ': it had worked, so what it names may be gone'
  if (isSignInPage(status)) return ': a sign-in page?'
  if (status === 401 || status === 403) return ': token, Origin or room refused'
  if (status === 404) return ': wrong path; try it with, or without, the slash at the end'
  if (status === 431 || status === 414) return ': the token is too long for the server'
  return ''
}

const suspect = (bulk: Bulk): string => (bulk ? `; is its token too large (${bulk})?` : '')

interface Misread {
  readonly kind: string
  readonly code?: string
  readonly message?: string
  readonly detail?: string
}

/** A frame that nobody takes: an error of the server, or what could not be read. */
export const tellMisread = (
  { kind, code = '', message, detail }: Misread,
  tell: (error: Error) => void,
): void => {
  if (kind === 'error') tell(new RequestFailedError(`the server says: ${message}`, code))
  if (kind === 'unreadable') tell(new TypeError(`a frame could not be read: ${detail}`))
}
