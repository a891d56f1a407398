import { describe, expect, it } from 'vitest'
import type { Problem } from '../../src/core/problem.ts'
import { errorOf } from '../../src/error-of.ts'
import * as errors from '../../src/errors.ts'

const WHERE = 'wss://chat.example/ws/lobby/'
const closed: Problem = { kind: 'closed', code: 4003, reason: 'token expired' }

describe('a problem becomes an error', () => {
  it.each<[Problem, string, string, RegExp]>([
    [closed, 'ServerClosedError', 'SERVER_CLOSED', /4003/],
    [{ kind: 'unreachable' }, 'HandshakeRefusedError', 'HANDSHAKE_REFUSED', /no WebSocket at/],
    [
      { kind: 'unreachable', hostAnswers: true },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /the host answers.*token, Origin, path, slash.*accept, then close with 4003/,
    ],
    [
      { kind: 'unreachable', hostAnswers: false },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /does not answer/,
    ],
    [{ kind: 'status', status: 403 }, 'HandshakeRefusedError', 'HANDSHAKE_REFUSED', /HTTP 403/],
    [
      { kind: 'status', status: 404 },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /HTTP 404.*slash at the end/,
    ],
    [
      { kind: 'status', status: 431 },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /HTTP 431.*too long/,
    ],
    [{ kind: 'status', status: 500 }, 'HandshakeRefusedError', 'HANDSHAKE_REFUSED', /HTTP 500$/],
    [
      { kind: 'subprotocol' },
      'SubprotocolError',
      'SUBPROTOCOL',
      /accept the socket with the first/,
    ],
    [{ kind: 'timeout' }, 'HandshakeRefusedError', 'HANDSHAKE_REFUSED', /in time/],
    [
      { kind: 'dial', cause: new Error('secret') },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /could not be made/,
    ],
    [
      { kind: 'dial', cause: new TypeError('x'), detail: 'url must have no #fragment' },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /^url must have no #fragment$/,
    ],
    [{ kind: 'probe' }, 'CredentialRejectedError', 'CREDENTIAL_REJECTED', /refused the token/],
    [
      { kind: 'verdict-frame' },
      'CredentialRejectedError',
      'CREDENTIAL_REJECTED',
      /refused the token/,
    ],
    [
      { kind: 'token-unavailable', cause: new Error('secret') },
      'TokenUnavailableError',
      'TOKEN_UNAVAILABLE',
      /the token source failed \(Error\)$/,
    ],
    [
      { kind: 'token-unavailable', cause: undefined },
      'TokenUnavailableError',
      'TOKEN_UNAVAILABLE',
      /in time/,
    ],
    [
      { kind: 'token-refused', cause: new Error('secret') },
      'TokenRefusedError',
      'TOKEN_REFUSED',
      /sign in again/,
    ],
    [
      { kind: 'token-invalid', cause: undefined },
      'TokenInvalidError',
      'TOKEN_INVALID',
      /somebody else/,
    ],
    [{ kind: 'signed-out' }, 'TokenRefusedError', 'TOKEN_REFUSED', /sign in first/],
    [{ kind: 'expired' }, 'TokenInvalidError', 'TOKEN_INVALID', /expired/],
    [
      { kind: 'expired', at: Date.UTC(2026, 10, 30) },
      'TokenInvalidError',
      'TOKEN_INVALID',
      /^the token has expired \(by this machine's clock at 2026-11-30T00:00:00.000Z\) and was not replaced$/,
    ],
    [{ kind: 'expired', at: -1e300 }, 'TokenInvalidError', 'TOKEN_INVALID', /expired/],
    [
      { kind: 'rejected', last: closed },
      'CredentialRejectedError',
      'CREDENTIAL_REJECTED',
      /again: sign in, or check how the server reads the token$/,
    ],
    [
      { kind: 'rejected', last: { kind: 'status', status: 403 }, action: 'fix-configuration' },
      'CredentialRejectedError',
      'CREDENTIAL_REJECTED',
      /again: check path, slash, room, Origin \(missing in Node\) and how the server reads the token$/,
    ],
    [
      { kind: 'status', status: 404, everConnected: true },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /HTTP 404: it had worked/,
    ],
    [
      { kind: 'unwelcome', last: closed },
      'HandshakeRefusedError',
      'HANDSHAKE_REFUSED',
      /another with the same token is open: check Origin and path/,
    ],
  ])('%j is a %s', (problem, name, code, text) => {
    const error = errorOf(problem, WHERE)
    expect(error).toBeInstanceOf(errors.AuthedSocketError)
    expect(error).toMatchObject({ name, code, message: expect.stringMatching(text) })
    expect(`${error.message} ${error.stack}`).not.toContain('secret')
  })

  it.each([
    new errors.TokenRefusedError('no'),
    new errors.TokenUnavailableError('later', { retryAfterMs: 5 }),
    new errors.TokenInvalidError('odd'),
  ])('which is the very error that the source made: %s', (cause) => {
    expect(errorOf({ kind: 'token-unavailable', cause })).toBe(cause)
  })

  it('which tells the close code and the server’s own reason', () => {
    expect(errorOf(closed, WHERE)).toMatchObject({ closeCode: 4003, reason: 'token expired' })
    expect(errorOf({ kind: 'expired', at: 0, last: closed }, WHERE).cause).toMatchObject({
      closeCode: 4003,
    })
  })

  it('whose cause is the last rejection', () => {
    expect(errorOf({ kind: 'rejected', last: closed }).cause).toMatchObject({ closeCode: 4003 })
  })
})

describe('the error classes', () => {
  const classes = Object.entries(errors).filter(
    ([name]) =>
      name.endsWith('Error') && name !== 'AuthedSocketError' && name !== 'isAuthedSocketError',
  )

  it('are thirteen, each under a name that survives a minifier', () => {
    expect(classes).toHaveLength(13)
    for (const [name, value] of classes) expect(value).toHaveProperty('errorName', name)
  })

  it('are told from errors of others', () => {
    expect(errors.isAuthedSocketError(new errors.OutboxFullError('full'))).toBe(true)
    expect(errors.isAuthedSocketError(new TypeError('x'))).toBe(false)
    expect(errors.isAuthedSocketError({ code: 'OUTBOX_FULL' })).toBe(false)
  })
})
