import { randomUUID } from 'node:crypto'
import { FORBIDDEN_ROOM } from './chat.ts'
import { onText, send } from './connections.ts'
import type { Methods } from './methods.ts'
import type { ClientFrame, ErrorCode } from './room-frames.ts'
import { readFrame } from './room-frames.ts'
import { Room } from './rooms.ts'
import { SendRate } from './send-rate.ts'
import type { Connection, ServerState } from './state.ts'

export const PROTOCOL = 'authed-rooms.v1'

type Frame<Type extends ClientFrame['type']> = Extract<ClientFrame, { type: Type }>

interface Failure {
  id?: number
  room?: string
  code: ErrorCode
  message: string
  retryAfterMs?: number
}

/** The rooms protocol v1 as docs/protocol.md has it. */
export class RoomsService {
  readonly #state: ServerState
  readonly #methods: ReadonlyMap<string, (data: unknown, user: string) => unknown>
  readonly #rooms = new Map<string, Room>()
  readonly #rate = new SendRate()

  constructor(state: ServerState, methods: Methods) {
    this.#state = state
    this.#methods = new Map(Object.entries(methods))
  }

  serve(connection: Connection): void {
    const { heartbeatMs, frameBytes, roomsPerJoin } = this.#state.settings
    connection.socket.on('close', () => this.#leaveAll(connection))
    send(connection, {
      type: 'welcome',
      version: 1,
      user: connection.user,
      session: randomUUID(),
      limits: { frameBytes, roomsPerJoin },
      heartbeatMs,
      features: ['call'],
    })
    onText(connection, (text, bytes) => this.#receive(connection, text, bytes))
  }

  #receive(connection: Connection, text: string | undefined, bytes: number): void {
    const reading = readFrame(text ?? '')
    const room = reading.ok && 'room' in reading.frame ? reading.frame.room : ''
    if (text !== undefined) this.#state.received.push({ room, user: connection.user, data: text })
    if (bytes > this.#state.settings.frameBytes) {
      const id = reading.ok ? reading.frame.id : reading.id
      const failure: Failure = {
        code: 'too-large',
        message: `a frame has at most ${this.#state.settings.frameBytes} bytes`,
      }
      this.#fail(connection, {
        ...failure,
        ...(id === undefined ? {} : { id }),
        ...(room === '' ? {} : { room }),
      })
    } else if (reading.ok) {
      this.#handle(connection, reading.frame)
    } else {
      const { ok, why, ...where } = reading
      this.#fail(connection, { ...where, code: 'bad-frame', message: why })
    }
  }

  #handle(connection: Connection, frame: ClientFrame): void {
    switch (frame.type) {
      case 'join':
        this.#join(connection, frame)
        break
      case 'leave':
        this.#leave(connection, frame)
        break
      case 'send':
        this.#send(connection, frame)
        break
      case 'call':
        this.#call(connection, frame)
        break
      case 'ping':
        send(connection, { type: 'pong', id: frame.id })
    }
  }

  #join(connection: Connection, { id, rooms }: Frame<'join'>): void {
    const { roomsPerJoin } = this.#state.settings
    if (rooms.length > roomsPerJoin) {
      this.#fail(connection, {
        id,
        code: 'too-large',
        message: `a join has at most ${roomsPerJoin} rooms`,
      })
      return
    }
    for (const name of rooms) {
      if (name === FORBIDDEN_ROOM) {
        this.#fail(connection, {
          id,
          room: name,
          code: 'forbidden',
          message: 'this room is closed to you',
        })
        continue
      }
      const room = this.#room(name)
      room.members.add(connection)
      connection.rooms.add(name)
      send(connection, { type: 'joined', id, room: name, epoch: room.epoch, seq: room.seq })
    }
  }

  #leave(connection: Connection, { id, room }: Frame<'leave'>): void {
    if (!connection.rooms.delete(room)) {
      this.#fail(connection, { id, room, code: 'not-joined', message: 'you are not in this room' })
      return
    }
    this.#room(room).members.delete(connection)
    send(connection, { type: 'ok', id })
  }

  #send(connection: Connection, { id, room: name, clientId, n, data }: Frame<'send'>): void {
    if (!connection.rooms.has(name)) {
      this.#fail(connection, {
        id,
        room: name,
        code: 'not-joined',
        message: 'join the room before you send to it',
      })
      return
    }
    const retryAfterMs = this.#rate.waitFor(connection, this.#state.settings.sendsPerSecond)
    if (retryAfterMs > 0) {
      this.#fail(connection, {
        id,
        room: name,
        code: 'rate-limited',
        message: 'too many sends',
        retryAfterMs,
      })
      return
    }
    const room = this.#room(name)
    const { seq, repeated } = room.number(connection.user, { clientId, n })
    send(connection, { type: 'ok', id, seq })
    if (repeated) return
    const text = JSON.stringify({
      type: 'message',
      room: name,
      seq,
      from: connection.user,
      clientId,
      n,
      at: Date.now(),
      data,
    })
    for (const { socket } of room.members) {
      if (socket.readyState === socket.OPEN) socket.send(text)
    }
  }

  #call(connection: Connection, { id, method, data }: Frame<'call'>): void {
    const run = this.#methods.get(method)
    if (run === undefined) {
      this.#fail(connection, {
        id,
        code: 'unknown-method',
        message: 'this server has no such method',
      })
      return
    }
    Promise.resolve()
      .then(() => run(data, connection.user))
      .then(
        (result) => send(connection, { type: 'reply', id, data: result ?? null }),
        () =>
          this.#fail(connection, { id, code: 'forbidden', message: 'the method refused the call' }),
      )
  }

  #fail(connection: Connection, failure: Failure): void {
    send(connection, { type: 'error', ...failure })
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name) ?? new Room()
    this.#rooms.set(name, room)
    return room
  }

  #leaveAll(connection: Connection): void {
    for (const name of connection.rooms) this.#rooms.get(name)?.members.delete(connection)
    connection.rooms.clear()
  }
}
