import { onText, refuseToken, send } from './connections.ts'
import { isRecord, parseJson } from './json.ts'
import type { Connection, ServerState } from './state.ts'

/** Closed to everybody. */
export const FORBIDDEN_ROOM = 'forbidden'

/**
 * The article's chat: a welcome, then `{message}` comes back to the whole room with its sender.
 * `/ws/plain` is the same with one room that has no name.
 */
export function serveChat(state: ServerState, connection: Connection, room: string | null): void {
  if (room === FORBIDDEN_ROOM) {
    refuseToken(connection, 'room forbidden')
    return
  }
  if (room !== null) connection.rooms.add(room)
  send(connection, { message: `Welcome, ${connection.user}!` })
  onText(connection, (text) => {
    if (text === undefined) return
    state.received.push({ room: room ?? '', user: connection.user, data: text })
    const frame = parseJson(text)
    // Not closed, as the article's consumer does: an answer shows a test what went wrong.
    if (!isRecord(frame) || !('message' in frame)) {
      send(connection, { error: 'expected a JSON object with "message"' })
      return
    }
    const outgoing = { message: frame['message'], username: connection.user }
    for (const member of state.connections) {
      if (isTogether(member, room)) send(member, outgoing)
    }
  })
}

function isTogether(member: Connection, room: string | null): boolean {
  return (
    member.endpoint === (room === null ? 'plain' : 'chat') &&
    (room === null || member.rooms.has(room))
  )
}
