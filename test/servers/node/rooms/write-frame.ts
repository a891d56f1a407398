import type { HistoryFrame, JoinedFrame, PresenceFrame } from './frames.ts'
import type { Change, Page, ShownClient, StoredMessage } from './store.ts'

/*
 * Frames that carry stored data. It is JSON text already and goes out as it is: each message is written once
 * for all members of its room, and nothing that came in is parsed again.
 */

function textOf({ seq, from, clientId, n, at, data }: StoredMessage): string {
  const head = JSON.stringify({ seq, from, clientId, n, at })
  return `${head.slice(0, -1)},"data":${data}}`
}

function clientText({ user, clientId, data }: ShownClient): string {
  return `${JSON.stringify({ user, clientId }).slice(0, -1)},"data":${data}}`
}

function withList(frame: object, name: string, items: readonly string[]): string {
  return `${JSON.stringify(frame).slice(0, -1)},"${name}":[${items.join(',')}]}`
}

export function writeMessage(room: string, message: StoredMessage): string {
  const head = JSON.stringify({ type: 'message', room })
  return `${head.slice(0, -1)},${textOf(message).slice(1)}`
}

export function writeHistory(id: number, room: string, { epoch, messages, more }: Page): string {
  const frame: Omit<HistoryFrame, 'messages'> = { type: 'history', id, room, epoch, more }
  return withList(frame, 'messages', messages.map(textOf))
}

export interface JoinedLists {
  messages?: readonly StoredMessage[] | undefined
  members?: readonly ShownClient[] | undefined
}

export function writeJoined(
  frame: Omit<JoinedFrame, 'type' | 'messages' | 'members'>,
  { messages, members }: JoinedLists = {},
): string {
  let text = JSON.stringify({ type: 'joined', ...frame } satisfies JoinedFrame)
  const add = (name: string, items: readonly string[]): void => {
    text = `${text.slice(0, -1)},"${name}":[${items.join(',')}]}`
  }
  if (messages) add('messages', messages.map(textOf))
  if (members) add('members', members.map(clientText))
  return text
}

export function writePresence(room: string, { version, joins, leaves }: Change): string {
  const frame: Omit<PresenceFrame, 'joins'> = { type: 'presence', room, version, leaves }
  return withList(frame, 'joins', joins.map(clientText))
}
