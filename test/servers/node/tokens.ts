import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { JWTPayload } from 'jose'
import type { Checked, TokenType } from './jwt.ts'
import { checkJwt, signJwt } from './jwt.ts'
import type { ServerState } from './state.ts'
import type { Family } from './store.ts'

export interface Pair {
  access: string
  refresh: string
}

export interface TokenRefusal {
  detail: string
  code: string
}

export type RefusedToken =
  | 'missing'
  | 'ambiguous'
  | 'invalid'
  | 'expired'
  | 'revoked'
  | 'unknown-user'

export type Verdict =
  | { ok: true; user: string; expiresAt: number }
  | { ok: false; reason: RefusedToken }

export type Outcome = { ok: true; pair: Pair } | { ok: false; refusal: TokenRefusal }

export interface MintRequest {
  user: string
  /** `refresh`: a refresh token stands in the place of the access token. */
  kind?: 'valid' | 'expired' | 'refresh' | 'opaque'
  lifetimeMs?: number
}

/** A ticket that nobody has used for so long is worth nothing. */
export const TICKET_MS = 30_000

interface Extra extends JWTPayload {
  startedAt?: number
}

const BLACKLISTED: TokenRefusal = { detail: 'Token is blacklisted', code: 'token_not_valid' }
const NOT_VALID: TokenRefusal = { detail: 'Token is invalid or expired', code: 'token_not_valid' }
const NO_ACCOUNT: TokenRefusal = {
  detail: 'No active account found with the given credentials',
  code: 'no_active_account',
}

/** "Expired" mints are this old. */
const EXPIRED_AGO_MS = 10_000

/** Gives out tokens, rotates refresh tokens, and says what a token is worth. */
export class Tokens {
  readonly #state: ServerState
  readonly #tickets = new Map<string, { user: string; usableUntil: number; expiresAt: number }>()

  constructor(state: ServerState) {
    this.#state = state
  }

  /** Good for one handshake; what is let in by it ends with the token that it was given for. */
  ticket({ user, expiresAt }: { user: string; expiresAt: number }): string {
    const ticket = `ticket-${randomBytes(24).toString('base64url')}`
    this.#tickets.set(ticket, { user, usableUntil: Date.now() + TICKET_MS, expiresAt })
    return ticket
  }

  async obtain(username: string, password: string): Promise<Outcome> {
    const { settings, persisted } = this.#state
    if (settings.refuseTokens || persisted.users.get(username) !== password) {
      return { ok: false, refusal: NO_ACCOUNT }
    }
    return { ok: true, pair: await this.#pair(this.#newFamily(username)) }
  }

  async refresh(token: string): Promise<Outcome> {
    const outcome = await this.#rotate(token)
    if (!outcome.ok) this.#state.refreshes.push({ at: Date.now(), outcome: 'refused' })
    return outcome
  }

  async #rotate(token: string): Promise<Outcome> {
    const checked = await this.#check(token, 'refresh')
    // From here until #pair has written the new id nothing is awaited: of two simultaneous
    // refreshes with one token the second finds a rotated family.
    const family = checked.ok ? this.#familyOf(checked.claims) : undefined
    if (!checked.ok || this.#state.settings.refuseTokens || family === undefined) {
      return { ok: false, refusal: NOT_VALID }
    }
    if (family.revoked) return { ok: false, refusal: BLACKLISTED }
    const { jti } = checked.claims
    if (family.current !== jti && !this.#isGraced(family, jti)) {
      // A token that was used before: one of its two holders stole it, so neither keeps the family.
      this.#revokeFamily(family)
      return { ok: false, refusal: BLACKLISTED }
    }
    if (this.#state.persisted.revokedUsers.has(family.user))
      return { ok: false, refusal: BLACKLISTED }
    if (!this.#state.persisted.users.has(family.user)) return { ok: false, refusal: NO_ACCOUNT }
    this.#state.refreshes.push({
      at: Date.now(),
      outcome: family.current === jti ? 'rotated' : 'again',
    })
    if (family.current === jti) family.previous = { id: jti, usedAt: Date.now() }
    return { ok: true, pair: await this.#pair(family) }
  }

  #isGraced({ previous }: Family, id: string | undefined): boolean {
    return (
      previous?.id === id &&
      previous !== undefined &&
      Date.now() - previous.usedAt < this.#state.settings.refreshGraceMs
    )
  }

  /** Ends the family of a refresh token. Access tokens live on until they expire. */
  async revoke(token: string): Promise<TokenRefusal | undefined> {
    const checked = await this.#check(token, 'refresh')
    const family = checked.ok ? this.#familyOf(checked.claims) : undefined
    if (family === undefined) return NOT_VALID
    this.#revokeFamily(family)
    return undefined
  }

  async verify(token: string): Promise<Verdict> {
    const ticket = this.#tickets.get(token)
    if (ticket !== undefined) {
      this.#tickets.delete(token)
      const { user, usableUntil, expiresAt } = ticket
      const verdict = this.#judge(user, Math.min(usableUntil, expiresAt))
      return verdict.ok ? { ...verdict, expiresAt } : verdict
    }
    const opaque = this.#state.persisted.opaque.get(hashOf(token))
    if (opaque !== undefined) return this.#judge(opaque.user, opaque.expiresAt)
    const checked = await this.#check(token, 'access')
    if (!checked.ok) return checked
    const { sub, exp } = checked.claims
    return sub === undefined
      ? { ok: false, reason: 'invalid' }
      : this.#judge(sub, (exp ?? 0) * 1000)
  }

  async mint({ user, kind = 'valid', lifetimeMs }: MintRequest): Promise<Pair> {
    if (!this.#state.persisted.users.has(user)) throw new TypeError(`there is no user "${user}"`)
    const lifetime = lifetimeMs ?? this.#state.settings.accessLifetimeMs
    const refresh = await this.#signRefresh(
      this.#newFamily(user),
      kind === 'refresh' ? lifetimeMs : undefined,
    )
    if (kind === 'refresh') return { access: refresh, refresh }
    if (kind === 'opaque') return { access: this.#opaque(user, lifetime), refresh }
    const startedAt = kind === 'expired' ? Date.now() - EXPIRED_AGO_MS - lifetime : Date.now()
    return { access: await this.#sign('access', user, lifetime, { startedAt }), refresh }
  }

  #judge(user: string, expiresAt: number): Verdict {
    // jose compares whole seconds; an exact `exp` ends within one.
    if (expiresAt <= Date.now()) return { ok: false, reason: 'expired' }
    if (this.#state.persisted.revokedUsers.has(user)) return { ok: false, reason: 'revoked' }
    if (!this.#state.persisted.users.has(user)) return { ok: false, reason: 'unknown-user' }
    return { ok: true, user, expiresAt }
  }

  #newFamily(user: string): Family {
    const family: Family = { id: randomUUID(), user, current: '', revoked: false }
    this.#state.persisted.families.set(family.id, family)
    return family
  }

  #familyOf(claims: JWTPayload): Family | undefined {
    const id = claims['family']
    return typeof id === 'string' ? this.#state.persisted.families.get(id) : undefined
  }

  #revokeFamily(family: Family): void {
    family.revoked = true
    this.#state.save()
  }

  async #pair(family: Family): Promise<Pair> {
    const refresh = this.#signRefresh(family)
    const access = this.#sign('access', family.user, this.#state.settings.accessLifetimeMs)
    return { access: await access, refresh: await refresh }
  }

  #signRefresh(family: Family, lifetimeMs?: number): Promise<string> {
    family.current = randomUUID()
    this.#state.save()
    const lifetime = lifetimeMs ?? this.#state.settings.refreshLifetimeMs
    return this.#sign('refresh', family.user, lifetime, { jti: family.current, family: family.id })
  }

  #sign(type: TokenType, user: string, lifetimeMs: number, extra: Extra = {}): Promise<string> {
    const { startedAt = Date.now(), ...claims } = extra
    const exact = this.#state.settings.exactExp
    const secret = this.#state.persisted.secret
    return signJwt(secret, { type, user, startedAt, lifetimeMs, exact, claims })
  }

  #check(token: string, type: TokenType): Promise<Checked> {
    return checkJwt(this.#state.persisted.secret, token, type)
  }

  #opaque(user: string, lifetimeMs: number): string {
    const token = randomBytes(24).toString('base64url')
    this.#state.persisted.opaque.set(hashOf(token), { user, expiresAt: Date.now() + lifetimeMs })
    this.#state.save()
    return token
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
