/**
 * The frames of docs/protocol.md. `test/integration/rooms-node/frames.test.ts` holds these types to
 * docs/protocol.schema.json: a member that exists in one and not in the other fails there.
 */

export type ErrorCode =
  | 'forbidden'
  | 'not-joined'
  | 'bad-frame'
  | 'too-large'
  | 'unknown-method'
  | 'rate-limited'
  | 'superseded'
  | 'stale-epoch'
  | 'token-refused'
  | 'other-user'
  | 'unavailable'

type JsonObject = Record<string, unknown>

/** The last message that somebody has seen. */
export interface Point {
  epoch: string
  seq: number
}

export interface RoomToJoin {
  room: string
  params?: JsonObject | undefined
  presence?: JsonObject | undefined
  resume?: Point | undefined
}

export interface AuthFrame {
  type: 'auth'
  id: number
  token: string
}

export interface JoinFrame {
  type: 'join'
  id: number
  rooms: RoomToJoin[]
}

export interface LeaveFrame {
  type: 'leave'
  id: number
  room: string
}

export interface SendFrame {
  type: 'send'
  id: number
  room: string
  epoch: string
  clientId: string
  n: number
  data: unknown
  volatile?: true | undefined
}

export interface CallFrame {
  type: 'call'
  id: number
  method: string
  data?: unknown
}

export interface HistoryRequestFrame {
  type: 'history'
  id: number
  room: string
  before?: number | undefined
  limit: number
}

export interface PingFrame {
  type: 'ping'
  id: number
}

export type ClientFrame =
  | AuthFrame
  | JoinFrame
  | LeaveFrame
  | SendFrame
  | CallFrame
  | HistoryRequestFrame
  | PingFrame

export interface Limits {
  frameBytes: number
  roomsPerJoin: number
  rooms?: number | undefined
  inFlight?: number | undefined
  history?: number | undefined
}

/** A message without its room, as lists have it. */
export interface Message {
  seq: number
  from: string
  clientId: string
  n: number
  at: number
  data: unknown
}

/** A client of a user that is shown in a room. */
export interface PresentClient {
  user: string
  clientId: string
}

export interface PresentMember extends PresentClient {
  data: JsonObject
}

export interface WelcomeFrame {
  type: 'welcome'
  version: 1
  user: string
  session: string
  limits: Limits
  heartbeatMs: number
  resumeWindowMs: number
  expiresInMs?: number | undefined
  features: string[]
}

export interface JoinedFrame {
  type: 'joined'
  id?: number | undefined
  room: string
  epoch: string
  seq: number
  recovered: boolean
  messages?: Message[] | undefined
  members?: PresentMember[] | undefined
  version?: number | undefined
}

export interface MessageFrame extends Message {
  type: 'message'
  room: string
}

export interface PresenceFrame {
  type: 'presence'
  room: string
  version: number
  joins: PresentMember[]
  leaves: PresentClient[]
}

export interface HistoryFrame {
  type: 'history'
  id: number
  room: string
  epoch: string
  messages: Message[]
  more: boolean
}

export interface OkFrame {
  type: 'ok'
  id: number
  seq?: number | undefined
  expiresInMs?: number | undefined
}

export interface ReplyFrame {
  type: 'reply'
  id: number
  data: unknown
}

export interface PongFrame {
  type: 'pong'
  id: number
}

export interface ErrorFrame {
  type: 'error'
  id?: number | undefined
  room?: string | undefined
  code: ErrorCode
  message: string
  retryAfterMs?: number | undefined
}

export interface ExpiringFrame {
  type: 'expiring'
  inMs: number
}

export interface DrainFrame {
  type: 'drain'
  withinMs: number
}

export type ServerFrame =
  | WelcomeFrame
  | JoinedFrame
  | MessageFrame
  | PresenceFrame
  | HistoryFrame
  | OkFrame
  | ReplyFrame
  | PongFrame
  | ErrorFrame
  | ExpiringFrame
  | DrainFrame
