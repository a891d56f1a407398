/** The server's frames of rooms protocol v1, checked member by member. Each `undefined` is a malformed frame. */
import { isCount } from '../core/check.ts'
import type { PresenceEntry, PresenceKey } from '../core/presence.ts'
import { IGNORED, isMaybeCount, isMaybeText, isText } from './guards.ts'
import type { HistoryPage, Incoming, RoomMessage } from './protocol.ts'

/** A frame of any type, before it was checked. */
export interface Frame {
  readonly type?: unknown
  readonly id?: unknown
  readonly room?: unknown
  readonly seq?: unknown
  readonly epoch?: unknown
  readonly recovered?: unknown
  readonly messages?: unknown
  readonly members?: unknown
  readonly joins?: unknown
  readonly leaves?: unknown
  readonly more?: unknown
  readonly from?: unknown
  readonly clientId?: unknown
  readonly n?: unknown
  readonly at?: unknown
  readonly data?: unknown
  readonly code?: unknown
  readonly message?: unknown
  readonly retryAfterMs?: unknown
  readonly inMs?: unknown
  readonly withinMs?: unknown
  readonly version?: unknown
  readonly user?: unknown
  readonly limits?: unknown
  readonly features?: unknown
  readonly heartbeatMs?: unknown
  readonly resumeWindowMs?: unknown
  readonly frameBytes?: unknown
  readonly roomsPerJoin?: unknown
  readonly inFlight?: unknown
}

export const isFrame = (value: unknown): value is Frame =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every frame but the welcome. `ownId` and `user` tell which messages are this client's own. */
export const readFrame = (frame: Frame, ownId: string, user: string): Incoming | undefined => {
  switch (frame.type) {
    case 'message': {
      const message = readMessage(frame, ownId, user)
      if (message === undefined || !isText(frame.room)) return
      return { kind: 'message', room: frame.room, data: message.data, meta: message.meta }
    }
    case 'ok':
      return readOk(frame)
    case 'reply':
      return readReply(frame)
    case 'joined':
      return readJoined(frame, ownId, user)
    case 'presence':
      return readPresence(frame)
    case 'history':
      return readHistory(frame, ownId, user)
    case 'error':
      return readError(frame)
    case 'expiring':
      return isCount(frame.inMs) ? { kind: 'expiring' } : undefined
    case 'drain':
      return isCount(frame.withinMs) ? { kind: 'drain', withinMs: frame.withinMs } : undefined
    default:
      // Pongs, and frames of later versions.
      return IGNORED
  }
}

function readMessage(frame: Frame, ownId: string, user: string): RoomMessage | undefined {
  const { seq, from, clientId, n, at, data } = frame
  if (!isCount(seq) || !isText(from) || !isText(clientId)) return
  if (!isCount(n) || !isCount(at) || data === undefined) return
  // Every member can read every clientId, so it alone proves nothing.
  const own = clientId === ownId && from === user
  return { data, meta: { id: `${clientId}:${n}`, seq, sender: from, own, at } }
}

function readOk({ id, seq }: Frame): Incoming | undefined {
  if (!isCount(id) || !isMaybeCount(seq)) return
  return seq === undefined ? { kind: 'ok', id } : { kind: 'ok', id, seq }
}

const readReply = ({ id, data }: Frame): Incoming | undefined =>
  isCount(id) && data !== undefined ? { kind: 'ok', id, data } : undefined

function readJoined(frame: Frame, ownId: string, user: string): Incoming | undefined {
  const { id, room, epoch, seq, recovered, version } = frame
  if (!isMaybeCount(id) || !isText(room) || !isText(epoch) || !isCount(seq)) return
  if (!isMaybeFlag(recovered) || !isMaybeCount(version)) return
  const messages = listOf(frame.messages ?? [], (entry) => readMessage(entry, ownId, user))
  const members = listOf(frame.members ?? [], readEntry)
  if (messages === undefined || members === undefined) return
  return {
    kind: 'joined',
    room,
    epoch,
    seq,
    // No request has this number: the room stood in the URL, or has changed for those who are in it.
    id: id ?? 0,
    ...(recovered !== undefined && { recovered }),
    ...(messages.length > 0 && { messages }),
    ...(frame.members !== undefined && version !== undefined && { members, version }),
  }
}

function readPresence({ room, version, joins, leaves }: Frame): Incoming | undefined {
  const came = listOf(joins, readEntry)
  const gone = listOf(leaves, readKey)
  if (!isText(room) || !isCount(version) || came === undefined || gone === undefined) return
  return { kind: 'presence', room, version, joins: came, leaves: gone }
}

function readHistory(frame: Frame, ownId: string, user: string): Incoming | undefined {
  const { id, more } = frame
  const messages = listOf(frame.messages, (entry) => readMessage(entry, ownId, user))
  if (!isCount(id) || messages === undefined || typeof more !== 'boolean') return
  return { kind: 'ok', id, data: { messages, more } satisfies HistoryPage }
}

function readError(frame: Frame): Incoming | undefined {
  const { id, room, code, message, retryAfterMs } = frame
  if (!isText(code) || !isText(message) || !isMaybeCount(retryAfterMs)) return
  if (!isMaybeCount(id) || !isMaybeText(room)) return
  // A later connection of this client was seen. What was sent on this one is sent again on the next.
  if (code === 'superseded')
    return { kind: 'verdict', verdict: 'retry', ...(id !== undefined && { id }) }
  return {
    kind: 'error',
    code,
    message,
    ...(id !== undefined && { id }),
    ...(room !== undefined && { room }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

const readKey = ({ user, clientId }: Frame): PresenceKey | undefined =>
  isText(user) && isText(clientId) ? { user, clientId } : undefined

const readEntry = (entry: Frame): PresenceEntry | undefined => {
  const key = readKey(entry)
  const { data } = entry
  return key && typeof data === 'object' && data !== null ? { ...key, data } : undefined
}

/** @returns `undefined` unless every entry can be read */
const listOf = <Entry>(
  list: unknown,
  read: (entry: Frame) => Entry | undefined,
): Entry[] | undefined => {
  if (!Array.isArray(list)) return undefined
  const entries: Entry[] = []
  for (const each of list) {
    const entry = isFrame(each) ? read(each) : undefined
    if (entry === undefined) return undefined
    entries.push(entry)
  }
  return entries
}

const isMaybeFlag = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === 'boolean'
