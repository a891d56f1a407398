import type { PresenceEntry, PresenceKey } from '../core/presence.ts'
import type { Verdict } from '../core/verdict.ts'

/** What a server's frame means. Protocols turn frames into these; the rest of the SDK never sees a frame. */
export type Incoming =
  /** The server accepted the connection and says so. Settles the link at once. */
  | {
      readonly kind: 'welcome'
      readonly user?: string
      readonly limits?: ServerLimits
      /** What the server does beyond rooms, in its protocol's words. */
      readonly features?: readonly string[]
      /** It takes a younger token on the live socket. */
      readonly renewable?: boolean
      /** A repeated send is known as such for so long, in ms. Default 0: nothing is repeated. */
      readonly resumeWindowMs?: number
    }
  | {
      readonly kind: 'message'
      /** Absent where one socket is one room, or has none. */
      readonly room?: string
      readonly data: unknown
      readonly meta?: MessageMeta
      /** The greeting of a server that says hello in a message of its own: also settles the link. */
      readonly greeting?: true
    }
  | {
      readonly kind: 'joined'
      readonly room: string
      /** Of the join. 0: no frame has asked for it. Absent: this server tells no ids. */
      readonly id?: number
      /** Names one counting of `seq`; another one than before means that messages may be missing. */
      readonly epoch?: string
      /** Of the last message that is in here, or was before it. */
      readonly seq?: number
      /** Everything after the message that the join resumed from is in here, or follows. */
      readonly recovered?: boolean
      readonly messages?: readonly RoomMessage[]
      readonly members?: readonly PresenceEntry[]
      /** Of the members. */
      readonly version?: number
    }
  /** Who came and went since `version` - 1. */
  | {
      readonly kind: 'presence'
      readonly room: string
      readonly version: number
      readonly joins: readonly PresenceEntry[]
      readonly leaves: readonly PresenceKey[]
    }
  /** The token, and the connection with it, ends soon unless it is renewed. */
  | { readonly kind: 'expiring' }
  /** The server will go: the socket is dialed anew within so long, in ms. */
  | { readonly kind: 'drain'; readonly withinMs: number }
  /** The answer to a request: `join`, `leave`, `send` or `call`. */
  | { readonly kind: 'ok'; readonly id: number; readonly data?: unknown; readonly seq?: number }
  | {
      readonly kind: 'error'
      readonly id?: number
      readonly room?: string
      readonly code: string
      readonly message: string
      readonly retryAfterMs?: number
    }
  /** The server says in a frame what others say in a close code. `id`: of the request that it answers so. */
  | { readonly kind: 'verdict'; readonly verdict: Verdict; readonly id?: number }
  /** Nothing for the user: pongs, frames of later versions. */
  | { readonly kind: 'ignored' }
  /** Not of this protocol. Reported as an error; the socket stays. `detail` says what, without content. */
  | { readonly kind: 'unreadable'; readonly detail: string }

export type IncomingOf<Kind extends Incoming['kind']> = Extract<Incoming, { kind: Kind }>

export interface ServerLimits {
  readonly frameBytes?: number
  readonly roomsPerJoin?: number
  /** Unanswered frames at a time. */
  readonly inFlight?: number
}

/** What a server says about a message. Absent fields are what it does not say. */
export interface MessageMeta {
  readonly id?: string
  readonly seq?: number
  readonly sender?: string
  readonly own?: boolean
  /** Epoch ms. */
  readonly at?: number
}

export interface RoomMessage {
  readonly data: unknown
  readonly meta: MessageMeta
}

export interface JoinRequest {
  readonly room: string
  readonly params?: unknown
  /** What the room's members see of this client. */
  readonly presence?: object
  /** The last message that was seen. */
  readonly resume?: { readonly epoch: string; readonly seq: number }
}

export interface HistoryRequest {
  /** Only messages before this `seq`. Default: the newest. */
  readonly before?: number
  /** At most so many. */
  readonly limit: number
}

export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly RoomMessage[]
  /** Older ones are there too. */
  readonly more: boolean
}

/** Frames that keep an idle connection alive and find a dead one. */
export interface Heartbeat {
  readonly frame: string
  /** Sent after so long without a frame from the server, and again as long as none comes, in ms. */
  readonly everyMs: number
  /**
   * Dead when nothing at all arrives within this time after it, in ms; where answers of this connection took longer than
   * a fifth of it, within five times the slowest, up to a minute. Default: it is never taken for dead.
   */
  readonly timeoutMs?: number | undefined
}

/**
 * The frames of one line: of an `AuthedSocket`, or of one room with `socketPerRoom`. It serves each WebSocket that follows,
 * so what belongs to one connection has to begin anew there.
 */
export interface Codec {
  read(frame: string | ArrayBuffer): Incoming
  /** @throws {TypeError} when `data` cannot be encoded */
  send(room: string | undefined, data: unknown, id: number): string | ArrayBuffer
  /** One frame for as many rooms as given. Absent: joining is opening the socket. */
  join?(rooms: readonly JoinRequest[], id: number): string
  /**
   * Looks at what `join` will be given, when the user asks for it. Absent: anything goes.
   *
   * @throws whatever `room.join()` is to reject with
   */
  checkJoin?(request: Pick<JoinRequest, 'params' | 'presence'>): void
  leave?(room: string, id: number): string
  /** Answered by an `ok` whose data is a `HistoryPage`. */
  history?(room: string, request: HistoryRequest, id: number): string
  /** A send, as it goes out: `epoch` is that of its room when it was first written. */
  complete?(frame: string, epoch: string): string
  /** Adds to the URL of the next dial; `rooms` will be joined. @returns those that the URL names */
  address?(url: URL, rooms: Iterable<string>): readonly string[]
  /** A younger token for the live socket, answered under its id. */
  auth?(token: string, id: number): string
  /** A call that is answered under its id. Absent: `request()` is refused. */
  call?(type: string, payload: unknown, id: number): string
  /** After the welcome, where that says how. */
  readonly heartbeat?: Heartbeat
}

/** How rooms and sockets belong together. */
export interface RoomStrategy {
  readonly kind: 'none' | 'per-socket' | 'shared'
}

/**
 * How a server speaks. `plain`, `roomPerSocket` and `multiplexed` are made of this; so is your own in some
 * twenty lines (docs/recipes/own-protocol.md).
 */
export interface Protocol {
  readonly name: string
  /** `withoutRooms`, `socketPerRoom` or `roomsOnOneSocket`, which this package exports. */
  readonly rooms: RoomStrategy
  /** Offered in the handshake, before the token's carriers. */
  readonly subprotocols?: readonly string[]
  /** The server's first frame is a welcome, and nothing is sent before it. */
  readonly greets: boolean
  /** Sends are answered with `ok` or `error`; a `send()` resolves at its answer. */
  readonly acknowledges: boolean
  /** Rooms are joined where they were left, by epoch and seq. `swap()` needs it, and `greets`. */
  readonly resumes?: boolean
  /** URL of a room's socket (`per-socket`), when it is not the socket's own `url`. */
  readonly url?: string
  codec(context: { readonly clientId: string }): Codec
}
