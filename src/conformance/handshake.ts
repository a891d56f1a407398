/** The handshake of one dial: what the query says of who dials, and the token in its one place. */
import type { Handshake } from '../transmissions/transmission.ts'
import { PROTOCOL } from './frames.ts'
import { NotChecked } from './judging.ts'
import type { Resolved } from './options.ts'
import type { Secrets } from './secrets.ts'

/** No token of anybody, in the place of one: printable, and good in every part of a handshake. */
export const NO_TOKEN = 'conformance.not-a.token'

export type UserName = 'a' | 'b' | 'expired' | 'short'

export interface DialOptions {
  /** Whose token. Default `'a'`. */
  readonly user?: UserName
  /** Instead of the user's token; `null`: none. */
  readonly token?: string | null
  /** Offered before what the transmission adds. Default `['authed-rooms.v1']`. */
  readonly protocols?: readonly string[]
  /** `client` and `connection` of the query. */
  readonly client?: string
  readonly connection?: number
  /** `join` of the query. */
  readonly joins?: readonly string[]
  /** More of the query, put behind the rest. */
  readonly query?: readonly (readonly [name: string, value: string])[]
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks the user's function; the token is known as a secret before anybody can print it. */
export async function tokenOf(
  { tokens }: Resolved,
  secrets: Secrets,
  user: UserName,
): Promise<string> {
  let token: unknown
  try {
    token = await tokens[user]?.()
  } catch (error) {
    // Of other people's errors only the name is told: the message may hold a token.
    const name = error instanceof Error ? error.name : typeof error
    throw new NotChecked(`tokens.${user}() threw ${name}`)
  }
  if (typeof token !== 'string' || token === '')
    throw new NotChecked(`tokens.${user}() gave no token: return a string that is not empty`)
  secrets.add(token)
  return token
}

export function tokenFor(
  options: Resolved,
  secrets: Secrets,
  { token, user = 'a' }: DialOptions,
): Promise<string | undefined> {
  if (token === undefined) return tokenOf(options, secrets, user)
  return Promise.resolve(token ?? undefined)
}

/** @throws {TokenInvalidError} TOKEN_INVALID when the token cannot travel this way */
export function handshakeOf(
  options: Resolved,
  dial: DialOptions,
  token: string | undefined,
): Handshake {
  const { transmission } = options
  const url = new URL(options.url)
  if (dial.client !== undefined) url.searchParams.append('client', dial.client)
  if (dial.connection !== undefined) url.searchParams.append('connection', `${dial.connection}`)
  for (const room of dial.joins ?? []) url.searchParams.append('join', room)
  const protocols = dial.protocols ?? [PROTOCOL]
  const bare: Handshake = { url, protocols, headers: dial.headers ?? {} }
  const whole = token === undefined ? bare : transmission.carry(bare, token)
  for (const [name, value] of dial.query ?? []) whole.url.searchParams.append(name, value)
  return whole
}
