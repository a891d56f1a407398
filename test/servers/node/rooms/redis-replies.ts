/** What our scripts answer, read. Redis knows texts, numbers and lists; everything else is a mistake of ours. */
import type { Change, ShownClient, StoredMessage } from './store.ts'

export function listOf(reply: unknown): unknown[] {
  if (!Array.isArray(reply)) throw new TypeError('the script answered no list')
  return reply
}

export function textOf(reply: unknown): string {
  if (typeof reply !== 'string') throw new TypeError('the script answered no text')
  return reply
}

/** An entry of a stream: the first number of its id, the second, and its fields in order. */
function entryOf(reply: unknown): { first: number; second: number; fields: string[] } {
  const [id, fields] = listOf(reply)
  const [first, second] = textOf(id).split('-').map(Number)
  return { first: first ?? 0, second: second ?? 0, fields: listOf(fields).map(textOf) }
}

export function messageOf(reply: unknown): StoredMessage {
  const { first: seq, second: at, fields } = entryOf(reply)
  const [, from = '', , clientId = '', , n = '', , data = ''] = fields
  return { seq, from, clientId, n: Number(n), at, data }
}

export function shownOf(json: unknown): ShownClient {
  // Written by our own script.
  const { user, clientId, data } = JSON.parse(textOf(json)) as ShownClient
  return { user, clientId, data }
}

export function changeOf(reply: unknown): Change {
  const { first: version, fields } = entryOf(reply)
  const change: Change = { version, joins: [], leaves: [] }
  for (let index = 0; index < fields.length; index += 2) {
    const client = shownOf(fields[index + 1])
    if (fields[index] === 'join') change.joins.push(client)
    else change.leaves.push({ user: client.user, clientId: client.clientId })
  }
  return change
}
