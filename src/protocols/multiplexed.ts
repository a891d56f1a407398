import { check, flag, isCount } from '../core/check.ts'
import { LONGEST_TIMER_MS } from '../core/delays.ts'
import { toJson } from '../core/json.ts'
import { sharedLine } from '../links/shared-line.ts'
import { isMaybeCount, isMaybeSize, isSize, isText, unreadable } from './guards.ts'
import type {
  Codec,
  Heartbeat,
  HistoryRequest,
  Incoming,
  JoinRequest,
  Protocol,
} from './protocol.ts'
import { type Frame, isFrame, readFrame } from './rooms-frames.ts'

export interface MultiplexedOptions {
  /**
   * Names the rooms to join in the URL of the first dial: joined one round trip after the handshake, instead
   * of two. Their names then stand in access logs. For servers that offer `join-in-url`. Default `false`.
   */
  readonly joinInUrl?: boolean
}

/**
 * The rooms protocol v1: all rooms over one socket, sends and calls acknowledged, rooms resumed after a
 * reconnect. For servers that speak it (docs/protocol.md).
 *
 * @throws {TypeError} a wrong option, named
 */
export const multiplexed = (options: MultiplexedOptions = {}): Protocol => {
  const { joinInUrl } = check('multiplexed', options, { joinInUrl: flag })
  return {
    name: 'multiplexed',
    rooms: sharedLine,
    subprotocols: ['authed-rooms.v1'],
    greets: true,
    acknowledges: true,
    resumes: true,
    codec: (client) => new MultiplexedCodec(client, joinInUrl ? NAMES_IN_URL_BYTES : 0),
  }
}

const NAMES_IN_URL_BYTES = 1_024
const HEARTBEAT_TIMEOUT_MS = 10_000

class MultiplexedCodec implements Codec {
  heartbeat?: Heartbeat
  readonly #client: { readonly clientId: string }
  readonly #urlBytes: number
  #user = ''
  #connections = 0

  constructor(client: { readonly clientId: string }, urlBytes: number) {
    this.#client = client
    this.#urlBytes = urlBytes
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
    const incoming =
      frame.type === 'welcome'
        ? this.#readWelcome(frame)
        : readFrame(frame, this.#client.clientId, this.#user)
    return incoming ?? unreadable(`malformed ${frame.type}`)
  }

  send(room: string | undefined, data: unknown, id: number): string {
    if (room === undefined) throw new TypeError('send in a room: socket.room(name).send(data)')
    // By hand: JSON.stringify would drop `data` without a word when there is no JSON for it.
    return `{"type":"send","id":${id},"room":${JSON.stringify(room)},"clientId":"${this.#client.clientId}","n":${id},"data":${toJson(data)}}`
  }

  complete(frame: string, epoch: string): string {
    return `${frame.slice(0, -1)},"epoch":${JSON.stringify(epoch)}}`
  }

  join(rooms: readonly JoinRequest[], id: number): string {
    return `{"type":"join","id":${id},"rooms":${toJson(rooms, 'rooms')}}`
  }

  checkJoin(request: Pick<JoinRequest, 'params' | 'presence'>): void {
    for (const name of ['params', 'presence'] as const)
      if (request[name] !== undefined) toJson(request[name], name)
  }

  leave(room: string, id: number): string {
    return JSON.stringify({ type: 'leave', id, room })
  }

  history(room: string, { before, limit }: HistoryRequest, id: number): string {
    return JSON.stringify({ type: 'history', id, room, before, limit })
  }

  auth(token: string, id: number): string {
    return JSON.stringify({ type: 'auth', id, token })
  }

  call(type: string, payload: unknown, id: number): string {
    const data = payload === undefined ? '' : `,"data":${toJson(payload)}`
    return `{"type":"call","id":${id},"method":${JSON.stringify(type)}${data}}`
  }

  /** The number of this connection lets the server refuse what is late on an earlier one. */
  address(url: URL, rooms: Iterable<string>): readonly string[] {
    this.#connections++
    url.searchParams.set('client', this.#client.clientId)
    url.searchParams.set('connection', String(this.#connections))
    const named: string[] = []
    let left = this.#urlBytes
    for (const room of rooms) {
      left -= '&join='.length + encodeURIComponent(room).length
      if (left < 0) break
      url.searchParams.append('join', room)
      named.push(room)
    }
    return named
  }

  #readWelcome(frame: Frame): Incoming | undefined {
    const { version, user, limits, heartbeatMs, resumeWindowMs, features } = frame
    if (version !== 1 || !isText(user) || !isCount(heartbeatMs) || !isFrame(limits)) return
    const { frameBytes, roomsPerJoin, inFlight } = limits
    if (!isSize(frameBytes) || !isSize(roomsPerJoin) || !isMaybeSize(inFlight)) return
    if (!isMaybeCount(resumeWindowMs) || !(features === undefined || isTexts(features))) return
    this.#user = user
    this.heartbeat = heartbeatOf(heartbeatMs)
    return {
      kind: 'welcome',
      user,
      limits: { frameBytes, roomsPerJoin, ...(inFlight !== undefined && { inFlight }) },
      ...(resumeWindowMs !== undefined && { resumeWindowMs }),
      ...(features !== undefined && { features, renewable: features.includes('auth') }),
    }
  }
}

const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

/** From 1 s, so that no server makes its clients busy, to the longest timer there is. */
const heartbeatOf = (heartbeatMs: number): Heartbeat => ({
  frame: '{"type":"ping","id":0}',
  everyMs: Math.min(Math.max(heartbeatMs, 1000), LONGEST_TIMER_MS),
  timeoutMs: HEARTBEAT_TIMEOUT_MS,
})
