/** What an `AuthedSocket` does, without its types: rooms, links, status and events, wired together. */

import { shown } from './core/identity.ts'
import type { Standing } from './core/standing.ts'
import { statusOf } from './core/status.ts'
import { tellMisread } from './error-of.ts'
import { endedByUser } from './errors.ts'
import { type Lines, type LinesHost, linesOf } from './links/lines.ts'
import type { LinkVerb } from './links/link-port.ts'
import type { CallOptions, MessageOptions } from './links/order.ts'
import { type Message, NO_META } from './links/room-control.ts'
import type { Resolved } from './options.ts'
import type { Room } from './room.ts'
import type { Seat } from './sessions/seat.ts'
import { throwIfAborted } from './shell/abort.ts'
import { Channel } from './shell/channel.ts'
import { watchPage } from './shell/page.ts'
import { randomId } from './shell/random-id.ts'
import { Reports, told } from './shell/reports.ts'
import { type Outcome, Waiters } from './shell/waiters.ts'
import { SOCKET_EVENTS, type SocketEvents, type Status, Statuses, throwIf } from './status.ts'

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
  readonly #reports: Reports
  #attached: Attached | undefined
  #warned = false

  constructor(options: Resolved) {
    this.#options = options
    this.channel = new Channel(SOCKET_EVENTS, (error, by) => this.#reports.report(error, by))
    this.#reports = new Reports(this.channel, options.logger)
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

  room(name: string): Room {
    return this.#lines.room(name)
  }

  connect(signal?: AbortSignal): Promise<void> {
    return this.#handled('connect()', this.#connect('connect', signal), signal)
  }

  reconnect(): Promise<void> {
    this.#options.holder.hurry('reconnect')
    return this.#handled('reconnect()', this.#connect('reconnect'))
  }

  disconnect(): Promise<void> {
    this.#detach()
    this.#lines.tell('disconnect')
    this.channel.drop()
    this.#refresh()
    return Promise.resolve()
  }

  reauthenticate(): Promise<void> {
    return this.#handled('reauthenticate()', this.#reauthenticate())
  }

  tokenChanged(): Promise<void> {
    return this.#handled('tokenChanged()', this.#options.holder.changed())
  }

  send(data: unknown, options?: MessageOptions): Promise<void> {
    return this.#handled('send()', this.#send(data, options), options?.signal)
  }

  request(type: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    return this.#handled('request()', this.#call(type, payload, options), options?.signal)
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
    this.#checkSend()
    await this.#lines.send(data, options)
  }

  async #call(type: string, payload: unknown, options?: CallOptions): Promise<unknown> {
    this.#checkSend()
    return this.#lines.call(type, payload, options)
  }

  #checkSend(): void {
    throwIf('failed', this.status)
    if (!this.#ownsRooms) throwIf('idle', this.status)
  }

  #outcome(): Outcome {
    const { status } = this
    if (status.state === 'connected') return { done: true }
    if (status.state === 'failed') return { error: status.error }
    return status.state === 'idle' ? { error: endedByUser('disconnected') } : undefined
  }

  #handled<Value>(by: string, promise: Promise<Value>, signal?: AbortSignal): Promise<Value> {
    return told(promise, (error) => this.#reports.report(error, by), signal)
  }

  get #ownsRooms(): boolean {
    return this.#options.protocol.rooms.kind === 'per-socket'
  }

  #hasNoLink(): boolean {
    return this.#ownsRooms && this.#lines.states.length === 0
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

  #detach(): void {
    this.#attached?.detach()
    this.#attached = undefined
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
    this.#detach()
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
    const { report } = this.#reports
    let clientId: string | undefined
    return {
      // Not before it is sent: Workers draw nothing at module level.
      get clientId() {
        clientId ??= randomId()
        return clientId
      },
      waiters: this.#waiters,
      outcome: () => this.#outcome(),
      throwIf: (state) => throwIf(state, this.status),
      want: () => this.#attach(),
      refresh: () => this.#refresh(),
      message: (data, meta) => this.channel.push({ data, meta: meta ?? NO_META }),
      misread: (message) => tellMisread(message, report),
      reconnected: () => this.channel.emit('gap', { reason: 'no-recovery' }),
      report,
    }
  }
}
