import { check, kindOf, type Rule, text } from '../core/check.ts'
import { createSession, type Session } from './session.ts'
import { reachOf, type TokenReachOptions, tokenReachRules } from './session-fetch.ts'
import type { SessionParts } from './session-parts.ts'
import type { TokenAnswer } from './source.ts'

export interface FixedTokenOptions extends TokenReachOptions {
  /** Lifetime of the token from now, in ms, above 0. Default: what the token says of itself. */
  readonly expiresInMs?: number
}

const isLifetime: Rule = [(value) => typeof value === 'number', 'a number of ms']

export const fixedTokenParts = (
  token: string,
  options: FixedTokenOptions = {},
): SessionParts<never> => {
  if (!text[0](token))
    throw new TypeError(`fixedToken: token must be ${text[1]}, not ${kindOf(token)}`)
  check('fixedToken', options, { ...tokenReachRules(), expiresInMs: isLifetime })
  const { expiresInMs } = options
  if (expiresInMs !== undefined && !(expiresInMs > 0 && expiresInMs < Infinity)) {
    throw new RangeError(`fixedToken: expiresInMs must be finite and above 0, not ${expiresInMs}`)
  }
  let held: TokenAnswer = {
    kind: 'token',
    token,
    receivedAt: Date.now(),
    ...(expiresInMs !== undefined && { expiresInMs }),
  }
  return {
    maker: 'fixedToken',
    initial: held,
    reach: reachOf('fixedToken', options, []),
    source: {
      canRenew: false,
      canAsk: false,
      everyDial: false,
      rotates: false,
      request: async () => held,
      clear() {
        held = { kind: 'signed-out' }
      },
    },
  }
}

/**
 * A session that holds one token and cannot renew it: a bot's API key, a test. When it expires or is
 * rejected the session is over, and after `logout()` it stays signed out.
 *
 * @throws {TypeError} a wrong option
 * @throws {RangeError} `expiresInMs` is not above 0
 */
export const fixedToken = (token: string, options?: FixedTokenOptions): Session =>
  createSession(fixedTokenParts(token, options))
