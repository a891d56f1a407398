/** What signing in with a password has in common, whatever the dialect. */

import { check, flag, func, isObject, type Rule, text, words } from '../core/check.ts'
import { type Field, fieldsBy, lacks, readField } from './fields.ts'
import { postToken, type RefusalOptions, type TokenPost } from './token-endpoint.ts'
import type { Tokens } from './token-family.ts'
import { tokenStore } from './token-store.ts'

export interface PasswordCredentials {
  readonly username: string
  readonly password: string
  /** Sent beside them as they are: a one-time code, a tenant. */
  readonly extra?: Readonly<Record<string, string>>
}

export interface PasswordOptions extends RefusalOptions {
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
  readonly access: Field
  /** Also the name under which it is sent: of a path the last part, of a function the default. */
  readonly refresh: Field
  /** Holds the lifetime in seconds. */
  readonly expiresIn: Field
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
  fields: fieldsBy(['username', 'password'], ['access', 'refresh', 'expiresIn']),
  isRefused: func,
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
 * Asks for tokens. Their lifetime may be missing, or be written as a string.
 *
 * @throws {TokenRefusedError} TOKEN_REFUSED
 * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: also where the answer holds no access token
 * @see RFC 6749 §5.1
 */
export const postForTokens = (
  request: TokenPost,
  fields: Pick<TokenFields, 'access' | 'refresh' | 'expiresIn'>,
): Promise<Tokens> =>
  postToken(request, async (answer) => {
    const access = await readField('access', fields.access, answer)
    if (typeof access !== 'string' || access === '')
      return { lacks: lacks('access', fields.access, access, answer) }
    const refresh = await readField('refresh', fields.refresh, answer)
    const expiresIn = await readField('expiresIn', fields.expiresIn, answer)
    const expiresInMs =
      typeof expiresIn === 'number' || typeof expiresIn === 'string' ? +expiresIn * 1_000 : 0
    return {
      value: {
        access,
        ...(typeof refresh === 'string' && refresh !== '' && { refresh }),
        ...(expiresInMs > 0 && expiresInMs < Infinity && { expiresInMs }),
      },
    }
  })
