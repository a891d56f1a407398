/**
 * Errors: what happened, and the line to change. No error holds a token; URLs in messages are redacted.
 * Longer explanations stand in docs/errors.md, by code.
 */

export type ErrorCode = AnyAuthedSocketError['code']

/** By what errors of another copy of this package are known: a program may have one by `import`, and one by `require`. */
const BRAND = /* @__PURE__ */ Symbol.for('authed-socket.error')

const isOf = (type: object, value: unknown): boolean => {
  const name: unknown = Reflect.get(type, 'errorName')
  // A class of the user's own has no other copies.
  if (!Object.hasOwn(type, 'errorName'))
    return Function.prototype[Symbol.hasInstance].call(type, value)
  const brand: unknown = Reflect.get(Object(value), BRAND)
  return brand !== undefined && (name === 'AuthedSocketError' || brand === name)
}

/** The class of every error that this package makes, except misuse (`TypeError`, `RangeError`). */
export abstract class AuthedSocketError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.errorName
    Object.defineProperty(this, BRAND, { value: this.name })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked, one of those that extend this one.
    return isOf(this, value)
  }

  /** Written out, because minifiers rename classes. */
  protected static readonly errorName: string = 'AuthedSocketError'
}

/** What a token endpoint answered. Its texts are bounded, and hold nothing that was sent and no token. */
export interface EndpointWords {
  /** The HTTP status; `undefined` where there was no answer, or no endpoint. */
  readonly status?: number | undefined
  /** The server's own code, at most 64 characters: `invalid_grant`, `token_not_valid`. */
  readonly serverCode?: string | undefined
  /** The server's own text, at most 200 characters: from outside, never to be shown as markup. */
  readonly detail?: string | undefined
}

abstract class EndpointError extends AuthedSocketError implements EndpointWords {
  readonly status: number | undefined
  readonly serverCode: string | undefined
  readonly detail: string | undefined

  constructor(message: string, options: EndpointWords & { cause?: unknown } = {}) {
    super(message, options)
    this.status = options.status
    this.serverCode = options.serverCode
    this.detail = options.detail
  }
}

/** No token could be had now: the source is down, slow or confused. It is asked again. */
export class TokenUnavailableError extends EndpointError {
  static override readonly errorName = 'TokenUnavailableError'
  readonly code = 'TOKEN_UNAVAILABLE'
  /** What the source advised (`Retry-After`), in ms. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    options: EndpointWords & { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The source says no for good. Throw it from your own `auth` function to end the session. */
export class TokenRefusedError extends EndpointError {
  static override readonly errorName = 'TokenRefusedError'
  readonly code = 'TOKEN_REFUSED'

  constructor(
    message = 'the token source refused: sign in again',
    options?: EndpointWords & { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** The token cannot be sent, has expired on arrival, or is somebody else's. */
export class TokenInvalidError extends AuthedSocketError {
  static override readonly errorName = 'TokenInvalidError'
  readonly code = 'TOKEN_INVALID'
}

/** The server rejected the credential, and a fresh one, or the same one again after a pause. */
export class CredentialRejectedError extends AuthedSocketError {
  static override readonly errorName = 'CredentialRejectedError'
  readonly code = 'CREDENTIAL_REJECTED'
}

/** The handshake ended without an open socket. */
export class HandshakeRefusedError extends AuthedSocketError {
  static override readonly errorName = 'HandshakeRefusedError'
  readonly code = 'HANDSHAKE_REFUSED'
  /** The HTTP status, where the runtime shows it. Browsers never do. */
  readonly status: number | undefined

  constructor(message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, options)
    this.status = options.status
  }
}

/** The server did not echo an offered subprotocol, or echoed another. */
export class SubprotocolError extends AuthedSocketError {
  static override readonly errorName = 'SubprotocolError'
  readonly code = 'SUBPROTOCOL'
}

/** The server closed the socket. */
export class ServerClosedError extends AuthedSocketError {
  static override readonly errorName = 'ServerClosedError'
  readonly code = 'SERVER_CLOSED'
  readonly closeCode: number
  /** As the server sent it: text from outside, never to be trusted or shown as markup. */
  readonly reason: string

  constructor(message: string, closeCode: number, reason: string) {
    super(message)
    this.closeCode = closeCode
    this.reason = reason
  }
}

/** There is no connection, or no room, to send in; the frame was not sent. */
export class NotConnectedError extends AuthedSocketError {
  static override readonly errorName = 'NotConnectedError'
  readonly code = 'NOT_CONNECTED'
}

/** The outbox is full; the frame was not queued. */
export class OutboxFullError extends AuthedSocketError {
  static override readonly errorName = 'OutboxFullError'
  readonly code = 'OUTBOX_FULL'
}

/** The frame was sent and no answer came: it may have arrived or not. */
export class SendUnknownError extends AuthedSocketError {
  static override readonly errorName = 'SendUnknownError'
  readonly code = 'SEND_UNKNOWN'
}

/** The server answered a request with an error, or not in time. */
export class RequestFailedError extends AuthedSocketError {
  static override readonly errorName = 'RequestFailedError'
  readonly code = 'REQUEST_FAILED'
  /** The server's own code. */
  readonly serverCode: string

  constructor(message: string, serverCode: string) {
    super(message)
    this.serverCode = serverCode
  }
}

/** The room is closed to this user, or cannot be used as asked. Other rooms go on. */
export class RoomError extends AuthedSocketError {
  static override readonly errorName = 'RoomError'
  readonly code = 'ROOM'
  readonly room: string
  /** The server's own code, where it gave one; `refused`, `not-joined` otherwise. */
  readonly serverCode: string

  constructor(message: string, room: string, serverCode: string, options?: { cause?: unknown }) {
    super(message, options)
    this.room = room
    this.serverCode = serverCode
  }
}

/** `ws://` or `http://` to a host that is not loopback: a token would travel in the clear. */
export class InsecureUrlError extends AuthedSocketError {
  static override readonly errorName = 'InsecureUrlError'
  readonly code = 'INSECURE_URL'
}

const endings = /* @__PURE__ */ new WeakSet<Error>()

/** What the user ended himself rejects what was under way, and is told to nobody else. */
export const endedByUser = (message: string): NotConnectedError => {
  const error = new NotConnectedError(message)
  endings.add(error)
  return error
}

export const isEndedByUser = (error: unknown): boolean =>
  error instanceof Error && (endings.has(error) || isEndedByUser(error.cause))

/** Every error of this package; `switch (error.code)` narrows it. */
export type AnyAuthedSocketError =
  | TokenUnavailableError
  | TokenRefusedError
  | TokenInvalidError
  | CredentialRejectedError
  | HandshakeRefusedError
  | SubprotocolError
  | ServerClosedError
  | NotConnectedError
  | OutboxFullError
  | SendUnknownError
  | RequestFailedError
  | RoomError
  | InsecureUrlError

export const isAuthedSocketError = (error: unknown): error is AnyAuthedSocketError =>
  error instanceof AuthedSocketError
