import type { Entrance } from '../core/identity.ts'
import { TokenUnavailableError } from '../errors.ts'
import { abortError, abortReason, throwIfAborted } from '../shell/abort.ts'
import { Emitter, type ListenOptions } from '../shell/emitter.ts'
import { inTime } from '../shell/in-time.ts'
import { abortable, handled } from '../shell/promises.ts'
import { CredentialHolder } from './holder.ts'
import { type LoginOptions, loginTimeoutMs } from './login-options.ts'
import { isRegistered, register } from './registry.ts'
import { endSession } from './seat.ts'
import { sessionFetch } from './session-fetch.ts'
import type { Entry, SessionParts } from './session-parts.ts'
import type { TokenAnswer } from './source.ts'
import type { SessionPort } from './tabs-port.ts'
import type { Fetch } from './token-endpoint.ts'

/** Each event comes after the change; `signedIn` shows the new state. */
export interface SessionEvents {
  signedin: undefined
  signedout: undefined
}

/**
 * Who is signed in: owns the credential, its rotation and its expiry. Any number of sockets, and REST
 * through `fetch`, share one. Ignoring a returned promise never raises `unhandledRejection`.
 */
export interface Session<Credentials = never> {
  /**
   * Signs in, replacing whoever was signed in. A login that another login or `logout()` overtakes
   * rejects with an `AbortError`.
   *
   * @param credentials - may be left out where the session was made with `credentials`
   * @throws {TokenRefusedError} TOKEN_REFUSED: wrong credentials
   * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: no answer in time, or one that is none
   * @throws {TypeError} a session without a login, or credentials of a wrong shape
   */
  login(credentials?: Credentials, options?: LoginOptions): Promise<void>
  /**
   * Signs in as somebody else, as `logout()` and `login()` in one step; wrong credentials leave the old user
   * signed in. Sockets forget rooms and queue, and come back as the new user. The old user's refresh token is
   * revoked where the session has a URL for that, except where a cookie carried it: the login replaced it.
   *
   * @throws as `login()`
   */
  switch(credentials?: Credentials, options?: LoginOptions): Promise<void>
  /**
   * Signs in again with what an earlier page, or process, left: a token store or a cookie. Joins a
   * login, or another restore, that is under way.
   *
   * @returns `false` when nothing was left, or the server refuses it
   * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: unknown yet; call again later
   */
  restore(): Promise<boolean>
  /**
   * Forgets everything at once, also offline; its sockets disconnect. Then the server is told, where
   * the session has a URL for that. Never rejects.
   *
   * @param options.revoke - `false`: do not tell the server. Default `true`
   */
  logout(options?: { revoke?: boolean }): Promise<void>
  readonly signedIn: boolean
  /** @returns unsubscribe */
  on<Name extends keyof SessionEvents>(
    name: Name,
    listener: () => unknown,
    options?: ListenOptions,
  ): () => void
  /**
   * The global `fetch` with the token as `Authorization: Bearer`, on the session's origins only. A 401
   * is answered by one refresh and one retry, unless the body is a stream. Redirects are errors, unless
   * `redirect: 'manual'`: `'follow'` would carry the request elsewhere.
   *
   * @throws {TypeError} another origin than the session's, before any I/O
   * @throws {InsecureUrlError} INSECURE_URL
   * @see RFC 6750 §2.1
   */
  readonly fetch: Fetch
}

interface Entering {
  readonly controller: AbortController
  readonly done: Promise<boolean>
}

class PartedSession<Credentials> implements Session<Credentials> {
  readonly fetch: Fetch
  readonly #parts: SessionParts<Credentials>
  readonly #holder: CredentialHolder
  readonly #emitter = new Emitter<SessionEvents>(['signedin', 'signedout'], (error, by) =>
    this.#holder.warn(error, by),
  )
  #entering: Entering | undefined

  constructor(parts: SessionParts<Credentials>) {
    this.#parts = parts
    this.#holder = new CredentialHolder(parts.source, parts.reach.scheme)
    this.fetch = sessionFetch(parts.reach, this.#holder, parts.source)
    register(this, this.#holder, parts.reach)
    let last = false
    this.#holder.watch(() => {
      if (this.signedIn === last) return
      last = this.signedIn
      this.#emitter.emit(last ? 'signedin' : 'signedout', undefined)
    })
    parts.follow?.(this.#port())
    if (parts.initial) this.#come(parts.initial)
  }

  get signedIn(): boolean {
    return this.#holder.isSignedIn
  }

  login(credentials?: Credentials, options: LoginOptions = {}): Promise<void> {
    return handled(this.#login('login', credentials, options))
  }

  switch(credentials?: Credentials, options: LoginOptions = {}): Promise<void> {
    return handled(this.#login('switch', credentials, options))
  }

  restore(): Promise<boolean> {
    return handled(this.#restore())
  }

  logout(options: { revoke?: boolean } = {}): Promise<void> {
    this.#overtake('logout')
    const revoke = options.revoke === false ? undefined : this.#parts.revoker?.()
    this.#leave()
    return Promise.resolve(revoke?.()).then(
      () => {},
      () => {},
    )
  }

  on(name: keyof SessionEvents, listener: () => unknown, options?: ListenOptions): () => void {
    return this.#emitter.on(name, listener, options)
  }

  async #login(
    verb: 'login' | 'switch',
    credentials: Credentials | undefined,
    options: LoginOptions,
  ): Promise<void> {
    const { signIn, maker } = this.#parts
    if (!signIn) throw new TypeError(`a session of ${maker} has no login`)
    const ms = loginTimeoutMs(verb, options)
    const { signal } = options
    throwIfAborted(signal)
    const late = () =>
      new TokenUnavailableError(`${maker}: ${verb}() did not get an answer in time`)
    await inTime(ms, late, signal, (limited) =>
      this.#enter(
        (entering) => signIn(credentials, entering),
        (entry) => this.#commit(entry, verb),
        limited,
      ),
    )
  }

  async #restore(): Promise<boolean> {
    if (this.#entering) return this.#entering.done
    const { restore } = this.#parts
    if (this.#holder.held || !restore) return this.signedIn
    return this.#enter(restore, (entry) => this.#commit(entry, 'restore'))
  }

  /** One entry at a time: the last one that was asked for is the one that counts. */
  #enter(
    enter: (signal: AbortSignal) => Promise<Entry | undefined>,
    commit: (entry: Entry) => void,
    signal?: AbortSignal,
  ): Promise<boolean> {
    this.#overtake('another login')
    const controller = new AbortController()
    const { signal: ended } = controller
    signal?.addEventListener('abort', () => controller.abort(abortReason(signal)), {
      once: true,
      signal: ended,
    })
    const finish = () => {
      if (this.#entering === entering) this.#entering = undefined
      controller.abort()
    }
    const done = abortable(enter(ended), ended)
      .then((entry) => {
        throwIfAborted(ended)
        if (entry !== undefined) commit(entry)
        return entry !== undefined
      })
      .finally(finish)
    const entering: Entering = { controller, done }
    this.#entering = entering
    return done
  }

  #commit(entry: Entry, verb: Entrance): void {
    const { revoker, revokesByToken } = this.#parts
    const revoke = verb === 'switch' && revokesByToken ? revoker?.() : undefined
    entry.commit(verb)
    this.#come(entry.answer, verb)
    if (revoke) handled(revoke())
  }

  #come(answer: TokenAnswer, how?: Entrance): void {
    if (answer.kind === 'signed-out') this.#leave()
    else this.#holder.signedIn(answer, how)
  }

  #leave(): void {
    this.#parts.source.clear()
    this.#holder.left()
  }

  #port(): SessionPort {
    return {
      signedIn: (answer, how) => this.#come(answer, how),
      signedOut: () => this.#holder.left(),
      renewed: () => handled(this.#holder.changed()),
      refused: (cause) => endSession(this.#holder, { kind: 'token-refused', cause }),
    }
  }

  #overtake(by: string): void {
    this.#entering?.controller.abort(abortError(`the login was overtaken by ${by}`))
    this.#entering = undefined
  }
}

export const createSession = <Credentials>(
  parts: SessionParts<Credentials>,
): Session<Credentials> => new PartedSession(parts)

export const isSession = (value: unknown): value is Session<unknown> => isRegistered(value)
