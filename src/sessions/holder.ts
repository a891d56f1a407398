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
import type { Identity } from '../core/identity.ts'
import type { Grant, LinkId } from '../core/standing.ts'
import type { SessionView } from '../core/status.ts'
import { TokenUnavailableError } from '../errors.ts'
import { Runtime } from '../shell/runtime.ts'
import { callAt, moment } from '../shell/timers.ts'
import type { Claims } from './claims.ts'
import { failureOf, type WithoutMoment } from './failure.ts'
import { askOnce, type LinkPort, type Seat } from './seat.ts'
import type { TokenAnswer, TokenSource } from './source.ts'
import { type Answer, Wallet } from './wallet.ts'

export interface HolderSettings {
  readonly tokenTimeoutMs: number
  readonly scale: number
  readonly identify?: ((claims: Claims) => string | undefined) | undefined
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
  readonly #wallet = new Wallet()
  #nextId = 1
  #signedIn = false
  /** Who is signed in may have changed each time that this rises. */
  #logins = 0
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
  answerOf(credentialId: number): Answer | undefined {
    return this.#wallet.answerOf(credentialId)
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
    this.#wallet.clear()
    const credential = this.#wallet.keep(answer, this.#settings.identify)
    this.#logins++
    this.#dispatch({ type: 'login', credential })
    for (const { port } of [...this.#links.values()]) port.signedIn(credential.identity)
  }

  /** The user left: links disconnect, everything is forgotten. Also clears the source. */
  loggedOut(): void {
    this.#logins++
    this.#source.clear()
    this.#wallet.clear()
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
    return askOnce(this, demand)
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

  /** Asks now where a backoff is waited out; `nudge` only once in a while. Never before the source's own advice. */
  hurry(type: 'nudge' | 'reconnect'): void {
    this.#dispatch({ type })
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

  get identity(): Identity {
    return { login: this.#logins, token: this.#runtime.state.identity }
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
        phase.kind === 'backing-off'
          ? { until: phase.retryAt, attempt: phase.failures, problem: phase.problem }
          : undefined,
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
        : { type: 'answered', credential: this.#wallet.keep(answer, this.#settings.identify) }
    } catch (cause) {
      return failureOf(cause)
    }
  }
}

const isSame = (one: Grant, other: Grant | undefined): boolean =>
  other !== undefined &&
  one.kind === other.kind &&
  (one.kind !== 'later' || (other.kind === 'later' && one.until === other.until))
