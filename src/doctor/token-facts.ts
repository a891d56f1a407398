/** What may be known of a token: nothing that gives it away. By character codes, never by a pattern. */
import { numericDate, readClaims } from '../sessions/claims.ts'
import type { Captured } from './capture.ts'
import type { TokenFacts } from './facts.ts'

const SCHEMES = ['bearer', 'token', 'jwt']

export const unwrapToken = (token: string): string => {
  let bare = token.trim()
  const [first] = bare
  if (bare.length > 1 && (first === '"' || first === "'") && bare.endsWith(first))
    bare = bare.slice(1, -1).trim()
  const space = bare.indexOf(' ')
  return space > 0 && SCHEMES.includes(bare.slice(0, space).toLowerCase())
    ? bare.slice(space + 1).trim()
    : bare
}

/** Seconds, as they should be; some write milliseconds, which as seconds would be the year 5138. */
const instant = (claim: number | undefined): number | undefined =>
  claim !== undefined && claim < 100_000_000_000 ? claim * 1_000 : claim

export const tokenFactsOf = ({ carried, token = '' }: Captured): TokenFacts => {
  const bare = unwrapToken(token)
  const { exp, iat, raw } = readClaims(bare) ?? {}
  const [expiresAt, issuedAt, notBefore] = [
    instant(exp),
    instant(iat),
    instant(numericDate(raw?.['nbf'])),
  ]
  const kind = raw?.['token_type'] ?? raw?.['typ'] ?? raw?.['type']
  return {
    carried,
    length: token.length,
    wrapped: bare !== token,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(issuedAt !== undefined && { issuedAt }),
    ...(notBefore !== undefined && { notBefore }),
    ...(isRefresh(kind) && { isRefresh: true as const }),
  }
}

const isRefresh = (kind: unknown): boolean =>
  typeof kind === 'string' && kind.toLowerCase() === 'refresh'
