/** One client of a run: an `AuthedSocket`, and everything that it says, written down. */
import { type ClientOptions, WebSocket } from 'ws'
import {
  AuthedSocket,
  HandshakeRefusedError,
  multiplexed,
  NotConnectedError,
  OutboxFullError,
  RequestFailedError,
  type Room,
  RoomError,
  SendUnknownError,
  ServerClosedError,
  swap,
  TokenUnavailableError,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../src/index.ts'
import type { HistoryEvent, Settled } from './history.ts'

export interface ActorOptions {
  readonly index: number
  /** `ws://…/ws/rooms` */
  readonly url: string
  /** The next one is used when one was rejected, or has ended. */
  readonly tokens: Tokens
  /** So long a token is said to last, in ms: it is then renewed by a second socket. Default: for ever. */
  readonly lifetimeMs?: number
  readonly record: (event: HistoryEvent) => void
  /** Backoff, as a share of what it is for users. Default 0.02: some tens of milliseconds instead of a second. */
  readonly retryScale?: number
}

/** The token of each turn, 0 and up. */
export type Tokens = (turn: number) => string | Promise<string>

/** Some tokens, again and again. */
export const inTurn =
  (tokens: readonly string[]): Tokens =>
  (turn) =>
    tokens[turn % tokens.length] ?? ''

type Ending = Omit<Extract<HistoryEvent, { kind: 'settled' }>, 'kind' | 'key'>

const RETRY_SCALE = 0.02
/** Answers are lost with their connection only, so nothing may be given up for the time that it took. */
const PATIENCE_MS = 120_000

/** What a message of a run holds. `filling` makes frames of many sizes, and is known from the key. */
interface Data {
  readonly key: string
  readonly filling: string
}

export class Actor {
  readonly index: number
  /** Sends that were not settled yet. */
  open = 0
  acknowledged = 0
  reconnects = 0
  readonly #socket: AuthedSocket
  readonly #record: (event: HistoryEvent) => void
  readonly #rooms = new Map<string, Room>()
  readonly #heard = new Set<string>()
  /** Errors that some promise was rejected with: they are no news of their own. */
  readonly #told = new WeakSet<object>()
  readonly #renews: boolean
  #sent = 0

  constructor(options: ActorOptions) {
    const { index, url, tokens, lifetimeMs, record, retryScale = RETRY_SCALE } = options
    const lifetime = lifetimeMs === undefined ? {} : { expiresInMs: lifetimeMs }
    this.index = index
    this.#record = record
    this.#renews = lifetimeMs !== undefined
    let turn = 0
    this.#socket = new AuthedSocket({
      url,
      auth: async ({ reason }) => {
        if (reason === 'rejected' || lifetimeMs !== undefined) turn += 1
        return { token: await tokens(turn), ...lifetime }
      },
      ...(lifetimeMs !== undefined && { renewal: swap() }),
      transmission: viaSubprotocol(),
      protocol: multiplexed(),
      WebSocket: tappedBy({
        heard: (frame, socket) => this.#tapped(frame, socket),
        cut: (socket) => record({ kind: 'cut', client: index, socket }),
      }),
      retry: { scale: retryScale },
      connectTimeoutMs: 5_000,
      requestTimeoutMs: PATIENCE_MS,
      outbox: { count: 10_000, bytes: 2 ** 24 },
    })
    this.#socket.on('connected', ({ reconnected }) => {
      if (reconnected) this.reconnects += 1
      record({ kind: 'connected', client: index })
    })
    this.#socket.on('disconnected', () => record({ kind: 'disconnected', client: index }))
    this.#socket.on('error', (error) => this.#failed(error))
  }

  get isConnected(): boolean {
    return this.#socket.state === 'connected'
  }

  get rooms(): string[] {
    return [...this.#rooms.keys()]
  }

  /** Joins the room, and listens in it. */
  async enter(name: string): Promise<void> {
    const client = this.index
    const room = this.#socket.room(name)
    this.#record({ kind: 'joining', client, room: name })
    this.#listen(name, room)
    try {
      await room.join()
      this.#rooms.set(name, room)
      this.#record({ kind: 'joined', client, room: name })
    } catch (error) {
      this.#known(error)
      const code = error instanceof RoomError ? error.serverCode : textOf(error)
      this.#record({ kind: 'refused', client, room: name, code })
    }
  }

  leave(name: string): void {
    this.#rooms.get(name)?.leave()
    this.#rooms.delete(name)
    this.#record({ kind: 'left', client: this.index, room: name })
  }

  /** Resolves when it was settled, however. */
  async send(name: string, how: 'plain' | 'volatile' = 'plain'): Promise<Settled> {
    this.#sent += 1
    const key = `${this.index}.${this.#sent}`
    const room = this.#socket.room(name)
    const volatile = how === 'volatile'
    this.#record({ kind: 'sending', client: this.index, room: name, key, volatile })
    this.open += 1
    const settled = await room
      .send(dataOf(key), volatile ? { volatile } : {})
      .then(
        ({ seq }): Ending => ({ how: 'acknowledged', ...(seq !== undefined && { seq }) }),
        this.#endingOf,
      )
    this.open -= 1
    if (settled.how === 'acknowledged') this.acknowledged += 1
    this.#record({ kind: 'settled', key, ...settled })
    return settled.how
  }

  connect(): Promise<void> {
    return this.#socket.connect()
  }

  reconnect(): void {
    this.#socket.reconnect().catch(() => {})
  }

  disconnect(): Promise<void> {
    return this.#socket.disconnect()
  }

  /** Once and for all: what comes after the room was left must be seen, too. */
  #listen(name: string, room: Room): void {
    if (this.#heard.has(name)) return
    this.#heard.add(name)
    const client = this.index
    room.on('message', ({ data, meta }) => {
      const { key } = data as Data
      const { id = '', seq = -1, sender = '', own = false } = meta
      const intact = JSON.stringify(data) === JSON.stringify(dataOf(key))
      this.#record({
        ...{ kind: 'delivered', client, room: name, key: String(key), intact },
        ...{ id, seq, sender, own },
      })
    })
    room.on('gap', (gap: { reason: string; missed?: number }) => {
      const { reason, missed } = gap
      const event = { kind: 'gap', client, room: name, reason } as const
      this.#record(missed === undefined ? event : { ...event, missed })
    })
  }

  readonly #endingOf = (error: unknown): Ending => {
    this.#known(error)
    const code = textOf(error)
    if (error instanceof RequestFailedError) return { how: 'refused', code: error.serverCode }
    if (error instanceof SendUnknownError) {
      const { cause } = error
      return {
        how: 'unknown',
        code: cause instanceof RequestFailedError ? cause.serverCode : code,
      }
    }
    if (error instanceof NotConnectedError || error instanceof OutboxFullError)
      return { how: 'unsent', code }
    // Nothing else may come out of a send.
    this.#record({ kind: 'error', client: this.index, text: `send: ${code}` })
    return { how: 'unknown', code }
  }

  #known(error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#told.add(error)
  }

  /**
   * What a promise was rejected with comes here too, first; what the server says of a send that was given up
   * meanwhile comes here only. Everything else is a bug, or a frame that cannot be read.
   */
  #failed(error: unknown): void {
    setTimeout(() => {
      if (typeof error === 'object' && error !== null && this.#told.has(error)) return
      if (error instanceof RequestFailedError) return
      if (this.#renews && isOfRenewal(error)) return
      this.#record({ kind: 'error', client: this.index, text: textOf(error) })
    }, 0)
  }

  #tapped(text: string, socket: number): void {
    if (!text.includes('"joined"')) return
    const frame = JSON.parse(text) as Record<string, unknown>
    if (frame['type'] !== 'joined') return
    const { room, epoch, seq, recovered, messages } = frame
    this.#record({
      kind: 'told',
      client: this.index,
      socket,
      room: String(room),
      epoch: String(epoch),
      seq: Number(seq),
      recovered: recovered === true,
      missed: Array.isArray(messages) ? messages.length : 0,
    })
  }
}

interface Tap {
  /** @param socket the number of its dial */
  heard(text: string, socket: number): void
  cut(socket: number): void
}

/** The class of `ws`, and who hears each frame, and of its end, just before the SDK does. */
function tappedBy({ heard, cut }: Tap): WebSocketConstructor {
  let dials = 0
  return class extends WebSocket {
    readonly #number: number

    constructor(url: string, protocols?: string[], options?: ClientOptions) {
      super(url, protocols, options)
      dials += 1
      const socket = dials
      this.#number = socket
      this.on('message', (data) => {
        // What still comes when the SDK has closed the socket is none of its business.
        if (this.readyState === WebSocket.OPEN) heard(String(data), socket)
      })
      this.on('close', () => cut(socket))
      // The SDK looks at it, and so may learn of the end before its event.
      const { readyState } = Object.getOwnPropertyDescriptors(WebSocket.prototype)
      let isCut = false
      Object.defineProperty(this, 'readyState', {
        get: () => {
          const state: number = readyState.get?.call(this) ?? WebSocket.CLOSED
          if (state > WebSocket.OPEN && !isCut) {
            isCut = true
            cut(socket)
          }
          return state
        },
      })
    }

    override close(code?: number, reason?: string): void {
      cut(this.#number)
      super.close(code, reason)
    }
  }
}

function dataOf(key: string): Data {
  const number = Number(key.split('.')[1])
  // Mostly short; some need a longer header on the wire.
  return { key, filling: 'x'.repeat(number % 20 === 0 ? 300 + (number % 7) : number % 7) }
}

/** Faults come to a renewal and its second socket, too. They are let go then, and the first one stays. */
const isOfRenewal = (error: unknown): boolean =>
  error instanceof TokenUnavailableError ||
  error instanceof ServerClosedError ||
  error instanceof HandshakeRefusedError ||
  error instanceof RoomError

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error)
