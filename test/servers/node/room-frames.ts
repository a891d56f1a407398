import type { JsonRecord } from './json.ts'
import { isRecord, numberOf, parseJson, stringOf } from './json.ts'

export type ErrorCode =
  | 'forbidden'
  | 'not-joined'
  | 'bad-frame'
  | 'too-large'
  | 'unknown-method'
  | 'rate-limited'

export type ClientFrame =
  | { type: 'join'; id: number; rooms: string[] }
  | { type: 'leave'; id: number; room: string }
  | { type: 'send'; id: number; room: string; clientId: string; n: number; data: unknown }
  | { type: 'call'; id: number; method: string; data: unknown }
  | { type: 'ping'; id: number }

export type Reading =
  | { ok: true; frame: ClientFrame }
  /** `id` and `room` as far as they could be read, so that the answer finds its question. */
  | { ok: false; id?: number; room?: string; why: string }

const MAX_ROOM_NAME_BYTES = 256
const CLIENT_ID = /^[0-9a-f]{32}$/

function isRoomName(name: string | undefined): name is string {
  return name !== undefined && name !== '' && Buffer.byteLength(name) <= MAX_ROOM_NAME_BYTES
}

function isCounter(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}

function readJoin(frame: JsonRecord, id: number): ClientFrame | string {
  const list = frame['rooms']
  if (!Array.isArray(list) || list.length === 0) return '"rooms" is a list with at least one room'
  const rooms: string[] = []
  for (const entry of list as unknown[]) {
    const room = isRecord(entry) ? stringOf(entry, 'room') : undefined
    if (!isRoomName(room)) return 'each room has a name of 1 to 256 bytes'
    rooms.push(room)
  }
  return { type: 'join', id, rooms }
}

function readSend(frame: JsonRecord, id: number): ClientFrame | string {
  const room = stringOf(frame, 'room')
  const clientId = stringOf(frame, 'clientId')
  const n = numberOf(frame, 'n')
  if (!isRoomName(room)) return '"room" is a name of 1 to 256 bytes'
  if (clientId === undefined || !CLIENT_ID.test(clientId))
    return '"clientId" is 32 lower-case hex digits'
  if (!isCounter(n)) return '"n" is an integer from 0'
  // null is data; a frame without "data" is a mistake.
  if (!('data' in frame)) return '"data" is required'
  return { type: 'send', id, room, clientId, n, data: frame['data'] }
}

function readByType(frame: JsonRecord, id: number): ClientFrame | string {
  switch (frame['type']) {
    case 'join':
      return readJoin(frame, id)
    case 'send':
      return readSend(frame, id)
    case 'leave': {
      const room = stringOf(frame, 'room')
      return isRoomName(room) ? { type: 'leave', id, room } : '"room" is a name of 1 to 256 bytes'
    }
    case 'call': {
      const method = stringOf(frame, 'method')
      return method === undefined
        ? '"method" is required'
        : { type: 'call', id, method, data: frame['data'] ?? null }
    }
    case 'ping':
      return { type: 'ping', id }
    default:
      return 'unknown "type"'
  }
}

function refused(id: number | undefined, room: string | undefined, why: string): Reading {
  return {
    ok: false,
    ...(id === undefined ? {} : { id }),
    ...(room === undefined ? {} : { room }),
    why,
  }
}

export function readFrame(text: string): Reading {
  const frame = parseJson(text)
  if (!isRecord(frame)) return refused(undefined, undefined, 'a frame is a JSON object')
  const id = numberOf(frame, 'id')
  const named = stringOf(frame, 'room')
  const room = isRoomName(named) ? named : undefined
  if (!isCounter(id)) return refused(undefined, room, '"id" is an integer from 0')
  const read = readByType(frame, id)
  return typeof read === 'string' ? refused(id, room, read) : { ok: true, frame: read }
}
