import type { JsonRecord } from '../json.ts'
import { isRecord, numberOf, stringOf } from '../json.ts'
import type {
  CallFrame,
  ClientFrame,
  HistoryRequestFrame,
  JoinFrame,
  Point,
  RoomToJoin,
  SendFrame,
} from './frames.ts'

export type Reading =
  | { ok: true; frame: ClientFrame }
  /** `id` and `room` as far as they could be read, so that the answer finds its question. */
  | { ok: false; id?: number | undefined; room?: string | undefined; why: string }

const MAX_ROOM_NAME_BYTES = 256
const CLIENT_ID = /^[0-9a-f]{32}$/
/** JSON can hold half of a surrogate pair; UTF-8 cannot, and two such names would be the same bytes. */
const LONE_SURROGATE = /\p{Surrogate}/u

const ROOM = '"room" is a name of 1 to 256 bytes'
const COUNT = 'is an integer from 0'

export function isRoomName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    Buffer.byteLength(name) <= MAX_ROOM_NAME_BYTES &&
    !LONE_SURROGATE.test(name)
  )
}

export function isClientId(value: unknown): value is string {
  return typeof value === 'string' && CLIENT_ID.test(value)
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Absent, or as it should be: `null` is neither. */
function isMaybeRecord(value: unknown): value is JsonRecord | undefined {
  return value === undefined || isRecord(value)
}

function readResume(value: unknown): Point | undefined {
  const epoch = isRecord(value) ? stringOf(value, 'epoch') : undefined
  const seq = isRecord(value) ? value['seq'] : undefined
  return epoch && isCount(seq) ? { epoch, seq } : undefined
}

function readRoomToJoin(entry: unknown): RoomToJoin | string {
  if (!isRecord(entry)) return 'each of "rooms" is an object'
  const { room, params, presence } = entry
  if (!isRoomName(room)) return 'each room has a name of 1 to 256 bytes'
  if (!isMaybeRecord(params) || !isMaybeRecord(presence)) {
    return '"params" and "presence" are objects'
  }
  const resume = readResume(entry['resume'])
  if ('resume' in entry && resume === undefined) return '"resume" is { epoch, seq }'
  return { room, params, presence, resume }
}

function readJoin(frame: JsonRecord, id: number): JoinFrame | string {
  const list = frame['rooms']
  if (!Array.isArray(list) || list.length === 0) return '"rooms" is a list with at least one room'
  const rooms: RoomToJoin[] = []
  const names = new Set<string>()
  for (const entry of list as unknown[]) {
    const read = readRoomToJoin(entry)
    if (typeof read === 'string') return read
    if (names.has(read.room)) return 'each room stands in "rooms" once'
    names.add(read.room)
    rooms.push(read)
  }
  return { type: 'join', id, rooms }
}

function readSend(frame: JsonRecord, id: number): SendFrame | string {
  const { room, clientId, n } = frame
  const epoch = stringOf(frame, 'epoch')
  if (!isRoomName(room)) return ROOM
  if (!epoch) return '"epoch" is the one of the room'
  if (!isClientId(clientId)) return '"clientId" is 32 lower-case hex digits'
  if (!isCount(n)) return `"n" ${COUNT}`
  if ('volatile' in frame && frame['volatile'] !== true) return '"volatile" is true or absent'
  // null is data; a frame without "data" is a mistake.
  if (!('data' in frame)) return '"data" is required'
  const volatile = frame['volatile'] === true ? frame['volatile'] : undefined
  return { type: 'send', id, room, epoch, clientId, n, data: frame['data'], volatile }
}

function readHistory(frame: JsonRecord, id: number): HistoryRequestFrame | string {
  const { room, before, limit } = frame
  if (!isRoomName(room)) return ROOM
  if (before !== undefined && !isCount(before)) return `"before" ${COUNT}`
  if (!isCount(limit) || limit === 0) return '"limit" is an integer from 1'
  return { type: 'history', id, room, before, limit }
}

function readCall(frame: JsonRecord, id: number): CallFrame | string {
  const method = stringOf(frame, 'method')
  if (!method) return '"method" is required'
  return { type: 'call', id, method, data: frame['data'] ?? null }
}

function readByType(frame: JsonRecord, id: number): ClientFrame | string {
  switch (frame['type']) {
    case 'auth': {
      const token = stringOf(frame, 'token')
      return token ? { type: 'auth', id, token } : '"token" is required'
    }
    case 'join':
      return readJoin(frame, id)
    case 'leave': {
      const room = frame['room']
      return isRoomName(room) ? { type: 'leave', id, room } : ROOM
    }
    case 'send':
      return readSend(frame, id)
    case 'call':
      return readCall(frame, id)
    case 'history':
      return readHistory(frame, id)
    case 'ping':
      return { type: 'ping', id }
    default:
      return 'unknown "type"'
  }
}

/** False where the value is nested so deeply that nobody could write it again. */
function canBeWritten(value: unknown): boolean {
  try {
    JSON.stringify(value)
    return true
  } catch {
    return false
  }
}

/** @param value what the text of a frame says; `undefined` where it is no JSON. */
export function readFrame(value: unknown): Reading {
  if (!isRecord(value)) return { ok: false, why: 'a frame is a JSON object' }
  const id = numberOf(value, 'id')
  // An error that names a room answers one of a join's; a join that is wrong is so as a whole.
  const named = value['type'] === 'join' ? undefined : value['room']
  const room = isRoomName(named) ? named : undefined
  if (!isCount(id)) return { ok: false, room, why: `"id" ${COUNT}` }
  if (!canBeWritten(value)) return { ok: false, id, room, why: 'the frame is nested too deeply' }
  const read = readByType(value, id)
  return typeof read === 'string' ? { ok: false, id, room, why: read } : { ok: true, frame: read }
}
