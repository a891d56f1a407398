/** What signing in with a password has in common, whatever the dialect. */

import {
  check,
  flag,
  func,
  isObject,
  kindOf,
  type Rule,
  text,
  textsBy,
  words,
} from '../core/check.ts'
import { TokenUnavailableError } from '../errors.ts'
import { redact } from './endpoint.ts'
import type { Tokens } from './token-family.ts'
import { tokenStore } from './token-store.ts'

export interface PasswordCredentials {
  readonly username: string
  readonly password: string
  /** Sent beside them as they are: a one-time code, a tenant. */
  readonly extra?: Readonly<Record<string, string>>
}

export interface PasswordOptions {
  /**
   * Signs in without `login()`: for bots. A function is asked each time, so that the password need not
   * stay in memory. Default: none.
   */
  readonly credentials?:
    | PasswordCredentials
    | (() => PasswordCredentials | Promise<PasswordCredentials>)
  /**
   * Signs in with `credentials` again after a refused refresh. Default `false`: a refused refresh is
   * final, since the server may have ended the session on purpose.
   */
  readonly reobtain?: boolean
}

export interface TokenFields {
  readonly username: string
  readonly password: string
  readonly access: string
  readonly refresh: string
  /** Holds the lifetime in seconds. */
  readonly expiresIn: string
}

/** As RFC 6749 §4.3.2 and §5.1 name them. */
export const OAUTH_FIELDS: TokenFields = {
  username: 'username',
  password: 'password',
  access: 'access_token',
  refresh: 'refresh_token',
  expiresIn: 'expires_in',
}

export const passwordRules = (): Record<string, Rule> => ({
  credentials: [(value) => isObject(value) || func[0](value), 'an object or a function'],
  reobtain: flag,
  fields: textsBy('username', 'password', 'access', 'refresh', 'expiresIn'),
})

export const storageRule = (...names: string[]): Rule => {
  const [isWord, wanted] = words(...names)
  return [(value) => isWord(value) || tokenStore[0](value), `${wanted} or ${tokenStore[1]}`]
}

/** @throws {TypeError} that names the part */
export function checkPassword(maker: string, value: unknown): asserts value is PasswordCredentials {
  const extra: Rule = [
    (item) => isObject(item) && Object.values(item).every(text[0]),
    'an object of strings',
  ]
  check(`${maker}: credentials`, value, { username: text, password: text, extra }, [
    'username',
    'password',
  ])
}

/** @throws {TypeError} for credentials of a wrong shape, and for `reobtain` without any */
export const storedCredentials = (maker: string, { credentials, reobtain }: PasswordOptions) => {
  if (reobtain && !credentials)
    throw new TypeError(`${maker}: reobtain needs the option credentials`)
  if (credentials === undefined || typeof credentials === 'function') return credentials
  checkPassword(maker, credentials)
  return () => credentials
}

export const passwordBody = (
  { username, password, extra }: PasswordCredentials,
  fields: Pick<TokenFields, 'username' | 'password'>,
): Record<string, string> => ({
  ...extra,
  [fields.username]: username,
  [fields.password]: password,
})

/**
 * Reads the answer of a token endpoint. The lifetime may be missing, or be written as a string.
 *
 * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: no access token in it
 * @see RFC 6749 §5.1
 */
export const tokensOf = (url: URL, body: Record<string, unknown>, fields: TokenFields): Tokens => {
  const { [fields.access]: access, [fields.refresh]: refresh, [fields.expiresIn]: expiresIn } = body
  if (typeof access !== 'string' || access === '') {
    throw new TokenUnavailableError(
      `POST ${redact(url)} answered with ${kindOf(access)} as '${fields.access}': set fields.access`,
    )
  }
  const expiresInMs =
    typeof expiresIn === 'number' || typeof expiresIn === 'string' ? +expiresIn * 1_000 : 0
  return {
    access,
    ...(typeof refresh === 'string' && refresh !== '' && { refresh }),
    ...(expiresInMs > 0 && expiresInMs < Infinity && { expiresInMs }),
  }
}
