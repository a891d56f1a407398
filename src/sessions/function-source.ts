import { isObject, kindOf } from '../core/check.ts'
import type { TokenReason } from '../core/credential.ts'
import { TokenInvalidError, TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { throwIfAborted } from '../shell/abort.ts'
import { abortable } from '../shell/promises.ts'
import { causeOf, isOurs, nameOf } from './safe-error.ts'
import type { TokenAnswer, TokenRequest, TokenSource } from './source.ts'

/** What your function is called with. */
export interface TokenAsk {
  /** `rejected`: the server refused the last token. */
  readonly reason: TokenReason
  /** `true`: do not answer from a cache (Auth0 `cacheMode: 'off'`, Clerk `skipCache`, Firebase, MSAL `forceRefresh`). */
  readonly fresh: boolean
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** A token whose expiry is known: in ms from now, or in epoch ms. */
export type TokenWithExpiry =
  | { readonly token: string; readonly expiresInMs?: number; readonly expiresAt?: never }
  | { readonly token: string; readonly expiresAt?: number; readonly expiresInMs?: never }

/** `null`: signed out. */
export type AuthAnswer = string | null | TokenWithExpiry

/**
 * Asks your auth library for a token. Throw `TokenRefusedError` when it says no for good: the session
 * ends. Anything else that is thrown means "not now", and the function is called again.
 */
export type AuthFunction = (ask: TokenAsk) => AuthAnswer | PromiseLike<AuthAnswer>

/** 1973 in ms, and the year 5138 in s: a smaller instant is one in seconds. */
const SMALLEST_AT = 100_000_000_000

const optionalNumber = (answer: Record<string, unknown>, name: string): number | undefined => {
  const value = answer[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new TokenInvalidError(`auth gave ${name} as ${kindOf(value)}: return a finite number of ms`)
}

const toAnswer = (answer: unknown): TokenAnswer => {
  if (answer === null) return { kind: 'signed-out' }
  const given = isObject(answer) ? answer : { token: answer }
  const { token } = given
  if (typeof token !== 'string' || token === '')
    throw new TokenInvalidError(
      `auth returned ${kindOf(answer)}: return a token, { token, expiresInMs }, or null when signed out`,
    )
  const expiresInMs = optionalNumber(given, 'expiresInMs')
  const expiresAt = optionalNumber(given, 'expiresAt')
  if (expiresAt !== undefined && expiresAt < SMALLEST_AT) {
    throw new TokenInvalidError(
      'auth gave expiresAt in seconds: return epoch milliseconds, exp * 1000',
    )
  }
  return {
    kind: 'token',
    token,
    ...(expiresInMs !== undefined && { expiresInMs }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

/** A user's error may hold the token, or a whole HTTP request: of a stranger only the name is told. */
const toError = (error: unknown, isRefused: ((error: unknown) => boolean) | undefined): Error => {
  if (isOurs(error)) return error
  const cause = causeOf(error instanceof Error ? error.cause : undefined)
  if (error instanceof TokenRefusedError || error instanceof TokenUnavailableError) {
    const { status, serverCode, detail } = error
    const options = { status, serverCode, detail, ...cause }
    return error instanceof TokenRefusedError
      ? new TokenRefusedError(error.message, options)
      : new TokenUnavailableError(error.message, { ...options, retryAfterMs: error.retryAfterMs })
  }
  const name = nameOf(error)
  try {
    if (isRefused?.(error))
      return new TokenRefusedError(`auth was refused (${name}): sign in again`)
  } catch (thrown) {
    return new TokenUnavailableError(`isRefused threw ${nameOf(thrown)}: return true or false`)
  }
  return new TokenUnavailableError(
    `auth threw ${name}: throw TokenRefusedError, or set isRefused, where that means signed out`,
  )
}

/**
 * The source behind `auth: () => token`.
 *
 * @param isRefused - tells which errors of an auth library mean that the user must sign in again
 */
export const functionSource = (
  auth: AuthFunction,
  isRefused?: (error: unknown) => boolean,
): TokenSource => ({
  canRenew: true,
  canAsk: true,
  everyDial: true,
  rotates: false,
  signsInElsewhere: true,
  clear() {},
  async request({ reason, fresh, signal }: TokenRequest) {
    let answer: unknown
    try {
      answer = await abortable(Promise.resolve(auth({ reason, fresh, signal })), signal)
    } catch (error) {
      throwIfAborted(signal)
      throw toError(error, isRefused)
    }
    return toAnswer(answer)
  },
})
