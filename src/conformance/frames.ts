/** The frames of docs/protocol.md as guards, from which their types follow. A test compares them with the schema. */
import { isObject } from '../core/check.ts'
import {
  anything,
  clientId,
  count,
  countFrom1,
  distinct,
  filled,
  flag,
  listOf,
  object,
  oneOf,
  only,
  record,
  room,
  size,
  text,
  type Value,
} from './guards.ts'

export const PROTOCOL = 'authed-rooms.v1'
export const FEATURES = ['auth', 'call', 'history', 'join-in-url', 'presence'] as const
export type Feature = (typeof FEATURES)[number]

export const ERROR_CODES = [
  ...(['forbidden', 'not-joined', 'bad-frame', 'too-large', 'unknown-method'] as const),
  ...(['rate-limited', 'superseded', 'stale-epoch', 'token-refused'] as const),
  ...(['other-user', 'unavailable'] as const),
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

const resume = record({ epoch: filled, seq: count }, {})
const stored = { seq: count, from: text, clientId, n: count, at: count, data: anything }
const messages = listOf(record(stored, {}))
const members = listOf(record({ user: text, clientId, data: object }, {}))
const joining = record({ room }, { params: object, presence: object, resume })
const limits = record(
  { frameBytes: size, roomsPerJoin: size },
  { rooms: size, inFlight: size, history: size },
)

export const CLIENT_FRAMES = {
  auth: record({ id: count, token: filled }, {}),
  join: record({ id: count, rooms: listOf(joining, 1) }, {}),
  leave: record({ id: count, room }, {}),
  send: record(
    { id: count, room, epoch: filled, clientId, n: count, data: anything },
    { volatile: only(true) },
  ),
  call: record({ id: count, method: filled }, { data: anything }),
  history: record({ id: count, room, limit: countFrom1 }, { before: count }),
  ping: record({ id: count }, {}),
}

export const SERVER_FRAMES = {
  welcome: record(
    {
      version: only(1),
      user: text,
      session: text,
      limits,
      heartbeatMs: count,
      resumeWindowMs: count,
      features: distinct(listOf(text)),
    },
    { expiresInMs: count },
  ),
  joined: record(
    { room, epoch: filled, seq: count, recovered: flag },
    { id: count, messages, members, version: count },
  ),
  message: record({ room, ...stored }, {}),
  presence: record(
    { room, version: count, joins: members, leaves: listOf(record({ user: text, clientId }, {})) },
    {},
  ),
  history: record({ id: count, room, epoch: filled, messages, more: flag }, {}),
  ok: record({ id: count }, { seq: count, expiresInMs: count }),
  reply: record({ id: count, data: anything }, {}),
  pong: record({ id: count }, {}),
  error: record(
    { code: oneOf(...ERROR_CODES), message: text },
    { id: count, room: text, retryAfterMs: count },
  ),
  expiring: record({ inMs: count }, {}),
  drain: record({ withinMs: count }, {}),
}

export type ClientType = keyof typeof CLIENT_FRAMES
export type ServerType = keyof typeof SERVER_FRAMES
type Of<Type extends string, G> = { readonly type: Type } & Value<G>
export type ClientFrame<Type extends ClientType = ClientType> = {
  [Each in Type]: Of<Each, (typeof CLIENT_FRAMES)[Each]>
}[Type]
export type ServerFrame<Type extends ServerType = ServerType> = {
  [Each in Type]: Of<Each, (typeof SERVER_FRAMES)[Each]>
}[Type]
export type Joining = Value<typeof joining>
export type StoredMessage = Value<typeof messages>[number]

export type Reading =
  | { readonly kind: 'frame'; readonly frame: ServerFrame }
  /** Of a later version: clients ignore it. */
  | { readonly kind: 'unknown'; readonly type: string }
  | { readonly kind: 'wrong'; readonly problem: string; readonly frame: unknown }

const isServerType = (type: string): type is ServerType => Object.hasOwn(SERVER_FRAMES, type)
const isClientType = (type: string): type is ClientType => Object.hasOwn(CLIENT_FRAMES, type)

/** What a frame of a server says; never throws. */
export function readServerFrame(data: string | ArrayBuffer): Reading {
  if (typeof data !== 'string')
    return { kind: 'wrong', problem: 'a binary frame; frames are text', frame: undefined }
  let frame: unknown
  try {
    frame = JSON.parse(data)
  } catch {
    return { kind: 'wrong', problem: 'a frame that is not JSON', frame: undefined }
  }
  const wrong = (problem: string): Reading => ({ kind: 'wrong', problem, frame })
  if (!isObject(frame)) return wrong('a frame that is not a JSON object')
  const type = Object.hasOwn(frame, 'type') ? frame['type'] : undefined
  if (typeof type !== 'string') return wrong('a frame without a string member "type"')
  if (!isServerType(type)) return { kind: 'unknown', type }
  const problem = SERVER_FRAMES[type].problem(frame, type)
  // The guard has just shown that it is one.
  return problem === undefined ? { kind: 'frame', frame: frame as ServerFrame } : wrong(problem)
}

/** @returns what is wrong with a frame of a client, by its type's guard */
export function clientFrameProblem(frame: unknown): string | undefined {
  const type = isObject(frame) ? frame['type'] : undefined
  if (typeof type !== 'string' || !isClientType(type)) return 'no frame of a client'
  return CLIENT_FRAMES[type].problem(frame, type)
}
