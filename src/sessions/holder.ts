/** Runs the credential machine of one session, and keeps the tokens that the machine must not know. */
import type { Credential } from '../core/credential.ts'
import { transition, workOf } from '../core/credential-machine.ts'
import {
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  type CredentialWork,
  identityOf,
  initialCredentialState,
} from '../core/credential-state.ts'
import { mayDoubt } from '../core/doubt.ts'
import type { Entrance, Identity } from '../core/identity.ts'
import { STRANGER } from '../core/problem.ts'
import { isSameView, type SessionView, viewOf } from '../core/status.ts'
import { errorOf } from '../error-of.ts'
import { TokenUnavailableError } from '../errors.ts'
import { Runtime } from '../shell/runtime.ts'
import { callAt, moment } from '../shell/timers.ts'
import { Unheard, type Warner } from '../shell/unheard.ts'
import { askSource, type WithoutMoment } from './failure.ts'
import { type HostAnswer, Inquiry } from './inquiry.ts'
import { askOnce, type LinkPort, type Seat, Seats } from './seat.ts'
import type { TokenSource } from './source.ts'
import { type Answer, type Identify, Wallet } from './wallet.ts'

export interface HolderSettings {
  readonly tokenTimeoutMs: number
  readonly scale: number
  readonly identify?: Identify | undefined
  readonly logger?: Warner
}

export class CredentialHolder {
  readonly host = new Inquiry<Promise<HostAnswer>>()
  readonly #source: TokenSource
  readonly #runtime: Runtime<CredentialState, CredentialEvent, CredentialWork>
  readonly #seats = new Seats()
  readonly #watchers = new Set<() => void>()
  readonly #wallet = new Wallet()
  readonly #unheard = new Unheard()
  #signedIn = false
  #settings: HolderSettings = { tokenTimeoutMs: 10_000, scale: 1 }

  /** @param scheme - the word before the token in `Authorization` */
  constructor(
    source: TokenSource,
    readonly scheme = 'Bearer',
  ) {
    this.#source = source
    this.#runtime = new Runtime({
      initial: initialCredentialState,
      transition: (state, event) => transition(state, event, this.#limits()),
      workOf: (state) => workOf(state, this.#limits()),
      start: (work, report) => this.#start(work, report),
      changed: (next, previous, event) => {
        const step = [event, previous, next] as const
        this.#seats.tell((port) => port.decided?.(step))
        this.#came(...step)
        this.#changed(next, previous)
      },
    })
  }

  /** The sockets of a session bring their numbers along; the latest win. A name that one of them gives is all of theirs. */
  configure(settings: HolderSettings): void {
    this.#settings = { ...settings, identify: settings.identify ?? this.#settings.identify }
  }

  /** Of the session's own listeners. Without a socket there is no other logger. */
  warn(error: unknown, by: string): void {
    this.#unheard.tell(this.#settings.logger ?? console, by, error)
  }

  join(port: LinkPort): Seat {
    return this.#seats.join(
      port,
      (id, standing) => this.#dispatch({ type: 'link', id, standing }),
      () => {
        if (this.#source.signsInElsewhere) this.#dispatch({ type: 'released' })
      },
    )
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

  /**
   * A login, or a restore, brought a credential. Replaces whatever was held. Where it is another person's, or
   * may be, links forget what was the old one's.
   */
  signedIn(answer: Answer, how: Entrance = 'restore'): void {
    const credential = this.#wallet.keep(answer, this.#settings.identify)
    this.#wallet.clear(credential.id)
    this.#dispatch({ type: 'login', credential, how })
  }

  /** The user left, and the source knows: links disconnect, everything is forgotten. */
  left(): void {
    this.#wallet.clear()
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
   * @throws {TokenInvalidError} TOKEN_INVALID: one of somebody else came
   */
  async refresh(): Promise<Credential> {
    const before = this.held?.id
    const credential = await this.#ask('refresh')
    if (credential.id === before)
      throw new TokenUnavailableError('the token source gave no other token')
    return credential
  }

  /** Asks now where a backoff is waited out; `nudge` only once in a while. Never before the source's own advice. */
  hurry(type: 'nudge' | 'reconnect'): void {
    this.#dispatch({ type })
  }

  /** Could a refresh follow, if the host answers after so many ms of silence? */
  readonly mayDoubt = (forMs: number): boolean =>
    mayDoubt(this.#runtime.state, { forMs, at: Date.now() }, this.#limits())

  /** The user's auth library may have another token: asks without forcing one. */
  async changed(): Promise<void> {
    if (this.isSignedIn) await this.#ask('changed')
  }

  /** What is held goes on where an answer is refused, so that is told apart here. */
  async #ask(type: 'refresh' | 'changed'): Promise<Credential> {
    this.#dispatch({ type })
    const credential = await this.credential()
    if (this.#runtime.state.whose.strangers > 0) throw errorOf(STRANGER)
    return credential
  }

  get held(): Credential | undefined {
    const { phase } = this.#runtime.state
    return phase.kind === 'held' ? phase.credential : undefined
  }

  get identity(): Identity {
    return identityOf(this.#runtime.state)
  }

  /** From the first credential that was held until the session ends. */
  get isSignedIn(): boolean {
    return this.#signedIn
  }

  /** What the status of a socket shows of its session. */
  get view(): SessionView {
    return viewOf(this.#runtime.state)
  }

  get sendsCookie(): boolean {
    return this.#source.sendsCookie === true
  }

  /** Called after each change of what is held. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Somebody comes or goes: nobody else hears of it before each link has. */
  #came({ type }: CredentialEvent, previous: CredentialState, next: CredentialState): void {
    if (type === 'logout') this.#seats.tell((port) => port.loggedOut())
    else if (next.whose.since > previous.whose.since) {
      if (next.phase.kind === 'held') this.#wallet.clear(next.phase.credential.id)
      this.#seats.tell((port) => port.signedIn('another'))
      this.#signedIn = false
      this.#tell()
    } else if (type === 'login') this.#seats.tell((port) => port.signedIn('same'))
    // A link may have asked for another value already: signed in it is all the same.
    if (type === 'login') this.#signedIn = true
  }

  #limits(): CredentialLimits {
    const { canRenew, canAsk, everyDial, rotates, signsInElsewhere } = this.#source
    return { canRenew, canAsk, everyDial, rotates, signsInElsewhere, ...this.#settings }
  }

  #dispatch(event: WithoutMoment<CredentialEvent>): void {
    this.#runtime.dispatch({ ...event, ...moment() })
  }

  /** A thousand sockets each report several times for each dial: what they cannot see, they are not told. */
  #changed(next: CredentialState, previous: CredentialState): void {
    if (!next.links.size) this.host.forget()
    if (isSameView(next, previous)) this.#seats.grant(() => this.#runtime.state)
    else this.#announce()
  }

  #announce(): void {
    const { held, refusal } = this.view
    if (held && !refusal) this.#signedIn = true
    if (refusal || this.#runtime.state.phase.kind === 'absent') this.#signedIn = false
    this.#seats.grant(() => this.#runtime.state)
    this.#tell()
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  #start(work: CredentialWork, report: (event: CredentialEvent) => void): () => void {
    if (work.kind === 'timer')
      return callAt(work.at, () => report({ type: work.event, ...moment() }))
    const controller = new AbortController()
    const keep = (answer: Answer) => this.#wallet.keep(answer, this.#settings.identify)
    askSource(this.#source, work.ask, controller.signal, keep).then((event) =>
      report({ ...event, ...moment() }),
    )
    return () => controller.abort()
  }
}
