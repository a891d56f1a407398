import { onText } from '../connections.ts'
import { parseJson } from '../json.ts'
import type { Connection, ServerState, Settings } from '../state.ts'
import type { Tokens } from '../tokens.ts'
import type { Failure } from './connection.ts'
import { RoomsConnection } from './connection.ts'
import type { Dial } from './dial.ts'
import { readDial } from './dial.ts'
import type { ClientFrame, SendFrame } from './frames.ts'
import { Hub } from './hub.ts'
import { JoinedRooms } from './joined-rooms.ts'
import type { Reading } from './read-frame.ts'
import { isRoomName, readFrame } from './read-frame.ts'
import type { Method } from './requests.ts'
import { Requests } from './requests.ts'
import type { RoomStore } from './store.ts'
import { Turns } from './turns.ts'

export const PROTOCOL = 'authed-rooms.v1'

const FEATURES = ['auth', 'call', 'history', 'join-in-url', 'presence']

/** A client that says goodbye with one of these is gone; one that was cut off may come back. */
const GOODBYE: readonly number[] = [1000, 1001, 1005]
/** What waits for its turn; a send may be refused already. */
type Request =
  | { readonly frame: ClientFrame; readonly failure?: undefined }
  | { readonly frame: SendFrame; readonly failure: Failure }

/** When a place among the unanswered sends may be free again. */
const IN_FLIGHT_RETRY_MS = 100

export interface ServiceParts {
  readonly state: ServerState
  readonly tokens: Tokens
  readonly methods: Readonly<Record<string, Method>>
  readonly store: RoomStore
}

export interface Admission {
  /** Of the handshake. */
  readonly url: string
  readonly expiresAt: number
}

/** The rooms protocol v1 as docs/protocol.md has it. */
export class RoomsService {
  readonly #state: ServerState
  readonly #store: RoomStore
  readonly #hub: Hub
  readonly #requests: Requests
  /** Those that were welcomed. */
  readonly #connections = new Set<RoomsConnection>()

  constructor({ state, tokens, methods, store }: ServiceParts) {
    const { settings } = state
    this.#state = state
    this.#store = store
    this.#hub = new Hub(store, settings)
    this.#requests = new Requests({
      ...{ settings, tokens, store, hub: this.#hub },
      methods: new Map(Object.entries(methods)),
    })
  }

  serve(accepted: Connection, { url, expiresAt }: Admission): void {
    const dial = readDial(url)
    // No answer may come before the welcome, which may have to wait for the store.
    accepted.socket.pause()
    const connection = new RoomsConnection(accepted, dial, this.#settings)
    const { user, session, clientId: client } = connection
    accepted.rooms = new JoinedRooms(this.#state.joins, { user, client, session })
    const turns = new Turns<Request>(
      ({ frame, failure }) => {
        connection.throttle(turns.length)
        if (failure === undefined) return this.#requests.start(connection, frame)
        connection.refuse(frame, failure)
        return undefined
      },
      this.#welcome(connection, dial, expiresAt)
        .finally(() => accepted.socket.resume())
        .then(() => this.#joinFromUrl(connection, dial)),
    )
    accepted.socket.on('close', (code) => this.#closed(connection, code))
    onText(accepted, (text, bytes) => {
      const request = this.#read(connection, text, bytes)
      if (request) turns.add(request)
      connection.throttle(turns.length)
    })
  }

  /** Tells all to go elsewhere, and closes with 1012 who has not gone in time. Resolves when all are told to. */
  async drain(withinMs: number): Promise<void> {
    const told = [...this.#connections]
    for (const connection of told) connection.send({ type: 'drain', withinMs })
    const until = Date.now() + withinMs
    const isHere = (): boolean => told.some((connection) => this.#connections.has(connection))
    while (isHere() && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(25, until - Date.now())))
    }
    for (const connection of told) connection.close(1012, 'restarting')
  }

  forget(): Promise<void> {
    return this.#store.forget()
  }

  async close(): Promise<void> {
    this.#hub.close()
    await this.#store.close()
  }

  get #settings(): Settings {
    return this.#state.settings
  }

  /** Never rejects, nor does what follows it: requests wait for both. */
  async #welcome(connection: RoomsConnection, dial: Dial, expiresAt: number): Promise<void> {
    try {
      if (dial.dialed) await this.#store.raiseFence(connection.user, dial.dialed)
    } catch {
      connection.close(1013, 'the rooms cannot be reached now')
      return
    }
    if (!connection.isOpen) return
    connection.lifetime.begin(expiresAt)
    const { frameBytes, roomsPerJoin, rooms, inFlight, historyLimit } = this.#settings
    const { heartbeatMs, resumeWindowMs } = this.#settings
    connection.send({
      type: 'welcome',
      version: 1,
      user: connection.user,
      session: connection.session,
      limits: { frameBytes, roomsPerJoin, rooms, inFlight, history: historyLimit },
      heartbeatMs,
      resumeWindowMs,
      expiresInMs: connection.lifetime.leftMs,
      features: FEATURES,
    })
    this.#connections.add(connection)
  }

  async #joinFromUrl(connection: RoomsConnection, { join, tooMany }: Dial): Promise<void> {
    if (!connection.isOpen) return
    for (const room of tooMany) {
      const message = 'the names of rooms in a URL have at most 1,024 bytes'
      connection.fail({ room, code: 'too-large', message })
    }
    for (const room of join.filter((name) => !isRoomName(name))) {
      connection.fail({ room, code: 'bad-frame', message: 'a room has a name of 1 to 256 bytes' })
    }
    const rooms = join.filter(isRoomName).map((room) => ({ room }))
    await this.#requests.joinAll(connection, rooms)
  }

  /** @returns the request where it is one that has to wait for its turn */
  #read(connection: RoomsConnection, text: string | undefined, bytes: number): Request | undefined {
    const value = text === undefined ? undefined : parseJson(text)
    const reading = readFrame(value)
    this.#record(connection, text, reading)
    const failure = this.#failureOf(connection, reading, bytes)
    // In its turn, as all sends: one behind it must not pass for the one that comes again.
    if (failure && reading.ok && reading.frame.type === 'send')
      return { frame: reading.frame, failure }
    if (failure) connection.fail(failure)
    else if (reading.ok && reading.frame.type === 'ping') {
      connection.send({ type: 'pong', id: reading.frame.id })
    } else if (reading.ok) {
      if (reading.frame.type === 'send') connection.unanswered += 1
      return { frame: reading.frame }
    }
    return undefined
  }

  #failureOf(connection: RoomsConnection, reading: Reading, bytes: number): Failure | undefined {
    const { frameBytes, inFlight } = this.#settings
    const { id, room } = whereOf(reading)
    if (bytes > frameBytes) {
      const message = `a frame has at most ${frameBytes} bytes`
      return { id, room, code: 'too-large', message }
    }
    if (!reading.ok) return { id, room, code: 'bad-frame', message: reading.why }
    if (reading.frame.type !== 'send' || connection.unanswered < inFlight) return undefined
    const message = `at most ${inFlight} sends wait for their answers`
    return { id, room, code: 'rate-limited', message, retryAfterMs: IN_FLIGHT_RETRY_MS }
  }

  #record(connection: RoomsConnection, text: string | undefined, reading: Reading): void {
    // A token must not come out of the control door, not even one in a frame that nobody can read.
    const isAuth = reading.ok && reading.frame.type === 'auth'
    if (text === undefined || isAuth || text.includes('"auth"')) return
    const { room = '' } = whereOf(reading)
    this.#state.received.push({ room, user: connection.user, data: text })
  }

  #closed(connection: RoomsConnection, code: number): void {
    this.#connections.delete(connection)
    connection.lifetime.stop()
    const isGone = GOODBYE.includes(code)
    for (const room of connection.rooms) {
      if (isGone) this.#hub.leave(connection, room)
      else this.#hub.drop(connection, room)
    }
    connection.rooms.clear()
  }
}

function whereOf(reading: Reading): Pick<Failure, 'id' | 'room'> {
  if (!reading.ok) return { id: reading.id, room: reading.room }
  const { frame } = reading
  return { id: frame.id, room: 'room' in frame ? frame.room : undefined }
}
