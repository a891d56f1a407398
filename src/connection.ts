/** What an `AuthedSocket` does, without its types: rooms, links, status and events, wired together. */

import { shown } from './core/identity.ts'
import type { Standing } from './core/standing.ts'
import { statusOf } from './core/status.ts'
import { NotConnectedError, RequestFailedError } from './errors.ts'
import { type Lines, type LinesHost, linesOf } from './links/lines.ts'
import type { LinkVerb } from './links/link-port.ts'
import type { CallOptions, MessageOptions } from './links/order.ts'
import { type Message, NO_META } from './links/room-control.ts'
import type { Resolved } from './options.ts'
import type { Incoming } from './protocols/protocol.ts'
import type { Room } from './room.ts'
import type { Seat } from './sessions/seat.ts'
import { throwIfAborted } from './shell/abort.ts'
import { Channel } from './shell/channel.ts'
import { watchPage } from './shell/page.ts'
import { randomId } from './shell/random-id.ts'
import { type Outcome, throwFailure, Waiters } from './shell/waiters.ts'
import { type SocketEvents, type Status, Statuses } from './status.ts'

const ASKING: Standing = { kind: 'asking', demand: { kind: 'again' } }

/** What a connection holds while its user wants to be connected. */
interface Attached {
  /** Epoch ms. */
  readonly since: number
  readonly seat: Seat
  /** Lets go of the session and the page. */
  detach(): void
}

export class Connection {
  readonly channel: Channel<Message<unknown>, SocketEvents<unknown>>
  readonly #options: Resolved
  readonly #lines: Lines
  readonly #waiters = new Waiters()
  readonly #statuses: Statuses
  #attached: Attached | undefined
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
    return welcome ?? shown(token)
  }

  explain(): readonly string[] {
    return this.#options.diary?.lines ?? ['pass diary: diary()']
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
    this.#options.holder.hurry('reconnect')
    return this.#handled(this.#connect('reconnect'))
  }

  disconnect(): Promise<void> {
    this.#attached?.detach()
    this.#attached = undefined
    this.#lines.tell('disconnect')
    this.channel.drop()
    this.#refresh()
    return Promise.resolve()
  }

  reauthenticate(): Promise<void> {
    return this.#handled(this.#reauthenticate())
  }

  tokenChanged(): Promise<void> {
    return this.#handled(this.#options.holder.changed())
  }

  send(data: unknown, options?: MessageOptions): Promise<void> {
    return this.#handled(this.#send(data, options))
  }

  request(type: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    return this.#handled(this.#call(type, payload, options))
  }

  async #connect(verb: LinkVerb, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    const isFirst = this.#attached === undefined
    this.channel.hold()
    this.#attach()
    this.#lines.tell(verb)
    // Rooms have sockets of their own, and none is wanted yet: there is only the credential to get. And what is
    // tried once more behind a refusal is shown, now that the user wants it.
    if (this.#hasNoLink() || this.#options.holder.view.refusal) this.#attached?.seat.report(ASKING)
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
    if (!this.#attached || this.status.state === 'failed') return this.#connect('connect')
    await this.#options.holder.refresh()
    this.#lines.tell('redial')
    await this.#waiters.wait(() => this.#outcome())
  }

  async #send(data: unknown, options?: MessageOptions): Promise<void> {
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
    if (this.#attached) return
    // Somebody else may have come while nothing was wanted.
    this.#forget()
    this.#warn()
    const { diary, holder } = this.#options
    const seat = holder.join({
      granted: ({ kind }) => {
        if (kind === 'go' || kind === 'fail') seat.report({ kind: 'out' })
      },
      signedIn: (who) => {
        if (who === 'another') this.#forget()
      },
      loggedOut: () => this.#loggedOut(),
      decided: (step) => diary?.session(step),
    })
    const stops = [holder.watch(() => this.#refresh()), watchPage((news) => this.#nudge(news))]
    this.#attached = {
      since: Date.now(),
      seat,
      detach: () => {
        for (const stop of stops) stop()
        seat.leave()
      },
    }
  }

  /** News from the page: reasons to try again sooner. The token first, then the sockets. */
  #nudge(news: 'nudge' | 'reroute'): void {
    this.#options.holder.hurry('nudge')
    this.#lines.tell(news)
  }

  #warn(): void {
    const { exchange, logger, transmission } = this.#options
    const warning = exchange ? undefined : transmission?.warning
    if (warning !== undefined && !this.#warned) logger.warn(warning)
    this.#warned = true
  }

  #loggedOut(): void {
    this.#forget()
    this.disconnect()
  }

  /** Rooms, queue and what nobody has read yet of who was here before. */
  #forget(): void {
    this.#lines.forget(this.#options.holder.identity.since)
    this.channel.drop()
  }

  #refresh(): void {
    const { states, where } = this.#lines
    const view = statusOf(states, this.#attached?.since, this.#options.holder.view)
    if (this.#statuses.show(view, where, states)) this.#waiters.look()
  }

  #host(): LinesHost {
    let clientId: string | undefined
    return {
      // Not before it is sent: Workers draw nothing at module level.
      get clientId() {
        clientId ??= randomId()
        return clientId
      },
      waiters: this.#waiters,
      outcome: () => this.#outcome(),
      throwIfFailed: () => {
        if (this.status.state === 'failed') throw this.status.error
      },
      want: () => this.#attach(),
      refresh: () => this.#refresh(),
      message: (data, meta) => this.channel.push({ data, meta: meta ?? NO_META }),
      misread: (message) => this.#misread(message),
      reconnected: () => this.channel.emit('gap', { reason: 'no-recovery' }),
      report: (error) => this.report(error),
      handled: (promise) => this.#handled(promise),
    }
  }

  #misread(message: Incoming): void {
    if (message.kind === 'unreadable')
      this.report(new TypeError(`a frame could not be read: ${message.detail}`))
    if (message.kind === 'error')
      this.report(new RequestFailedError(`the server says: ${message.message}`, message.code))
  }
}
