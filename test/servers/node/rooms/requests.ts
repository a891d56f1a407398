import { FORBIDDEN_ROOM } from '../chat.ts'
import type { Settings } from '../state.ts'
import type { Tokens } from '../tokens.ts'
import type { Failure, RoomsConnection } from './connection.ts'
import type {
  AuthFrame,
  CallFrame,
  ClientFrame,
  HistoryRequestFrame,
  JoinFrame,
  LeaveFrame,
  RoomToJoin,
  SendFrame,
} from './frames.ts'
import type { Hub } from './hub.ts'
import type { RoomStore } from './store.ts'
import { StoreUnavailableError } from './store.ts'
import { writeHistory } from './write-frame.ts'

export type Method = (data: unknown, user: string) => unknown

export interface RequestParts {
  readonly settings: Settings
  readonly tokens: Tokens
  readonly methods: ReadonlyMap<string, Method>
  readonly store: RoomStore
  readonly hub: Hub
}

type Where = Pick<Failure, 'id' | 'room'>

/** When a store that does not answer is worth asking again. */
const UNAVAILABLE_RETRY_MS = 500

/** What the requests of the protocol do. Each is answered, whatever happens. */
export class Requests {
  readonly #parts: RequestParts

  constructor(parts: RequestParts) {
    this.#parts = parts
  }

  /** @returns a promise for a request that those behind it have to wait for. */
  start(connection: RoomsConnection, frame: ClientFrame): Promise<void> | undefined {
    switch (frame.type) {
      case 'join':
        return this.#join(connection, frame)
      case 'auth':
        return this.#renew(connection, frame)
      case 'leave':
        this.#leave(connection, frame)
        return undefined
      case 'send':
        void this.#send(connection, frame)
        return undefined
      case 'history':
        void this.#history(connection, frame)
        return undefined
      case 'call':
        void this.#call(connection, frame)
        return undefined
      case 'ping':
        connection.send({ type: 'pong', id: frame.id })
        return undefined
    }
  }

  /** Each room is answered by itself. */
  async joinAll(
    connection: RoomsConnection,
    requests: readonly RoomToJoin[],
    id?: number,
  ): Promise<void> {
    let free = this.#parts.settings.rooms - connection.rooms.size
    const joining = requests.map((request) => {
      if (!connection.rooms.has(request.room)) free -= 1
      if (free >= 0) return this.#joinOne(connection, request, id)
      const message = `a connection is in at most ${this.#parts.settings.rooms} rooms`
      connection.fail({ id, room: request.room, code: 'too-large', message })
      return undefined
    })
    await Promise.all(joining)
  }

  async #join(connection: RoomsConnection, { id, rooms }: JoinFrame): Promise<void> {
    const { roomsPerJoin } = this.#parts.settings
    if (rooms.length <= roomsPerJoin) return this.joinAll(connection, rooms, id)
    const message = `a join has at most ${roomsPerJoin} rooms`
    connection.fail({ id, code: 'too-large', message })
  }

  async #joinOne(connection: RoomsConnection, request: RoomToJoin, id?: number): Promise<void> {
    const { room } = request
    if (room === FORBIDDEN_ROOM) {
      connection.fail({ id, room, code: 'forbidden', message: 'this room is closed to you' })
      return
    }
    try {
      await this.#parts.hub.join(connection, request, id)
    } catch (error) {
      failUnavailable(connection, { id, room }, error)
    }
  }

  #leave(connection: RoomsConnection, { id, room }: LeaveFrame): void {
    if (!connection.rooms.delete(room)) {
      connection.fail({ id, room, code: 'not-joined', message: 'you are not in this room' })
      return
    }
    connection.order.left(room)
    this.#parts.hub.leave(connection, room)
    connection.send({ type: 'ok', id })
  }

  async #send(connection: RoomsConnection, frame: SendFrame): Promise<void> {
    const refusal = this.#refusalOf(connection, frame)
    try {
      if (refusal) connection.refuse(frame, refusal)
      else await this.#append(connection, frame)
    } catch (error) {
      connection.refuse(frame, unavailable(error))
    } finally {
      connection.unanswered -= 1
    }
  }

  #refusalOf(connection: RoomsConnection, frame: SendFrame): Failure | undefined {
    const { room, clientId } = frame
    const { announced, order, rate } = connection
    if (!connection.rooms.has(room))
      return { code: 'not-joined', message: 'join the room before you send to it' }
    if (announced !== undefined && announced !== clientId)
      return { code: 'bad-frame', message: '"clientId" is the client of the handshake' }
    const behindMs = order.waitFor(frame)
    if (behindMs > 0) return comeAgain('an earlier send comes first', behindMs)
    const overMs = rate.waitFor(this.#parts.settings.sendsPerSecond)
    return overMs > 0 ? comeAgain('too many sends', overMs) : undefined
  }

  async #append(connection: RoomsConnection, frame: SendFrame): Promise<void> {
    const { id, room, epoch, clientId, n } = frame
    const { user, dialed } = connection
    const data = JSON.stringify(frame.data)
    // Nothing is awaited before: sends reach the store in the order in which they came.
    const appended = await this.#parts.store.append({
      ...{ room, epoch, user, clientId, n, data, dialed },
    })
    switch (appended.outcome) {
      case 'stored':
      case 'repeated':
        connection.send({ type: 'ok', id, seq: appended.seq })
        return
      case 'superseded': {
        const message = 'a later connection of this client exists'
        connection.fail({ id, room, code: appended.outcome, message })
        return
      }
      case 'stale-epoch': {
        // Perhaps nobody has noticed yet.
        this.#parts.hub.wake(room)
        const message = 'the room counts under another epoch now'
        connection.fail({ id, room, code: appended.outcome, message })
      }
    }
  }

  async #history(connection: RoomsConnection, frame: HistoryRequestFrame): Promise<void> {
    const { id, room, before, limit } = frame
    const { historyLimit } = this.#parts.settings
    if (!connection.rooms.has(room)) {
      const message = 'join the room before you ask for its history'
      connection.fail({ id, room, code: 'not-joined', message })
      return
    }
    if (limit > historyLimit) {
      connection.fail({
        id,
        room,
        code: 'bad-frame',
        message: `"limit" is at most ${historyLimit}`,
      })
      return
    }
    try {
      connection.push(writeHistory(id, room, await this.#parts.store.history(room, before, limit)))
    } catch (error) {
      failUnavailable(connection, frame, error)
    }
  }

  async #renew(connection: RoomsConnection, { id, token }: AuthFrame): Promise<void> {
    const verdict = await this.#parts.tokens.verify(token)
    if (!verdict.ok) {
      const message = `token ${verdict.reason}`
      connection.fail({ id, code: 'token-refused', message })
    } else if (verdict.user !== connection.user) {
      const message = 'a connection never changes its user'
      connection.fail({ id, code: 'other-user', message })
    } else {
      connection.lifetime.begin(verdict.expiresAt)
      connection.send({ type: 'ok', id, expiresInMs: connection.lifetime.leftMs })
    }
  }

  async #call(connection: RoomsConnection, { id, method, data }: CallFrame): Promise<void> {
    const run = this.#parts.methods.get(method)
    if (run === undefined) {
      connection.fail({ id, code: 'unknown-method', message: 'this server has no such method' })
      return
    }
    try {
      const result = (await run(data, connection.user)) ?? null
      connection.send({ type: 'reply', id, data: result })
    } catch {
      connection.fail({ id, code: 'forbidden', message: 'the method refused the call' })
    }
  }
}

function comeAgain(message: string, retryAfterMs: number): Failure {
  return { code: 'rate-limited', message, retryAfterMs }
}

function unavailable(error: unknown): Failure {
  // An outage is expected; whatever else went wrong is a mistake of ours that somebody has to see.
  if (!(error instanceof StoreUnavailableError)) console.error(error)
  const message = 'the rooms cannot be reached now'
  return { code: 'unavailable', message, retryAfterMs: UNAVAILABLE_RETRY_MS }
}

function failUnavailable(connection: RoomsConnection, { id, room }: Where, error: unknown): void {
  connection.fail({ id, room, ...unavailable(error) })
}
