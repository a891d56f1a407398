/** Runs the credential machine of one session, and keeps the tokens that the machine must not know. */
import type { Credential } from '../core/credential.ts'
import { transition, workOf } from '../core/credential-machine.ts'
import {
  type CredentialEvent,
  type CredentialLimits,
  type CredentialState,
  type CredentialWork,
  type Entrance,
  initialCredentialState,
} from '../core/credential-state.ts'
import { mayDoubt } from '../core/doubt.ts'
import { type Identity, isOther } from '../core/identity.ts'
import { isSameView, type SessionView, viewOf } from '../core/status.ts'
import { TokenUnavailableError } from '../errors.ts'
import { Runtime } from '../shell/runtime.ts'
import { callAt, moment } from '../shell/timers.ts'
import type { Claims } from './claims.ts'
import { askSource, type WithoutMoment } from './failure.ts'
import { type HostAnswer, Inquiry } from './inquiry.ts'
import { askOnce, type LinkPort, type Seat, Seats } from './seat.ts'
import type { TokenAnswer, TokenSource } from './source.ts'
import { type Answer, Wallet } from './wallet.ts'

export interface HolderSettings {
  readonly tokenTimeoutMs: number
  readonly scale: number
  readonly identify?: ((claims: Claims) => string | undefined) | undefined
}

export class CredentialHolder {
  readonly host = new Inquiry<Promise<HostAnswer>>()
  readonly #source: TokenSource
  readonly #runtime: Runtime<CredentialState, CredentialEvent, CredentialWork>
  readonly #seats = new Seats()
  readonly #watchers = new Set<() => void>()
  readonly #wallet = new Wallet()
  #signedIn = false
  /** Who is signed in may have changed each time that this rises. */
  #logins = 0
  #isQuiet = false
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
        this.#seats.tell((port) => port.decided?.([event, previous, next]))
        this.#changed(next, previous)
      },
    })
  }

  /** The sockets of a session bring their numbers along; the latest win. */
  configure(settings: HolderSettings): void {
    this.#settings = settings
  }

  join(port: LinkPort): Seat {
    return this.#seats.join(port, (id, standing) => this.#dispatch({ type: 'link', id, standing }))
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
   * may be after a switch, links forget what was the old one's.
   */
  signedIn(answer: TokenAnswer, how: Entrance = 'restore'): void {
    if (answer.kind === 'signed-out') {
      this.loggedOut()
      return
    }
    this.#wallet.clear()
    const credential = this.#wallet.keep(answer, this.#settings.identify)
    const { identity } = credential
    const { token: before } = this.identity
    const changesHands =
      how === 'switch'
        ? before === undefined || before !== identity
        : isOther(before, identity) ||
          // A cookie that had changed hands: that it is another's is why the session had ended.
          this.view.refusal?.kind === 'token-invalid'
    this.#step({ type: 'login', credential, how }, (port) => port.signedIn(identity, changesHands))
    if (changesHands) {
      this.#signedIn = false
      this.#tell()
    }
    // A link may have asked for another value already: signed in it is all the same.
    this.#signedIn = true
    this.#announce()
  }

  /** The user left: links disconnect, everything is forgotten. Also clears the source. */
  loggedOut(): void {
    this.#source.clear()
    this.left()
  }

  /** As `loggedOut`, where the source knows already. */
  left(): void {
    this.#wallet.clear()
    this.#step({ type: 'logout' }, (port) => port.loggedOut())
    this.#announce()
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

  /** Could a refresh follow, if the host answers after so many ms of silence? */
  readonly mayDoubt = (forMs: number): boolean =>
    mayDoubt(this.#runtime.state, { forMs, at: Date.now() }, this.#limits())

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

  onSignedIn(listener: (signedIn: boolean) => void): () => void {
    let last = this.isSignedIn
    return this.watch(() => {
      if (this.isSignedIn === last) return
      last = this.isSignedIn
      listener(last)
    })
  }

  /** Somebody comes or goes: nobody hears of it before each link has. */
  #step(event: WithoutMoment<CredentialEvent>, told: (port: LinkPort) => void): void {
    this.#logins++
    this.#isQuiet = true
    this.#dispatch(event)
    this.#isQuiet = false
    this.#seats.tell(told)
  }

  #limits(): CredentialLimits {
    const { canRenew, canAsk, everyDial, rotates } = this.#source
    return { canRenew, canAsk, everyDial, rotates, ...this.#settings }
  }

  #dispatch(event: WithoutMoment<CredentialEvent>): void {
    this.#runtime.dispatch({ ...event, ...moment() })
  }

  /** A thousand sockets each report several times for each dial: what they cannot see, they are not told. */
  #changed(next: CredentialState, previous: CredentialState): void {
    if (!next.links.size) this.host.forget()
    if (this.#isQuiet) return
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
