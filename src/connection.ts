/** What an `AuthedSocket` does, without its types: rooms, links, status and events, wired together. */

import type { LinkState } from './core/link-state.ts'
import { statusOf } from './core/status.ts'
import { NotConnectedError, RequestFailedError } from './errors.ts'
import type { SendOptions } from './links/delivery.ts'
import { type CallOptions, type Lines, type LinesHost, linesOf } from './links/lines.ts'
import type { LinkVerb } from './links/link.ts'
import { type Message, NO_META } from './links/room-control.ts'
import type { Resolved } from './options.ts'
import type { Incoming } from './protocols/protocol.ts'
import type { Room } from './room.ts'
import { Channel } from './shell/channel.ts'
import { watchPage } from './shell/page.ts'
import { type Outcome, throwFailure, Waiters } from './shell/waiters.ts'
import { type SocketEvents, type Status, Statuses } from './status.ts'

export class Connection {
  readonly channel: Channel<Message<unknown>, SocketEvents<unknown>>
  readonly #options: Resolved
  readonly #lines: Lines
  readonly #waiters = new Waiters()
  readonly #statuses: Statuses
  /** Set while the user is connected: lets go of the session and the page. */
  #detach: (() => void) | undefined
  #warned = false

  constructor(options: Resolved) {
    this.#options = options
    this.channel = new Channel((error) => this.report(error))
    this.#statuses = new Statuses(this.channel, options.logger)
    this.#lines = linesOf(options, this.#host())
  }

  get status(): Status {
    return this.#statuses.current
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
    if (!this.#detach || this.status.state === 'failed') return this.#connect('connect')
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
    const { status } = this
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
    const { holder } = this.#options
    const view = statusOf(this.#lines.states, this.#detach !== undefined, holder.view)
    if (this.#statuses.show(view, this.#lines.where, link)) this.#waiters.look()
  }

  #host(): LinesHost {
    return {
      clientId: randomId(),
      waiters: this.#waiters,
      outcome: () => this.#outcome(),
      throwIfFailed: () => {
        if (this.status.state === 'failed') throw this.status.error
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

const nothing = (): void => {}

/** 128 random bits. */
const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
