/** What one login brought, and all that follows from it. */
import { lifeOf } from '../core/lifetime.ts'
import { abortsIn } from '../shell/abort.ts'
import { abortable } from '../shell/promises.ts'
import { readClaims } from './claims.ts'
import type { TokenAnswer } from './source.ts'
import type { StoredTokens } from './token-store.ts'

/** A refresh that has not answered for so long is given up: its token may be sent again. */
export const GIVEN_UP_MS = 30_000

export interface Tokens {
  readonly access: string
  readonly refresh?: string
  readonly expiresInMs?: number
}

export type Held = Extract<TokenAnswer, { kind: 'token' }> & { readonly receivedAt: number }

/**
 * One login and all tokens that descend from it. A late answer belongs to its family, so it cannot reach
 * the login that came after.
 */
export interface Family {
  refresh?: string | undefined
  held?: Held | undefined
  /** The access token of an answer that nobody waited for any more. */
  late?: Held | undefined
  wire?: {
    readonly answer: Promise<TokenAnswer>
    readonly since: number
    readonly askers: Set<AbortSignal>
  }
  /** The store has held this family, so an empty store means that another tab signed out. */
  stored?: boolean
  /** It began with a sign-in: stored credentials are used again only with `reobtain`. */
  obtained?: boolean
}

export const isAlive = (held: Held): boolean => {
  const { lifetimeMs } = lifeOf({ ...readClaims(held.token), ...held })
  return lifetimeMs === undefined || Date.now() < held.receivedAt + lifetimeMs
}

export const heldOf = ({ access, receivedAt, expiresInMs }: StoredTokens): Held | undefined =>
  access === undefined || receivedAt === undefined
    ? undefined
    : {
        kind: 'token',
        token: access,
        receivedAt,
        ...(expiresInMs !== undefined && { expiresInMs }),
      }

export const storedOf = ({ refresh, held }: Family, edition?: string): StoredTokens => ({
  ...(edition !== undefined && { edition }),
  ...(refresh !== undefined && { refresh }),
  ...(held && { access: held.token, receivedAt: held.receivedAt }),
  ...(held?.expiresInMs !== undefined && { expiresInMs: held.expiresInMs }),
})

/** How long `logout()` may wait for the server. */
const REVOKE_MS = 10_000

/** Waits for a refresh on the wire: the token that it brings is the one to revoke. */
export const revokeFamily = async (
  family: Family,
  revoke: (tokens: StoredTokens, signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> => {
  const signal = abortsIn(REVOKE_MS)
  await abortable<unknown>(family.wire?.answer ?? Promise.resolve(), signal).catch(() => {})
  return revoke(storedOf(family), signal)
}

/** The first receipt of a value counts, however often it comes. */
export const take = (family: Family, { access, refresh, expiresInMs }: Tokens): Held => {
  const receivedAt = family.held?.token === access ? family.held.receivedAt : Date.now()
  const held: Held = {
    kind: 'token',
    token: access,
    receivedAt,
    ...(expiresInMs !== undefined && { expiresInMs }),
  }
  // RFC 6749 §6: without a new refresh token the old one stays.
  if (refresh !== undefined) family.refresh = refresh
  family.held = held
  return held
}
