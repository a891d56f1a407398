/**
 * What a server does that does not speak authed-rooms.v1, in short sentences: whom it lets in, how it refuses,
 * what becomes of a message. The article's servers are such.
 */

import { isObject } from '../core/check.ts'
import { ACCEPT_FIRST } from './checks/handshake.ts'
import { PROTOCOL } from './frames.ts'
import { type Dialed, Guest, type Plain } from './guest.ts'
import { type DialOptions, NO_TOKEN } from './handshake.ts'
import { isSame, show } from './judging.ts'
import type { Resolved } from './options.ts'
import type { Peer } from './peer.ts'
import type { Overview } from './report.ts'
import { type Opened, whyNot } from './scene.ts'
import type { Secrets } from './secrets.ts'

const NO_JSON = 'conformance: no JSON'

class Notes {
  readonly works: string[] = []
  readonly lacks: string[] = []
  readonly change: string[] = []

  /** `change`: `undefined` where another lack has named it. */
  lack(what: string, change?: string): void {
    this.lacks.push(what)
    if (change !== undefined && !this.change.includes(change)) this.change.push(change)
  }
}

/** @throws {Error} when nothing answers */
export async function overviewOf(
  options: Resolved,
  secrets: Secrets,
  first: Opened,
): Promise<Overview> {
  const notes = new Notes()
  const guest = new Guest(options, secrets)
  noteProtocol(notes, first)
  const good = await guest.dial()
  if (good.kind === 'lost' && first.kind === 'lost')
    throw new Error(`nothing answers: ${first.why}`)
  await noteGood(notes, guest, good)
  // Where nobody is let in, nothing is to be learned from one more refusal.
  if (good.kind === 'open') await noteRefusals(notes, guest)
  await guest.close()
  const clean = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => secrets.redact(line))
  return { works: clean(notes.works), lacks: clean(notes.lacks), change: clean(notes.change) }
}

function noteProtocol(notes: Notes, first: Opened): void {
  notes.lack(
    `speaks no rooms protocol: ${first.kind === 'open' ? greetingOf(first.peer) : `authed-rooms.v1 was offered, and ${whyNot(first)}`}`,
    'use the SDK with roomPerSocket() or plain(), which need no change; for acknowledged, numbered and resumable messages serve authed-rooms.v1 (docs/protocol.md; authed_rooms.py is code to copy)',
  )
}

function greetingOf({ echoed, ending }: Peer): string {
  if (echoed !== PROTOCOL) return `authed-rooms.v1 was offered, and ${show(echoed)} came back`
  const instead = ending === undefined ? 'no welcome followed' : `a close with ${ending.code}`
  return `authed-rooms.v1 came back, as any word would, and then ${instead}`
}

async function noteGood(notes: Notes, guest: Guest, good: Dialed): Promise<void> {
  if (good.kind !== 'open')
    return notes.lack(
      `a good token (${guest.way}) is not let in: ${whyNot(good)}`,
      'give a good token of the first user, and say how it travels (transmission, --token-by) and the whole path',
    )
  const { plain } = good
  await guest.until(() => plain.frames.length > 0 || plain.code !== undefined)
  if (plain.code !== undefined)
    return notes.lack(
      `a good token (${guest.way}) is accepted and closed with ${plain.code}`,
      'look into the log of the server: the connection ends before its first message',
    )
  notes.works.push(`a good token (${guest.way}) is let in`)
  const [greeting] = plain.frames.splice(0)
  if (greeting !== undefined) notes.works.push(`it is greeted with ${shapeOf(greeting)}`)
  await noteMessage(notes, guest, plain)
  await noteWrong(notes, guest, 'text that is no JSON', NO_JSON)
  await noteWrong(notes, guest, 'a binary frame', new TextEncoder().encode(NO_JSON))
}

async function noteMessage(notes: Notes, guest: Guest, sender: Plain): Promise<void> {
  const other = await guest.dial(guest.other)
  const receiver = other.kind === 'open' ? other.plain : undefined
  // Its own greeting is no message.
  await guest.until(() => receiver === undefined || receiver.frames.length > 0)
  receiver?.frames.splice(0)
  sender.frames.splice(0)
  sender.send(JSON.stringify({ message: 'conformance' }))
  await guest.until(() => sender.frames.length > 0 && receiver?.frames.length !== 0)
  const [own] = sender.frames
  const [theirs] = receiver?.frames ?? []
  if (own === undefined)
    notes.lack('{ message } is not answered', 'say in your documents what frames your server reads')
  else notes.works.push(`{ message } comes back to its sender as ${shapeOf(own)}`)
  if (theirs !== undefined) notes.works.push('and goes to the others at this URL')
  else if (receiver !== undefined)
    notes.lack(
      'the others at this URL get nothing: it is an echo, and no room',
      'keep the connections of a room together, and send each message to all of them',
    )
  notes.lack(
    'messages have no number and no acknowledgement: one that is sent while a connection breaks is lost without a word',
  )
}

async function noteWrong(
  notes: Notes,
  guest: Guest,
  what: string,
  data: string | Uint8Array,
): Promise<void> {
  const victim = await guest.dial()
  if (victim.kind !== 'open') return
  const { plain } = victim
  await guest.until(() => plain.frames.length > 0)
  plain.frames.splice(0)
  plain.send(data)
  await guest.until(() => plain.code !== undefined || plain.frames.length > 0)
  if (plain.code !== undefined)
    return notes.lack(
      `${what} ends the connection (${plain.code})`,
      'answer a frame that you cannot read by an error, and go on: catch the error of json.loads, and look for bytes before you read text',
    )
  plain.frames.splice(0)
  plain.send(JSON.stringify({ message: 'conformance' }))
  const isAlive = await guest.until(() => plain.frames.length > 0)
  if (isAlive) notes.works.push(`${what} does not end the connection`)
  else
    notes.lack(
      `after ${what} the connection is deaf`,
      'answer a frame that you cannot read by an error, and go on reading',
    )
}

/** What was refused how, so that the same is said once. */
async function noteRefusals(notes: Notes, guest: Guest): Promise<void> {
  const bad = await refusalOf(guest, { token: NO_TOKEN })
  const none = guest.way === 'first-message' ? bad : await refusalOf(guest, { token: null })
  if (isSame(bad, none)) noteRefusal(notes, 'a bad token, and none,', bad)
  else {
    noteRefusal(notes, 'a bad token', bad)
    noteRefusal(notes, 'a handshake without a token', none)
  }
}

type Refusal =
  | { readonly kind: 'before-accept'; readonly how: string }
  | { readonly kind: 'closed'; readonly code: number }
  | { readonly kind: 'let-in' }

async function refusalOf(guest: Guest, dial: DialOptions): Promise<Refusal> {
  const dialed = await guest.dial(dial)
  if (dialed.kind === 'status') return { kind: 'before-accept', how: `HTTP ${dialed.status}` }
  if (dialed.kind !== 'open') return { kind: 'before-accept', how: whyNot(dialed) }
  const { plain } = dialed
  await guest.until(() => plain.code !== undefined)
  return plain.code === undefined ? { kind: 'let-in' } : { kind: 'closed', code: plain.code }
}

function noteRefusal(notes: Notes, what: string, refusal: Refusal): void {
  if (refusal.kind === 'before-accept')
    notes.lack(
      `${what} is refused before accept (${refusal.how}): a browser sees 1006, as from a dead server, and never a close code`,
      `${ACCEPT_FIRST} (Channels: await self.accept(), then await self.close(code=4003); FastAPI: await websocket.accept(), then await websocket.close(4003))`,
    )
  else if (refusal.kind === 'let-in')
    notes.lack(`${what} is let in`, 'verify the token, and close with 4003 where it is bad')
  else notes.works.push(`${what} is accepted and closed with ${refusal.code}`)
}

/** JSON by the names of its members, since values may be somebody's. */
function shapeOf(data: string | ArrayBuffer): string {
  if (typeof data !== 'string') return 'a binary frame'
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return 'plain text'
  }
  return isObject(value) ? `JSON { ${Object.keys(value).slice(0, 6).join(', ')} }` : 'JSON'
}
