/** What an `AuthedSocket` does, without its types: rooms, links, status and events, wired together. */

import type { LinkState } from '../core/link-state.ts'
import type { Action } from '../core/problem.ts'
import { type StatusView, statusOf } from '../core/status.ts'
import { errorOf } from '../error-of.ts'
import { type AnyAuthedSocketError, NotConnectedError, RequestFailedError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import type { Incoming } from '../protocols/protocol.ts'
import type { Room } from '../room.ts'
import { Channel, type Gap } from './channel.ts'
import type { SendOptions } from './line.ts'
import type { CallOptions, Lines, LinesHost } from './lines.ts'
import type { LinkVerb } from './link.ts'
import { watchPage } from './page.ts'
import { type Message, NO_META } from './room-control.ts'
import { type Outcome, throwFailure, Waiters } from './waiters.ts'

/** Where the socket is, immutable. `error` says why; `action` says who can mend it. */
export type Status =
  | Extract<StatusView, { state: 'idle' | 'authenticating' | 'connecting' | 'connected' }>
  | (Omit<Extract<StatusView, { state: 'waiting' }>, 'problem'> & {
      readonly error: AnyAuthedSocketError
    })
  | { readonly state: 'failed'; readonly error: AnyAuthedSocketError; readonly action: Action }

export interface SocketEvents<Data> {
  statechange: { readonly status: Status; readonly previous: Status }
  connected: { readonly reconnected: boolean }
  /** `willRetry: false`: it failed, or you disconnected. */
  disconnected: { readonly willRetry: boolean; readonly code: number; readonly reason: string }
  /** Only a person can go on: show the sign-in form. */
  signinrequired: { readonly error: AnyAuthedSocketError }
  /** Of protocols without rooms. */
  message: Message<Data>
  gap: Gap
  /** Everything that a promise was rejected with, and what happened outside of any. */
  error: unknown
}

export class Connection {
  readonly channel: Channel<Message<unknown>, SocketEvents<unknown>>
  readonly #options: Resolved
  readonly #lines: Lines
  readonly #waiters = new Waiters()
  #view: StatusView = { state: 'idle', everConnected: false }
  #status: Status = { state: 'idle', everConnected: false }
  /** Set while the user is connected: lets go of the session and the page. */
  #detach: (() => void) | undefined
  #wasConnected = false
  #warned = false
  readonly #announcements: (() => void)[] = []

  constructor(options: Resolved) {
    this.#options = options
    this.channel = new Channel((error) => this.report(error))
    this.#lines = options.rooms.make(options, this.#host())
  }

  get status(): Status {
    return this.#status
  }

  get identity(): string | undefined {
    const { token, welcome } = this.#lines.identity
    return welcome ?? token
  }

  report(error: unknown): void {
    this.channel.emit('error', error)
  }

  room(name: string): Room {
    return this.#lines.room(name)
  }

  connect(signal?: AbortSignal): Promise<void> {
    return this.#handled(this.#connect('connect', signal))
  }

  reconnect(): Promise<void> {
    return this.#handled(this.#connect('reconnect'))
  }

  disconnect(): Promise<void> {
    this.#detach?.()
    this.#detach = undefined
    this.#lines.tell('disconnect')
    this.#refresh()
    return Promise.resolve()
  }

  reauthenticate(): Promise<void> {
    return this.#handled(this.#reauthenticate())
  }

  tokenChanged(): Promise<void> {
    return this.#handled(this.#options.holder.changed())
  }

  send(data: unknown, options?: SendOptions): Promise<void> {
    return this.#handled(this.#send(data, options))
  }

  request(type: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    return this.#handled(this.#call(type, payload, options))
  }

  async #connect(verb: LinkVerb, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const isFirst = this.#detach === undefined
    this.channel.hold()
    this.#attach()
    this.#lines.tell(verb)
    // Rooms have sockets of their own, and none is wanted yet: there is only the credential to get.
    if (this.#hasNoLink()) this.#options.holder.credential('again').catch(nothing)
    this.#refresh()
    try {
      await this.#waiters.wait(() => this.#outcome(), signal)
    } catch (error) {
      if (signal?.aborted && isFirst) this.disconnect()
      throw error
    }
    this.channel.expire()
  }

  async #reauthenticate(): Promise<void> {
    if (!this.#detach || this.#status.state === 'failed') return this.#connect('connect')
    await this.#options.holder.refresh()
    this.#lines.tell('redial')
    await this.#waiters.wait(() => this.#outcome())
  }

  async #send(data: unknown, options?: SendOptions): Promise<void> {
    throwFailure(this.#outcome())
    await this.#lines.send(data, options)
  }

  async #call(type: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    throwFailure(this.#outcome())
    return this.#lines.call(type, payload, options)
  }

  #outcome(): Outcome {
    const status = this.#status
    if (status.state === 'connected') return { done: true }
    if (status.state === 'failed') return { error: status.error }
    return status.state === 'idle'
      ? { error: new NotConnectedError('not connected: connect() first') }
      : undefined
  }

  /** Ignoring the promise never raises `unhandledRejection`; its error goes to the `error` event. */
  #handled<Value>(promise: Promise<Value>): Promise<Value> {
    promise.catch((error: unknown) => this.report(error))
    return promise
  }

  #hasNoLink(): boolean {
    return this.#options.protocol.rooms.kind === 'per-socket' && this.#lines.states.length === 0
  }

  #attach(): void {
    if (this.#detach) return
    this.#warn()
    const seat = this.#options.holder.join({
      granted: nothing,
      signedIn: () => this.#refresh(),
      loggedOut: () => this.#loggedOut(),
    })
    const stops = [
      () => seat.leave(),
      this.#options.holder.watch(() => this.#refresh()),
      watchPage(() => this.#lines.tell('nudge')),
    ]
    this.#detach = () => {
      for (const stop of stops) stop()
    }
  }

  #warn(): void {
    const { warning } = this.#options.transmission ?? {}
    if (warning !== undefined && !this.#warned) this.#options.logger.warn(warning)
    this.#warned = true
  }

  /** Rooms, queue and credential were the old user's. */
  #loggedOut(): void {
    this.#lines.forgetRooms()
    this.disconnect()
  }

  #refresh(link?: LinkState): void {
    const view = statusOf(this.#lines.states, this.#detach !== undefined, this.#options.holder.view)
    if (isSame(view, this.#view)) return
    const previous = this.#status
    const next = Object.freeze(this.#withError(view))
    this.#view = view
    this.#status = next
    this.#announce(next, previous, link)
    this.#waiters.look()
  }

  /** A listener may disconnect, or connect: what follows from that is announced after this. */
  #announce(status: Status, previous: Status, link: LinkState | undefined): void {
    const emit = this.channel.emit.bind(this.channel)
    this.#announcements.push(() => {
      this.#options.logger.debug(`authed-socket: ${previous.state} → ${status.state}`)
      emit('statechange', { status, previous })
      if (status.state === 'connected' && previous.state !== 'connected') {
        emit('connected', { reconnected: this.#wasConnected })
        this.#wasConnected = true
      }
      if (previous.state === 'connected' && status.state !== 'connected')
        emit('disconnected', { willRetry: isTrying(status), ...closeOf(link) })
      if (status.state === 'failed' && status.action === 'sign-in')
        emit('signinrequired', { error: status.error })
    })
    if (this.#announcements.length > 1) return
    for (let first = this.#announcements[0]; first; first = this.#announcements[0]) {
      first()
      this.#announcements.shift()
    }
  }

  #withError(view: StatusView): Status {
    if (view.state !== 'waiting' && view.state !== 'failed') return view
    const { problem, ...rest } = view
    return { ...rest, error: errorOf(problem, this.#lines.where) }
  }

  #host(): LinesHost {
    return {
      clientId: randomId(),
      waiters: this.#waiters,
      outcome: () => this.#outcome(),
      throwIfFailed: () => {
        if (this.#status.state === 'failed') throw this.#status.error
      },
      want: () => this.#attach(),
      refresh: (link) => this.#refresh(link),
      message: (data, meta) => this.channel.push({ data, meta: meta ?? NO_META }),
      misread: (message) => this.#misread(message),
      reconnected: () => this.channel.emit('gap', { reason: 'no-recovery' }),
      report: (error) => this.report(error),
      handled: (promise) => this.#handled(promise),
    }
  }

  #misread(message: Incoming): void {
    if (message.kind === 'unreadable')
      this.report(new TypeError(`the server sent what is no frame: ${message.detail}`))
    if (message.kind === 'error')
      this.report(new RequestFailedError(`the server says: ${message.message}`, message.code))
  }
}

/** Views are flat, and their problems keep their identity. */
const isSame = (one: StatusView, other: StatusView): boolean => {
  const keys = Object.keys(one) as (keyof StatusView)[]
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key])
}

const isTrying = ({ state }: Status): boolean => state !== 'failed' && state !== 'idle'

const nothing = (): void => {}

/** 128 random bits. */
const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')

const closeOf = (link: LinkState | undefined): { code: number; reason: string } => {
  const problem = link && 'problem' in link ? link.problem : undefined
  return problem?.kind === 'closed'
    ? { code: problem.code, reason: problem.reason }
    : { code: 1006, reason: '' }
}
