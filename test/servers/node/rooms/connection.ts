import { randomBytes, randomUUID } from 'node:crypto'
import type { Connection, Settings } from '../state.ts'
import type { Dial } from './dial.ts'
import type { ErrorFrame, SendFrame, ServerFrame } from './frames.ts'
import { Lifetime } from './lifetime.ts'
import { SendOrder } from './send-order.ts'
import { SendRate } from './send-rate.ts'
import type { Dialed, Lease } from './store.ts'

export type Failure = Omit<ErrorFrame, 'type'>

/** How long a peer that is too slow to read its close frame keeps its socket. */
const CLOSE_GRACE_MS = 5_000
/** A peer that takes so long for what fits into its buffers has stopped reading. */
const STALLED_MS = 15_000
/** Above so much unsent text a long resume waits for its reader. */
const PACE_BYTES = 262_144
/** A peer with more requests waiting is not read from; it has asked for all of them before any answer. */
const MAX_WAITING = 1_000

/** One socket that speaks the rooms protocol. */
export class RoomsConnection {
  readonly session = randomUUID()
  readonly rate = new SendRate()
  readonly order: SendOrder
  readonly lifetime: Lifetime
  /** The client that is shown in rooms: the one that dialed, or one for this connection alone. */
  readonly clientId: string
  /** As the handshake had it; sends have to say the same. */
  readonly announced: string | undefined
  readonly dialed: Dialed | undefined
  /** Sends that are not answered yet. */
  unanswered = 0
  readonly #connection: Connection
  readonly #settings: Settings

  constructor(connection: Connection, dial: Dial, settings: Settings) {
    this.#connection = connection
    this.#settings = settings
    this.order = new SendOrder(() => settings.inFlight)
    this.announced = dial.clientId
    this.clientId = dial.clientId ?? randomBytes(16).toString('hex')
    this.dialed = dial.dialed
    this.lifetime = new Lifetime({
      aheadMs: () => (settings.closeAtExpiry === false ? null : settings.expiringAheadMs),
      expiring: (inMs) => this.send({ type: 'expiring', inMs }),
      ended: () => {
        if (settings.closeAtExpiry !== false) this.close(4003, 'token expired')
      },
    })
  }

  get user(): string {
    return this.#connection.user
  }

  /** Names of the rooms that it has joined. */
  get rooms(): Set<string> {
    return this.#connection.rooms
  }

  get lease(): Lease {
    return { user: this.user, clientId: this.clientId, session: this.session }
  }

  get isOpen(): boolean {
    const { socket } = this.#connection
    return socket.readyState === socket.OPEN
  }

  send(frame: ServerFrame): void {
    this.push(JSON.stringify(frame))
  }

  fail(failure: Failure): void {
    this.send({ type: 'error', ...failure })
  }

  /** As `fail`, for a send: where it is to come again, later ones wait for it. */
  refuse(frame: SendFrame, failure: Omit<Failure, 'id' | 'room'>): void {
    const { id, room, volatile } = frame
    const { retryAfterMs: inMs } = failure
    // Nobody repeats a volatile one.
    const isAwaited = inMs !== undefined && volatile !== true && this.rooms.has(room)
    const retryAfterMs = isAwaited ? this.order.comesAgain(frame, inMs) : inMs
    this.fail({ id, room, ...failure, retryAfterMs })
  }

  /** A frame that is written already. A peer that does not read is given up before it fills the memory. */
  push(text: string): void {
    const { socket } = this.#connection
    if (!this.isOpen) return
    if (socket.bufferedAmount > this.#settings.bufferedBytes) {
      this.close(1013, 'you read too slowly')
      return
    }
    socket.send(text)
  }

  /** Like `push`, and resolves when the peer has room for more. */
  async pushAndWait(text: string): Promise<void> {
    this.push(text)
    const { socket } = this.#connection
    if (!this.isOpen || socket.bufferedAmount < PACE_BYTES) return
    const stalled = setTimeout(() => this.close(1013, 'you stopped reading'), STALLED_MS)
    // An empty ping: what stands before it has left when it has.
    await new Promise<void>((resolve) => {
      socket.once('close', resolve)
      socket.ping(undefined, undefined, () => {
        socket.off('close', resolve)
        resolve()
      })
    })
    clearTimeout(stalled)
  }

  close(code: number, reason: string): void {
    const { socket } = this.#connection
    if (!this.isOpen) return
    socket.close(code, reason)
    // The close frame waits behind everything that is unsent, perhaps for ever.
    const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS)
    socket.once('close', () => clearTimeout(timer))
  }

  /** Stops reading from a peer that asks faster than it can be answered, until all is answered. */
  throttle(waiting: number): void {
    const { socket } = this.#connection
    if (waiting > MAX_WAITING) socket.pause()
    if (waiting === 0) socket.resume()
  }
}
