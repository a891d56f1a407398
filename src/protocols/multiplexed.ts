import { LONGEST_TIMER_MS } from '../core/delays.ts'
import { roomsOnOneSocket } from '../links/shared-line.ts'
import {
  IGNORED,
  isCount,
  isMaybeCount,
  isMaybeText,
  isSize,
  isText,
  unreadable,
} from './guards.ts'
import { isBinary, toJson } from './json.ts'
import type { Codec, Heartbeat, Incoming, JoinRequest, Protocol } from './protocol.ts'

/**
 * The rooms protocol v1: all rooms over one socket, sends and calls acknowledged. For servers that speak
 * it (docs/protocol.md).
 */
export const multiplexed = (): Protocol => ({
  name: 'multiplexed',
  rooms: roomsOnOneSocket,
  subprotocols: ['authed-rooms.v1'],
  greets: true,
  acknowledges: true,
  codec: ({ clientId }) => new MultiplexedCodec(clientId),
})

/** A frame of any type, before it was checked. */
interface Frame {
  readonly type?: unknown
  readonly id?: unknown
  readonly room?: unknown
  readonly seq?: unknown
  readonly epoch?: unknown
  readonly from?: unknown
  readonly clientId?: unknown
  readonly n?: unknown
  readonly at?: unknown
  readonly data?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly retryAfterMs?: unknown
  readonly version?: unknown
  readonly user?: unknown
  readonly limits?: unknown
  readonly heartbeatMs?: unknown
  readonly frameBytes?: unknown
  readonly roomsPerJoin?: unknown
}

const HEARTBEAT_TIMEOUT_MS = 10_000

class MultiplexedCodec implements Codec {
  heartbeat?: Heartbeat
  readonly #clientId: string
  #user = ''

  constructor(clientId: string) {
    this.#clientId = clientId
  }

  read(text: string | ArrayBuffer): Incoming {
    if (typeof text !== 'string') return unreadable('binary frame')
    let frame: unknown
    try {
      frame = JSON.parse(text)
    } catch {
      return unreadable('not JSON')
    }
    if (!isFrame(frame) || !isText(frame.type)) return unreadable('no frame type')
    const incoming = this.#readFrame(frame)
    return incoming ?? unreadable(`malformed ${frame.type}`)
  }

  send(room: string | undefined, data: unknown, id: number): string {
    if (room === undefined) throw new TypeError('send in a room: socket.room(name).send(data)')
    // By hand: JSON.stringify would drop `data` without a word when there is no JSON for it.
    return `{"type":"send","id":${id},"room":${JSON.stringify(room)},"clientId":"${this.#clientId}","n":${id},"data":${toJson(isBinary(data) ? undefined : data)}}`
  }

  join(requests: readonly JoinRequest[], id: number): string {
    const rooms = requests.map(({ room, params }) => ({ room, params }))
    return toJson({ type: 'join', id, rooms })
  }

  leave(room: string, id: number): string {
    return JSON.stringify({ type: 'leave', id, room })
  }

  call(type: string, payload: unknown, id: number): string {
    const data = payload === undefined ? '' : `,"data":${toJson(payload)}`
    return `{"type":"call","id":${id},"method":${JSON.stringify(type)}${data}}`
  }

  /** @returns `undefined` when the frame is not as its type demands */
  #readFrame(frame: Frame): Incoming | undefined {
    switch (frame.type) {
      case 'message':
        return readMessage(frame, this.#clientId, this.#user)
      case 'ok':
        return readOk(frame)
      case 'reply':
        return readReply(frame)
      case 'joined':
        return readJoined(frame)
      case 'error':
        return readError(frame)
      case 'welcome':
        return this.#readWelcome(frame)
      default:
        // Pongs, and frames of later versions.
        return IGNORED
    }
  }

  #readWelcome({ version, user, limits, heartbeatMs }: Frame): Incoming | undefined {
    if (version !== 1 || !isText(user) || !isCount(heartbeatMs) || !isFrame(limits)) return
    const { frameBytes, roomsPerJoin } = limits
    if (!isSize(frameBytes) || !isSize(roomsPerJoin)) return
    this.#user = user
    this.heartbeat = heartbeatOf(heartbeatMs)
    return { kind: 'welcome', user, limits: { frameBytes, roomsPerJoin } }
  }
}

const isFrame = (value: unknown): value is Frame =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** From 1 s, so that no server makes its clients busy, to the longest timer there is. */
const heartbeatOf = (heartbeatMs: number): Heartbeat => ({
  frame: '{"type":"ping","id":0}',
  everyMs: Math.min(Math.max(heartbeatMs, 1000), LONGEST_TIMER_MS),
  timeoutMs: HEARTBEAT_TIMEOUT_MS,
})

function readMessage(frame: Frame, ownId: string, user: string): Incoming | undefined {
  const { room, seq, from, clientId, n, at, data } = frame
  if (!isText(room) || !isCount(seq) || !isText(from) || !isText(clientId)) return
  if (!isCount(n) || !isCount(at) || data === undefined) return
  // Every member can read every clientId, so it alone proves nothing.
  const own = clientId === ownId && from === user
  const meta = { id: `${clientId}:${n}`, seq, sender: from, own, at }
  return { kind: 'message', room, data, meta }
}

function readOk({ id, seq }: Frame): Incoming | undefined {
  if (!isCount(id) || !isMaybeCount(seq)) return
  return seq === undefined ? { kind: 'ok', id } : { kind: 'ok', id, seq }
}

const readReply = ({ id, data }: Frame): Incoming | undefined =>
  isCount(id) && data !== undefined ? { kind: 'ok', id, data } : undefined

const readJoined = ({ id, room, epoch, seq }: Frame): Incoming | undefined =>
  isCount(id) && isText(room) && isText(epoch) && isCount(seq)
    ? { kind: 'joined', id, room, epoch, seq }
    : undefined

function readError(frame: Frame): Incoming | undefined {
  const { id, room, code, message, retryAfterMs } = frame
  if (!isText(code) || !isText(message) || !isMaybeCount(retryAfterMs)) return
  if (!isMaybeCount(id) || !isMaybeText(room)) return
  return {
    kind: 'error',
    code,
    message,
    ...(id !== undefined && { id }),
    ...(room !== undefined && { room }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}
