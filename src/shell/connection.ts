/** What an `AuthedSocket` does, without its types: rooms, links, status and events, wired together. */
import type { Action } from '../core/problem.ts'
import { type StatusView, statusOf } from '../core/status.ts'
import type { LinkState } from '../core/link-state.ts'
import { errorOf } from '../error-of.ts'
import { type AnyAuthedSocketError, NotConnectedError } from '../errors.ts'
import type { Resolved } from '../options.ts'
import { Channel, type Gap } from './channel.ts'
import type { SendOptions } from './line.ts'
import type { Lines, LinesListener } from './lines.ts'
import { watchPage } from './page.ts'
import { type JoinOptions, type Message, RoomControl } from './room-control.ts'
import { RoomLines } from './room-lines.ts'
import { SharedLine } from './shared-line.ts'
import { type Outcome, Waiters } from './waiters.ts'

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
  readonly #rooms = new Map<string, RoomControl>()
  readonly #waiters = new Waiters()
  #view: StatusView = { state: 'idle', everConnected: false }
  #status: Status = { state: 'idle', everConnected: false }
  /** Set while the user is connected: lets go of the session and the page. */
  #detach: (() => void) | undefined
  #wasConnected = false

  constructor(options: Resolved) {
    this.#options = options
    this.channel = new Channel((error) => this.report(error))
    this.#lines = linesOf(options, this.#listener())
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

  roomControl(name: string): RoomControl {
    const control = new RoomControl(name, (error) => this.report(error))
    this.#rooms.set(name, control)
    return control
  }

  connect(signal?: AbortSignal): Promise<void> {
    return this.#handled(this.#connect(() => this.#lines.connect(), signal))
  }

  reconnect(): Promise<void> {
    return this.#handled(this.#connect(() => this.#lines.reconnect()))
  }

  disconnect(): Promise<void> {
    this.#detach?.()
    this.#detach = undefined
    for (const control of this.#rooms.values()) control.interrupted()
    this.#lines.disconnect()
    this.#refresh()
    return Promise.resolve()
  }

  reauthenticate(): Promise<void> {
    return this.#handled(this.#reauthenticate())
  }

  tokenChanged(): Promise<void> {
    return this.#handled(this.#options.holder.changed())
  }

  join(control: RoomControl, options: JoinOptions): Promise<void> {
    return this.#handled(this.#join(control, options))
  }

  leave(control: RoomControl): void {
    this.#lines.leave(control.name)
    control.left('left')
    this.#refresh()
  }

  send(room: RoomControl | undefined, data: unknown, options?: SendOptions): Promise<void> {
    const obstacle = room?.obstacle
    return this.#submit(async () => {
      if (obstacle) throw obstacle
      await this.#lines.send(room?.name, data, options)
    })
  }

  request(
    type: string,
    payload: unknown,
    options?: SendOptions & { readonly idempotent?: boolean },
  ): Promise<unknown> {
    return this.#submit(() => this.#lines.call(type, payload, options))
  }

  async #connect(dial: () => void, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.channel.hold()
    this.#attach()
    dial()
    // Rooms have sockets of their own, and none is wanted yet: there is only the credential to get.
    if (this.#hasNoLink()) this.#options.holder.credential('again').catch(nothing)
    this.#refresh()
    await this.#waiters.wait(() => this.#outcome(), signal)
    this.channel.expire()
  }

  async #reauthenticate(): Promise<void> {
    if (!this.#detach || this.#status.state === 'failed')
      return this.#connect(() => this.#lines.connect())
    await this.#options.holder.refresh()
    this.#lines.redial()
    await this.#waiters.wait(() => this.#outcome())
  }

  async #join(control: RoomControl, { params, signal }: JoinOptions): Promise<void> {
    signal?.throwIfAborted()
    // In `failed` nothing is tried: the stored error says why.
    if (this.#status.state === 'failed') throw this.#status.error
    if (control.state !== 'joined') {
      control.joining()
      this.#attach()
      this.#lines.join(control.name, params)
      this.#refresh()
    }
    try {
      await this.#waiters.wait(() => this.#joinOutcome(control), signal)
    } catch (error) {
      if (signal?.aborted && control.state === 'joining') this.leave(control)
      throw error
    }
    control.channel.expire()
  }

  #outcome(): Outcome {
    const status = this.#status
    if (status.state === 'connected') return { done: true }
    if (status.state === 'failed') return { error: status.error }
    return status.state === 'idle' ? { error: new NotConnectedError('disconnected') } : undefined
  }

  #joinOutcome(control: RoomControl): Outcome {
    if (control.outcome) return control.outcome
    const { state } = this.#status
    return state === 'failed' || state === 'idle' ? this.#outcome() : undefined
  }

  #submit<Value>(submit: () => Promise<Value>): Promise<Value> {
    const status = this.#status
    return this.#handled(status.state === 'failed' ? Promise.reject(status.error) : submit())
  }

  /** Ignoring the promise never raises `unhandledRejection`; its error goes to the `error` event. */
  #handled<Value>(promise: Promise<Value>): Promise<Value> {
    promise.catch((error: unknown) => this.report(error))
    return promise
  }

  #hasNoLink(): boolean {
    return this.#options.protocol.rooms === 'per-socket' && this.#lines.states.length === 0
  }

  #attach(): void {
    if (this.#detach) return
    const seat = this.#options.holder.join({
      granted: nothing,
      signedIn: () => this.#refresh(),
      loggedOut: () => this.#loggedOut(),
    })
    const stops = [
      () => seat.leave(),
      this.#options.holder.watch(() => this.#refresh()),
      watchPage(() => this.#lines.nudge()),
    ]
    this.#detach = () => {
      for (const stop of stops) stop()
    }
  }

  /** Rooms, queue and credential were the old user's. */
  #loggedOut(): void {
    for (const control of this.#rooms.values()) {
      this.#lines.leave(control.name)
      control.left('signed-out')
    }
    this.disconnect()
  }

  #refresh(link?: LinkState): void {
    const view = statusOf(this.#lines.states, this.#detach !== undefined, this.#options.holder.view)
    if (isSame(view, this.#view)) return
    const previous = this.#status
    const next = Object.freeze(this.#withError(view))
    this.#view = view
    this.#status = next
    this.channel.emit('statechange', { status: next, previous })
    if (next.state === 'connected' && previous.state !== 'connected') {
      this.channel.emit('connected', { reconnected: this.#wasConnected })
      this.#wasConnected = true
    }
    if (previous.state === 'connected' && next.state !== 'connected')
      this.channel.emit('disconnected', {
        willRetry: next.state !== 'failed' && next.state !== 'idle',
        ...closeOf(link),
      })
    if (next.state === 'failed' && next.action === 'sign-in')
      this.channel.emit('signinrequired', { error: next.error })
    this.#waiters.look()
  }

  #withError(view: StatusView): Status {
    if (view.state !== 'waiting' && view.state !== 'failed') return view
    const { problem, ...rest } = view
    return { ...rest, error: errorOf(problem, this.#lines.where) }
  }

  #listener(): LinesListener {
    const tell = (name: string, what: (control: RoomControl) => void) => {
      const control = this.#rooms.get(name)
      if (control) what(control)
      this.#waiters.look()
    }
    return {
      changed: (next) => this.#refresh(next),
      message: (name, data, meta) => {
        if (name === undefined) this.channel.push({ data, meta: meta ?? {} })
        else this.#rooms.get(name)?.receive(data, meta)
      },
      joined: (name, rejoined) => tell(name, (control) => control.joined(rejoined)),
      interrupted: (name) => tell(name, (control) => control.interrupted()),
      refused: (name, error) => tell(name, (control) => control.refused(error)),
      failed: (name, error) => tell(name, (control) => control.failed(error)),
      reconnected: () => this.channel.emit('gap', { reason: 'no-recovery' }),
      error: (error) => this.report(error),
    }
  }
}

/** Views are flat, and their problems keep their identity. */
const isSame = (one: StatusView, other: StatusView): boolean => {
  const keys = Object.keys(one) as (keyof StatusView)[]
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key])
}

const nothing = (): void => {}

const linesOf = (options: Resolved, listener: LinesListener): Lines => {
  const clientId = randomId()
  return options.protocol.rooms === 'per-socket'
    ? new RoomLines(options, clientId, listener)
    : new SharedLine(options, clientId, listener)
}

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
