/** What a user sees of a socket, and the events that tell of its changes. */
import type { LinkState } from './core/link-state.ts'
import type { Action } from './core/problem.ts'
import type { StatusView } from './core/status.ts'
import { errorOf } from './error-of.ts'
import { type AnyAuthedSocketError, NotConnectedError } from './errors.ts'
import type { Message } from './links/room-control.ts'
import type { Logger } from './options.ts'
import type { Channel, Gap } from './shell/channel.ts'

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

export const SOCKET_EVENTS = [
  'statechange',
  'connected',
  'disconnected',
  'signinrequired',
  'message',
  'gap',
  'error',
] as const

type Close = Pick<SocketEvents<unknown>['disconnected'], 'code' | 'reason'>

const IDLE = { state: 'idle', everConnected: false } as const

export class Statuses {
  readonly #channel: Channel<Message<unknown>, SocketEvents<unknown>>
  readonly #logger: Logger
  readonly #announcements: (() => void)[] = []
  #view: StatusView = IDLE
  #current: Status = IDLE
  #wasConnected = false
  /** It is told with the code of the close, which may come a little later. */
  #owesDisconnected = false

  constructor(channel: Channel<Message<unknown>, SocketEvents<unknown>>, logger: Logger) {
    this.#channel = channel
    this.#logger = logger
  }

  /** The same object until something changes. */
  get current(): Status {
    return this.#current
  }

  /** @returns whether anything changed */
  show(view: StatusView, where: string | undefined, links: readonly LinkState[]): boolean {
    if (isSame(view, this.#view)) return false
    const previous = this.#current
    this.#view = view
    this.#current = Object.freeze(withError(view, where))
    const status = this.#current
    this.#announcements.push(() => this.#announce(status, previous, closeOf(links)))
    this.#drain()
    return true
  }

  /** A listener may disconnect, or connect: what follows from that is announced after this. */
  #drain(): void {
    if (this.#announcements.length > 1) return
    for (let first = this.#announcements[0]; first; first = this.#announcements[0]) {
      first()
      this.#announcements.shift()
    }
  }

  #announce(status: Status, previous: Status, close: Close | undefined): void {
    this.#logger.debug(`authed-socket: ${previous.state} → ${status.state}`)
    this.#channel.emit('statechange', { status, previous })
    const isUp = status.state === 'connected'
    if (previous.state === 'connected' && !isUp) this.#owesDisconnected = true
    const isOwn = status.state === 'idle'
    if (this.#owesDisconnected && (close || isUp || isOwn)) {
      this.#owesDisconnected = false
      const how = isOwn ? { code: 1000, reason: '' } : (close ?? NO_CODE)
      this.#channel.emit('disconnected', { willRetry: isTrying(status), ...how })
    }
    if (isUp && previous.state !== 'connected') {
      const reconnected = this.#wasConnected
      this.#wasConnected = true
      this.#channel.emit('connected', { reconnected })
    }
    if (status.state === 'failed' && status.action === 'sign-in')
      this.#channel.emit('signinrequired', { error: status.error })
  }
}

const withError = (view: StatusView, where: string | undefined): Status => {
  if (view.state !== 'waiting' && view.state !== 'failed') return view
  const { problem, ...rest } = view
  return { ...rest, error: errorOf(problem, where) }
}

/** Throws why nothing can be sent in this state. */
export const throwIf = (state: 'failed' | 'idle', status: Status): void => {
  if (status.state !== state) return
  throw status.state === 'failed'
    ? status.error
    : new NotConnectedError('not connected: connect() first')
}

/** Views are flat, and their problems keep their identity. */
const isSame = (one: StatusView, other: StatusView): boolean => {
  const keys = Object.keys(one) as (keyof StatusView)[]
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key])
}

const isTrying = ({ state }: Status): boolean => state !== 'failed' && state !== 'idle'

const NO_CODE: Close = { code: 1006, reason: '' }

/** The close that the links tell of, where one does: a network that is gone has no code. `undefined`: it is to come. */
const closeOf = (links: readonly LinkState[]): Close | undefined => {
  if (links.some(({ kind }) => kind === 'closing')) return undefined
  for (const link of links) {
    const told = link.kind === 'authenticating' ? link.demand : link
    let problem = 'problem' in told ? told.problem : undefined
    if (problem?.kind === 'rejected' || problem?.kind === 'unwelcome') problem = problem.last
    if (problem?.kind === 'closed') return { code: problem.code, reason: problem.reason }
  }
  return NO_CODE
}
