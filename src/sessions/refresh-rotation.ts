/** Access tokens that expire, and the refresh token that brings the next one, once. */
import type { Entrance } from '../core/identity.ts'
import { TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { callUser } from './safe-error.ts'
import type { Reach } from './session-fetch.ts'
import type { Entry, SessionParts } from './session-parts.ts'
import type { TokenAnswer, TokenRequest, TokenSource } from './source.ts'
import { type Lineage, lineageHost, type Rest } from './tab-lineage.ts'
import type { TabsLink } from './tabs-port.ts'
import type { TokenDialect } from './token-dialect.ts'
import {
  type Family,
  GIVEN_UP_MS,
  heldOf,
  isAlive,
  revokeFamily,
  storedOf,
  type Tokens,
  take,
} from './token-family.ts'
import { StoreSlot } from './token-store.ts'

const SIGNED_OUT: TokenAnswer = { kind: 'signed-out' }

export class RotatingSource<Credentials> implements TokenSource {
  readonly everyDial = false
  readonly rotates = true
  readonly #dialect: TokenDialect<Credentials>
  readonly #rest: Rest
  readonly #lineage: Lineage
  #opened: TabsLink | undefined

  constructor(dialect: TokenDialect<Credentials>, lineage: Lineage) {
    this.#dialect = dialect
    this.#lineage = lineage
    const { store, tabs } = dialect
    this.#rest = tabs?.store
      ? { kind: 'shared', slot: new StoreSlot(tabs.store) }
      : { kind: 'own', slot: store && new StoreSlot(store) }
  }

  /** The other tabs, from the first use on: a session may be made where a page is rendered on a server. */
  get #tabs(): TabsLink | undefined {
    const { tabs, clear } = this.#dialect
    this.#opened ??= tabs?.open(lineageHost(this.#lineage, this.#rest, () => clear?.()))
    return this.#opened
  }

  get #slot(): StoreSlot | undefined {
    return this.#rest.slot
  }

  get canRenew(): boolean {
    const { cookie, reobtain, refresh } = this.#dialect
    const { family } = this.#lineage
    if (!family) return false
    return reobtain || (refresh !== undefined && (cookie || family.refresh !== undefined))
  }

  get canAsk(): boolean {
    const { family } = this.#lineage
    if (!family) return false
    const { tabs } = this.#dialect
    return this.canRenew || (this.#slot ?? tabs) !== undefined || this.#mayObtain(family)
  }

  async request({ fresh, signal }: TokenRequest): Promise<TokenAnswer> {
    const { family } = this.#lineage
    if (!family) return SIGNED_OUT
    const { held, late } = family
    family.late = undefined
    if (late && isAlive(late)) return late
    if (!fresh && held && isAlive(held)) return held
    return this.#join(family, signal)
  }

  clear(): void {
    this.#lineage.family = undefined
    this.#dialect.clear?.()
    this.#tabs?.signedOut()
    this.#slot?.write(null)
  }

  async signIn(credentials: Credentials | undefined, signal: AbortSignal): Promise<Entry> {
    const given = credentials ?? (await this.#stored())
    if (given === undefined)
      throw new TypeError('login needs credentials: pass them, or set the option credentials')
    const family: Family = { obtained: true }
    const answer = take(family, await this.#dialect.obtain(given, signal))
    const commit = (how: Entrance = 'login') => {
      this.#lineage.family = family
      this.#tabs?.signedIn(how)
      this.#save(family)
    }
    return { answer, commit }
  }

  async restore(): Promise<Entry | undefined> {
    this.#lineage.family ??= {}
    try {
      const answer = await this.#join(this.#lineage.family)
      return answer.kind === 'token' ? { answer, commit() {} } : undefined
    } catch (error) {
      if (error instanceof TokenRefusedError) return undefined
      throw error
    }
  }

  revoker(): () => Promise<unknown> {
    const { family } = this.#lineage
    const revoke = this.#dialect.revoker?.()
    return async () => family && revoke && revokeFamily(family, revoke)
  }

  /** Single flight, whoever asks: a rotating refresh token must not be sent twice. */
  #join(family: Family, signal?: AbortSignal): Promise<TokenAnswer> {
    const wire =
      family.wire && Date.now() - family.wire.since < GIVEN_UP_MS ? family.wire : this.#dial(family)
    // Without a signal the asker waits to the end.
    wire.askers.add(signal ?? new AbortController().signal)
    return wire.answer
  }

  #dial(family: Family): NonNullable<Family['wire']> {
    const askers = new Set<AbortSignal>()
    const ask = () => this.#ask(family)
    const asked = this.#tabs?.inTurn(ask) ?? ask().then((answer) => answer ?? SIGNED_OUT)
    const answer = asked.then((answer) => {
      if (answer.kind === 'token' && [...askers].every((signal) => signal.aborted))
        family.late = family.held
      return answer
    })
    const wire = { answer, since: Date.now(), askers }
    const ended = () => {
      if (family.wire === wire) delete family.wire
    }
    answer.then(ended, ended)
    family.wire = wire
    return wire
  }

  /** @returns `undefined` where the store has told that something else counts now among the tabs */
  async #ask(family: Family): Promise<TokenAnswer | undefined> {
    const found = await this.#lookUp(family)
    if (found) return found === 'moved' ? undefined : found
    // Another tab signed in: its refresh token is not for who waits for the one before.
    if (this.#opened && this.#lineage.family !== family)
      throw new TokenUnavailableError('another tab signed in')
    const { refresh, cookie } = this.#dialect
    const sent = family.refresh
    // No page has left a cookie in a bot that has only just started.
    const isNew = cookie && !family.obtained && this.#dialect.credentials !== undefined
    if (!refresh || isNew || (!cookie && sent === undefined)) {
      return this.#mayObtain(family) ? this.#obtain(family) : SIGNED_OUT
    }
    const { held } = family
    try {
      const tokens = await refresh(sent)
      // Given up here, and asked for in another tab: what came first is what all tabs have.
      return this.#opened && family.held !== held && family.held
        ? family.held
        : this.#keep(family, tokens)
    } catch (error) {
      if (!(error instanceof TokenRefusedError)) throw error
      // Another tab, or a late answer, has replaced the token that was refused.
      const newer = await this.#lookUp(family)
      if (newer) return newer === 'moved' ? undefined : newer
      if (family.refresh !== sent) return this.#keep(family, await refresh(family.refresh))
      if (this.#dialect.reobtain) return this.#obtain(family)
      throw error
    }
  }

  /** What the store holds: an earlier page left it, or another tab renewed it. */
  async #lookUp(family: Family): Promise<TokenAnswer | 'moved' | undefined> {
    if (!this.#slot) return undefined
    const stored = await this.#slot.read()
    if (stored === 'behind') return undefined
    if (!stored) return family.stored ? SIGNED_OUT : undefined
    // As an edition it says more: whose hands it is in.
    if (this.#opened?.found(stored)) return 'moved'
    family.stored = true
    const held = heldOf(stored)
    const isNews = stored.refresh !== family.refresh || held?.token !== family.held?.token
    family.refresh = stored.refresh
    if (!isNews || !held) return undefined
    family.held = held
    if (!isAlive(held)) return undefined
    // Written by no tab that shares: what comes later is compared with this.
    if (this.#opened && !this.#opened.word) this.#publish(family)
    return held
  }

  async #stored(): Promise<Credentials | undefined> {
    return this.#dialect.credentials && callUser('credentials', this.#dialect.credentials)
  }

  #mayObtain(family: Family): boolean {
    const { credentials, reobtain } = this.#dialect
    return credentials !== undefined && (reobtain || !family.obtained)
  }

  async #obtain(family: Family): Promise<TokenAnswer> {
    const credentials = await this.#stored()
    if (credentials === undefined) return SIGNED_OUT
    const tokens = await this.#dialect.obtain(credentials)
    family.obtained = true
    return this.#keep(family, tokens)
  }

  #keep(family: Family, tokens: Tokens): TokenAnswer {
    const held = take(family, tokens)
    // Of a family that was left, nothing is stored.
    if (this.#lineage.family === family) this.#publish(family)
    return held
  }

  #publish(family: Family): void {
    this.#tabs?.renewed()
    this.#save(family)
  }

  #save(family: Family): void {
    if (!this.#slot) return
    family.stored = true
    this.#slot.write(storedOf(family, this.#tabs?.word))
  }
}

export const rotatingParts = <Credentials>(
  maker: string,
  dialect: TokenDialect<Credentials>,
  reach: Reach,
): SessionParts<Credentials> => {
  if (dialect.tabs?.store && dialect.store)
    throw new TypeError(`${maker}: tabs share a store already, leave refreshToken out`)
  const lineage: Lineage = { family: {} }
  const source = new RotatingSource(dialect, lineage)
  return {
    maker,
    follow: (session) => Object.assign(lineage, { session }),
    revokesByToken: !dialect.cookie,
    source,
    reach,
    signIn: (credentials, signal) => source.signIn(credentials, signal),
    restore: () => source.restore(),
    revoker: () => source.revoker(),
  }
}
