import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CloseRequest, Control } from './control.ts'
import type { Fault } from './faults.ts'
import type { Reply } from './http.ts'
import { readText, sendReply } from './http.ts'
import type { JsonRecord } from './json.ts'
import { isRecord, numberOf, parseJson, stringOf } from './json.ts'
import type { Settings } from './state.ts'
import type { MintRequest } from './tokens.ts'

const DOOR = '/_control/'
const KINDS: readonly string[] = ['valid', 'expired', 'refresh', 'opaque']

type Command = (body: JsonRecord, raw: unknown) => unknown

function userOf(body: JsonRecord): string {
  const user = stringOf(body, 'user')
  if (user === undefined) throw new TypeError('"user" is required')
  return user
}

function mintRequest(body: JsonRecord): MintRequest {
  const request: MintRequest = { user: userOf(body) }
  const kind = stringOf(body, 'kind')
  if (kind !== undefined) {
    if (!KINDS.includes(kind)) throw new TypeError(`no kind of token is called "${kind}"`)
    request.kind = kind as NonNullable<MintRequest['kind']>
  }
  const lifetimeMs = numberOf(body, 'lifetimeMs')
  if (lifetimeMs !== undefined) request.lifetimeMs = lifetimeMs
  return request
}

function closeRequest(body: JsonRecord): CloseRequest {
  const request: CloseRequest = { code: numberOf(body, 'code') ?? Number.NaN }
  const reason = stringOf(body, 'reason')
  const room = stringOf(body, 'room')
  if (reason !== undefined) request.reason = reason
  if (room !== undefined) request.room = room
  return request
}

function withinOf(body: JsonRecord): number {
  const withinMs = numberOf(body, 'withinMs')
  if (withinMs === undefined || !Number.isSafeInteger(withinMs) || withinMs < 0) {
    throw new TypeError('"withinMs" is an integer from 0')
  }
  return withinMs
}

function commandsOf(control: Control): Record<string, Command> {
  return {
    reset: () => control.reset(),
    mint: (body) => control.mint(mintRequest(body)),
    settings: (body) => control.settings(body as Partial<Settings>),
    revoke: (body) => control.revoke(userOf(body)),
    'delete-user': (body) => control.deleteUser(userOf(body)),
    close: (body) => ({ closed: control.closeSockets(closeRequest(body)) }),
    received: () => control.received(),
    sockets: () => ({ open: control.openSockets() }),
    counts: () => control.counts(),
    dials: () => control.dials(),
    refreshes: () => control.refreshes(),
    families: () => control.families(),
    // Rules are checked by the control itself, which tests call directly too.
    fault: (_, raw) => ({ waiting: control.fault(raw as Fault | Fault[]) }),
    // Not waited for: the answer comes while clients go.
    drain: (body) => void control.drain(withinOf(body)),
    'forget-rooms': () => control.forgetRooms(),
  }
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || (address ?? '').replace('::ffff:', '').startsWith('127.')
}

async function run(command: Command, request: IncomingMessage): Promise<Reply> {
  const text = await readText(request)
  const raw = text === '' ? {} : parseJson(text ?? '')
  if (raw === undefined) return { status: 400, body: { detail: 'the body is not JSON' } }
  try {
    return { status: 200, body: (await command(isRecord(raw) ? raw : {}, raw)) ?? {} }
  } catch (error) {
    return { status: 400, body: { detail: error instanceof Error ? error.message : 'failed' } }
  }
}

/** Answers requests below `/_control/`; says false to all others. */
export function createControlDoor(
  control: Control,
): (path: string, request: IncomingMessage, response: ServerResponse) => boolean {
  const commands = new Map(Object.entries(commandsOf(control)))
  return (path, request, response) => {
    if (!path.startsWith(DOOR)) return false
    const command = commands.get(path.slice(DOOR.length))
    if (
      command === undefined ||
      request.method !== 'POST' ||
      !isLoopback(request.socket.remoteAddress)
    ) {
      sendReply(response, { status: 404, body: { detail: 'Not found.' } })
      return true
    }
    run(command, request).then(
      (reply) => sendReply(response, reply),
      () => request.socket.destroy(),
    )
    return true
  }
}
