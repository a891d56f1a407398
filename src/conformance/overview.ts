/**
 * What a server does that does not speak authed-rooms.v1, in short sentences: whom it lets in, how it refuses,
 * what becomes of a message. The article's servers are such.
 */

import { ACCEPT_FIRST } from './checks/handshake.ts'
import { isRecord } from './guards.ts'
import { type DialOptions, handshakeOf, NO_TOKEN, tokenFor } from './handshake.ts'
import { show } from './judging.ts'
import type { Resolved } from './options.ts'
import { sleep } from './peer.ts'
import type { Overview } from './report.ts'
import { type Opened, whyNot } from './scene.ts'
import type { Secrets } from './secrets.ts'
import { type Opening, openWire } from './wire.ts'

const NO_JSON = 'conformance: no JSON'
/** daphne takes a second for the close of a consumer that raised. */
const PATIENCE_MS = 1_500
const STEP_MS = 20

/** An open socket without any protocol. */
interface Plain {
  readonly frames: (string | ArrayBuffer)[]
  code: number | undefined
  send(data: string | Uint8Array): void
  close(): void
}
type Dialed = { readonly kind: 'open'; readonly plain: Plain } | Exclude<Opening, { kind: 'open' }>

class Notes {
  readonly works: string[] = []
  readonly lacks: string[] = []
  readonly change: string[] = []

  lack(what: string, change: string): void {
    this.lacks.push(what)
    if (!this.change.includes(change)) this.change.push(change)
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
  await noteRefusal(notes, guest, 'a bad token', { token: NO_TOKEN })
  if (options.transmission !== 'first-message')
    await noteRefusal(notes, guest, 'no token', { token: null })
  await guest.close()
  const clean = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => secrets.redact(line))
  return { works: clean(notes.works), lacks: clean(notes.lacks), change: clean(notes.change) }
}

/** Dials as its users do: with the token, and without a protocol of ours. */
class Guest {
  readonly way: string
  readonly #options: Resolved
  readonly #secrets: Secrets
  readonly #open: Plain[] = []

  constructor(options: Resolved, secrets: Secrets) {
    this.#options = options
    this.#secrets = secrets
    const { transmission } = options
    this.way = transmission === 'first-message' ? 'first message' : transmission.name
  }

  get patienceMs(): number {
    return Math.min(PATIENCE_MS, this.#options.timeoutMs)
  }

  get other(): DialOptions {
    return { user: this.#options.tokens.b ? 'b' : 'a' }
  }

  async dial(dial: DialOptions = {}): Promise<Dialed> {
    const { transmission, WebSocket, webSocketOptions, timeoutMs } = this.#options
    const token = await tokenFor(this.#options, this.#secrets, dial)
    const handshake = handshakeOf(this.#options, { protocols: [], ...dial }, token)
    const plain: Plain = { frames: [], code: undefined, send: () => {}, close: () => {} }
    const opening = await openWire(
      { handshake, WebSocket, options: webSocketOptions, timeoutMs },
      {
        frame: (data) => plain.frames.push(data),
        closed: (code) => {
          plain.code = code
        },
      },
    )
    if (opening.kind !== 'open') return opening
    const { wire } = opening
    plain.send = (data) => {
      if (plain.code === undefined) wire.send(data)
    }
    plain.close = () => wire.close()
    this.#open.push(plain)
    if (token !== undefined && transmission === 'first-message')
      plain.send(JSON.stringify({ type: 'auth', id: 0, token }))
    return { kind: 'open', plain }
  }

  /** Waits until it is so, and not for ever. @returns whether it is */
  async until(isSo: () => boolean): Promise<boolean> {
    for (let waited = 0; waited < this.patienceMs && !isSo(); waited += STEP_MS)
      await sleep(STEP_MS)
    return isSo()
  }

  async close(): Promise<void> {
    for (const plain of this.#open) plain.close()
    await this.until(() => this.#open.every(({ code }) => code !== undefined))
  }
}

function noteProtocol(notes: Notes, first: Opened): void {
  const seen =
    first.kind === 'open'
      ? `the server accepted and sent ${show(first.peer.echoed)} back`
      : whyNot(first)
  notes.lack(
    `speaks no rooms protocol: authed-rooms.v1 was offered, and ${seen}`,
    'for acknowledged, numbered and resumable messages serve authed-rooms.v1 (docs/protocol.md; authed_rooms.py in docs/recipes is code to copy); until then the SDK speaks to this server with roomPerSocket() or plain()',
  )
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
    'number and store messages, and answer each (docs/protocol.md#send)',
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

async function noteRefusal(
  notes: Notes,
  guest: Guest,
  what: string,
  dial: DialOptions,
): Promise<void> {
  const dialed = await guest.dial(dial)
  if (dialed.kind !== 'open')
    return notes.lack(
      `${what} is refused before accept (${dialed.kind === 'status' ? `HTTP ${dialed.status}` : whyNot(dialed)}): a browser sees 1006, as from a dead server, and no close code`,
      `${ACCEPT_FIRST} (Channels: await self.accept(), then await self.close(code=4003); FastAPI: await websocket.accept(), then await websocket.close(4003))`,
    )
  const { plain } = dialed
  await guest.until(() => plain.code !== undefined)
  if (plain.code === undefined)
    return notes.lack(`${what} is let in`, 'verify the token, and close with 4003 where it is bad')
  notes.works.push(`${what} is accepted and closed with ${plain.code}`)
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
  return isRecord(value) ? `JSON { ${Object.keys(value).slice(0, 6).join(', ')} }` : 'JSON'
}
