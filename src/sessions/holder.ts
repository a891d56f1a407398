/** Runs the credential machine of one session, and keeps the tokens that the machine must not know. */
import { type Credential, expiresAt } from '../core/credential.ts'
import { transition, workOf } from '../core/credential-machine.ts'
import {
  type Ask,
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  type CredentialWork,
  initialCredentialState,
} from '../core/credential-state.ts'
import { grantOf } from '../core/grant.ts'
import { lifetimeMs } from '../core/lifetime.ts'
import type { Grant, LinkId, Standing } from '../core/standing.ts'
import type { SessionView } from '../core/status.ts'
import { errorOf } from '../error-of.ts'
import { TokenInvalidError, TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import { Runtime } from '../shell/runtime.ts'
import { callAt, moment } from '../shell/timers.ts'
import { type Claims, readClaims } from './claims.ts'
import type { TokenAnswer, TokenSource } from './source.ts'

/** What a link hears from its session. */
export interface LinkPort {
  granted(grant: Grant): void
  signedIn(): void
  loggedOut(): void
}

/** A link's seat in the session. */
export interface Seat {
  report(standing: Standing): void
  leave(): void
}

export interface HolderSettings {
  readonly tokenTimeoutMs: number
  readonly scale: number
  readonly identify?: ((claims: Claims) => string | undefined) | undefined
}

/** A value, and what is known of it. Private to this file: the one place where tokens rest. */
interface Kept {
  readonly credential: Credential
  readonly answer: Exclude<TokenAnswer, { kind: 'signed-out' }>
}

interface Linked {
  readonly port: LinkPort
  last: Grant | undefined
}

export class CredentialHolder {
  readonly #source: TokenSource
  readonly #runtime: Runtime<CredentialState, CredentialEvent, CredentialWork>
  readonly #links = new Map<LinkId, Linked>()
  readonly #watchers = new Set<() => void>()
  #kept: Kept[] = []
  #nextId = 1
  #signedIn = false
  #settings: HolderSettings = { tokenTimeoutMs: 10_000, scale: 1 }

  constructor(source: TokenSource) {
    this.#source = source
    this.#runtime = new Runtime({
      initial: initialCredentialState,
      transition: (state, event) => transition(state, event, this.#limits()),
      workOf: (state) => workOf(state, this.#limits()),
      start: (work, report) => this.#start(work, report),
      changed: () => this.#announce(),
    })
  }

  /** The sockets of a session bring their numbers along; the latest win. */
  configure(settings: HolderSettings): void {
    this.#settings = settings
  }

  join(port: LinkPort): Seat {
    const id = this.#nextId++
    const linked: Linked = { port, last: undefined }
    this.#links.set(id, linked)
    return {
      report: (standing) => {
        linked.last = undefined
        this.#dispatch({ type: 'link', id, standing })
      },
      leave: () => {
        this.#dispatch({ type: 'link', id, standing: { kind: 'out' } })
        this.#links.delete(id)
      },
    }
  }

  /** What a credential's token is, for the dial that carries it. */
  answerOf(credentialId: number): Kept['answer'] | undefined {
    return this.#kept.find(({ credential }) => credential.id === credentialId)?.answer
  }

  /** `undefined` with a cookie. */
  tokenOf(credentialId: number): string | undefined {
    const answer = this.answerOf(credentialId)
    return answer?.kind === 'token' ? answer.token : undefined
  }

  /** A login, or a restore, brought a credential. Replaces whatever was held, whoever's it was. */
  signedIn(answer: TokenAnswer): void {
    if (answer.kind === 'signed-out') {
      this.loggedOut()
      return
    }
    this.#kept = []
    this.#dispatch({ type: 'login', credential: this.#keep(answer) })
    for (const { port } of [...this.#links.values()]) port.signedIn()
  }

  /** The user left: links disconnect, everything is forgotten. Also clears the source. */
  loggedOut(): void {
    this.#source.clear()
    this.#kept = []
    for (const { port } of [...this.#links.values()]) port.loggedOut()
    this.#dispatch({ type: 'logout' })
  }

  /**
   * The current token, asked for or renewed when needed; `undefined` with a cookie.
   *
   * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE instead of waiting out a backoff
   * @throws {TokenRefusedError} TOKEN_REFUSED
   */
  async token(): Promise<string | undefined> {
    return this.tokenOf((await this.credential()).id)
  }

  /** As `token`, without the token. `again` also asks the source of a refused session, once. */
  credential(demand: 'plain' | 'again' = 'plain'): Promise<Credential> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        settle()
        seat.leave()
      }
      const seat = this.join({
        granted: (grant) => {
          if (grant.kind === 'go') done(() => resolve(grant.credential))
          else if (grant.kind === 'fail' || grant.kind === 'later')
            done(() => reject(errorOf(grant.problem)))
        },
        signedIn: () => {},
        loggedOut: () => done(() => reject(errorOf({ kind: 'signed-out' }))),
      })
      seat.report({ kind: 'asking', demand: { kind: demand } })
    })
  }

  /**
   * Replaces the token, in one flight with every other request.
   *
   * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE when no other value came
   */
  async refresh(): Promise<Credential> {
    const before = this.held?.id
    this.#dispatch({ type: 'refresh' })
    const credential = await this.credential()
    if (credential.id === before)
      throw new TokenUnavailableError('the token source gave no other token')
    return credential
  }

  /** The user's auth library may have another token: asks without forcing one. */
  async changed(): Promise<void> {
    if (!this.isSignedIn) return
    this.#dispatch({ type: 'changed' })
    await this.credential()
  }

  get held(): Credential | undefined {
    const { phase } = this.#runtime.state
    return phase.kind === 'held' ? phase.credential : undefined
  }

  get identity(): string | undefined {
    return this.#runtime.state.identity
  }

  /** From the first credential that was held until the session ends. */
  get isSignedIn(): boolean {
    return this.#signedIn
  }

  /** What the status of a socket shows of its session. */
  get view(): SessionView {
    const { phase } = this.#runtime.state
    return {
      held: phase.kind === 'held',
      refusal: phase.kind === 'refused' ? phase.problem : undefined,
      tokenExpiresAt: this.held && expiresAt(this.held),
      backingOff:
        phase.kind === 'backing-off' ? { until: phase.retryAt, problem: phase.problem } : undefined,
    }
  }

  get sendsCookie(): boolean {
    return this.#source.sendsCookie === true
  }

  /** Called after each change of what is held. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  onSignedIn(listener: (signedIn: boolean) => void): () => void {
    let last = this.isSignedIn
    return this.watch(() => {
      if (this.isSignedIn === last) return
      last = this.isSignedIn
      listener(last)
    })
  }

  #limits(): CredentialLimits {
    const { canRenew, canAsk, everyDial, rotates } = this.#source
    const { tokenTimeoutMs, scale } = this.#settings
    return { canRenew, canAsk, everyDial, rotates, tokenTimeoutMs, scale }
  }

  #dispatch(event: WithoutMoment<CredentialEvent>): void {
    this.#runtime.dispatch({ ...event, ...moment() })
  }

  #announce(): void {
    const { kind } = this.#runtime.state.phase
    if (kind === 'held') this.#signedIn = true
    if (kind === 'absent' || kind === 'refused') this.#signedIn = false
    for (const [id, linked] of [...this.#links]) {
      const grant = grantOf(this.#runtime.state, id)
      if (grant === undefined || isSame(grant, linked.last)) continue
      linked.last = grant
      linked.port.granted(grant)
    }
    for (const watcher of [...this.#watchers]) watcher()
  }

  #start(work: CredentialWork, report: (event: CredentialEvent) => void): () => void {
    if (work.kind === 'timer')
      return callAt(work.at, () => report({ type: work.event, ...moment() }))
    const controller = new AbortController()
    this.#request(work.ask, controller.signal).then((event) => report({ ...event, ...moment() }))
    return () => controller.abort()
  }

  async #request(ask: Ask, signal: AbortSignal): Promise<WithoutMoment<CredentialEvent>> {
    try {
      const answer = await this.#source.request({ reason: ask.reason, fresh: ask.fresh, signal })
      if (answer.kind === 'signed-out') return { type: 'signed-out' }
      // Muted once the user logged out, so nothing is kept then.
      return signal.aborted
        ? { type: 'signed-out' }
        : { type: 'answered', credential: this.#keep(answer) }
    } catch (cause) {
      if (cause instanceof TokenRefusedError)
        return { type: 'refused', problem: { kind: 'token-refused', cause } }
      const kind = cause instanceof TokenInvalidError ? 'token-invalid' : 'token-unavailable'
      const retryAfterMs = cause instanceof TokenUnavailableError ? cause.retryAfterMs : undefined
      return {
        type: 'unavailable',
        problem: { kind, cause },
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }
    }
  }

  /** The same value keeps its id, and the instant of its first receipt. */
  #keep(answer: Kept['answer']): Credential {
    const known = this.#kept.find((kept) => isSameValue(kept.answer, answer))
    if (known) return known.credential
    const claims = answer.kind === 'token' ? readClaims(answer.token) : undefined
    const receivedAt = (answer.kind === 'token' ? answer.receivedAt : undefined) ?? Date.now()
    const lifetime =
      answer.kind === 'token' ? lifetimeMs({ ...claims, ...answer, receivedAt }) : undefined
    const identity = claims && (this.#settings.identify ?? subject)(claims)
    const credential: Credential = {
      id: this.#nextId++,
      receivedAt,
      ...(lifetime !== undefined && { lifetimeMs: lifetime }),
      ...(identity !== undefined && { identity }),
    }
    // The one held, the one before it, and one for a link that lags behind.
    this.#kept = [...this.#kept.slice(-2), { credential, answer }]
    return credential
  }
}

type WithoutMoment<Event> = Event extends unknown ? Omit<Event, 'at' | 'roll'> : never

const subject = ({ sub, user_id }: Claims): string | undefined => {
  const id = sub ?? user_id
  return id === undefined ? undefined : String(id)
}

const isSameValue = (one: Kept['answer'], other: Kept['answer']): boolean =>
  one.kind === 'token'
    ? other.kind === 'token' && one.token === other.token
    : other.kind === 'cookie' && one.header === other.header

const isSame = (one: Grant, other: Grant | undefined): boolean =>
  other !== undefined &&
  one.kind === other.kind &&
  (one.kind !== 'later' || (other.kind === 'later' && one.until === other.until))
