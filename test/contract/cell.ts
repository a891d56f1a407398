/**
 * One cell of the contract: what a client does on one endpoint of one server in one runtime, and what has
 * to come of it. Plain data throughout, so that the same cell is played in Node and in a browser page.
 */
import type { AuthedSocketError, Status } from '../../src/index.ts'

export type RuntimeName = 'ws' | 'undici' | 'chromium'
export type EndpointName = 'article' | 'v2' | 'first' | 'session' | 'v2-session' | 'rooms' | 'plain'
export type ProtocolName = 'room-per-socket' | 'multiplexed' | 'plain'
export type CarrierName =
  | 'query'
  | 'pair'
  | 'bearer'
  | 'header'
  | 'cookie'
  | 'first-message'
  | 'session'
  | 'unread'
export type State = Status['state']
export type ErrorName = AuthedSocketError['name']

/** A token before there is one: minted when the cell is played. */
export type TokenOrder =
  | { readonly kind: 'valid'; readonly user: string }
  | { readonly kind: 'expired'; readonly user: string }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'none' }

/** Where the cell's credential comes from. */
export type AuthOrder =
  /** A function of the app: `fresh` takes the next token, the last one stays. */
  | { readonly kind: 'function'; readonly tokens: readonly TokenOrder[] }
  /** The server's own token endpoints, through the session that is made for them. */
  | { readonly kind: 'login'; readonly user: string }
  /** The session cookie of a login; without a user there was none. */
  | { readonly kind: 'session'; readonly user?: string; readonly cookie?: 'garbage' }

/** What happens outside the client, in the order in which the client asks for it. */
export type Cue =
  /** The server closes this cell's sockets, of all its rooms or of one. */
  | { readonly kind: 'close'; readonly code: number }
  | { readonly kind: 'front'; readonly modes: readonly FrontModeName[] }
  /** Done once for all cells that ask for it, when the last of them asks. */
  | { readonly kind: 'together'; readonly act: TogetherAct }
  /** Writes down what the front has counted so far. */
  | { readonly kind: 'count'; readonly as: string }

export type FrontModeName = 'pass' | 'bad-gateway' | 'absent' | 'drop'
export type TogetherAct = 'revoke' | 'delete-user' | 'kill-and-restart'

export type Condition =
  | { readonly kind: 'state'; readonly is: State }
  /** Each of these rooms was joined so many times. */
  | { readonly kind: 'joined'; readonly rooms: readonly string[]; readonly times: number }
  | { readonly kind: 'room'; readonly room: string; readonly is: string }
  | { readonly kind: 'messages'; readonly room: string; readonly atLeast: number }
  /** The status has shown the wait for this attempt, or a later one. */
  | { readonly kind: 'attempt'; readonly atLeast: number }

export type Step =
  | { readonly do: 'join'; readonly rooms: readonly string[]; readonly listen: 'before' | 'after' }
  | { readonly do: 'send'; readonly room: string; readonly text: string }
  | { readonly do: 'until'; readonly what: Condition }
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'cue'; readonly cue: Cue }

export interface CellOptions {
  /** Absent: the defaults of the SDK. */
  readonly scale?: number
  readonly settleMs?: number
  /** Absent: in-band where the server offers it. */
  readonly renewal?: 'on-close'
  /** What an authenticated probe of the app finds. */
  readonly probe?: 'accepted' | 'refused'
}

export interface Range {
  readonly min?: number
  readonly max?: number
}
export type Count = number | Range

export interface RoomExpectation {
  readonly state: string
  /** Texts of the messages that the listener got, in order. */
  readonly messages?: readonly string[]
  /** Texts that the server received, in order. */
  readonly received?: readonly string[]
  readonly joins?: Count
  readonly error?: ErrorName
}

export interface Expectation {
  readonly state: State
  readonly error?: ErrorName
  /** The HTTP status, or the close code, that the error shows; one of several where a code may get lost. */
  readonly shows?: number | readonly number[]
  readonly action?: string
  readonly never?: readonly State[]
  readonly dials: Count
  /** Requests for a token: those that the front saw, or all calls of the function. */
  readonly tokenRequests?: Count
  /** Of those, the ones after the first that demanded another value. */
  readonly refreshes: Count
  readonly rooms?: Readonly<Record<string, RoomExpectation>>
  /** Errors that a status has shown on the way. */
  readonly shown?: readonly ErrorName[]
  /** Refreshes until this count was taken. */
  readonly until?: { readonly count: string; readonly refreshes: Count }
  /** No dial, no token request and no other state since this count was taken. */
  readonly silentSince?: string
  /** Dials and token requests since this count was taken, at most. */
  readonly since?: { readonly count: string; readonly dials: Count; readonly refreshes: Count }
}

export interface Cell {
  readonly server: string
  readonly endpoint: EndpointName
  readonly situation: string
  readonly runtime: RuntimeName
  readonly carrier: CarrierName
  readonly phase: string
  readonly auth: AuthOrder
  readonly options: CellOptions
  /** Instead of the endpoint's own. */
  readonly path?: string
  readonly rooms: readonly string[]
  readonly script: readonly Step[]
  readonly expected: Expectation
}

/** A cell with everything filled in that only the running server can give: what `play` takes. */
export interface Part {
  readonly id: string
  readonly url: string
  readonly protocol: ProtocolName
  readonly carrier: CarrierName
  readonly auth:
    | { readonly kind: 'function'; readonly tokens: readonly (string | null)[] }
    | {
        readonly kind: 'login'
        readonly dialect: 'simple-jwt' | 'password-grant'
        readonly origin: string
        readonly username: string
        readonly password: string
      }
    | {
        readonly kind: 'session'
        readonly origin: string
        readonly username?: string
        readonly password: string
        readonly cookie?: string
      }
  readonly options: CellOptions
  /** Names in the script, and the rooms of the server that they stand for. */
  readonly rooms: Readonly<Record<string, string>>
  readonly script: readonly Step[]
}

export interface RoomOutcome {
  readonly state: string
  readonly joins: number
  readonly gaps: number
  readonly messages: readonly string[]
  readonly error?: string
}

export interface ErrorOutcome {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly shows?: number
}

/** What the client has seen. */
export interface Outcome {
  readonly state: State
  readonly states: readonly State[]
  readonly error?: ErrorOutcome
  readonly action?: string
  /** Calls of the function, in order: `reason`, and `!` where it demanded another value. */
  readonly asks: readonly string[]
  readonly rooms: Readonly<Record<string, RoomOutcome>>
  /** What each status with an error showed, in order. */
  readonly problems: readonly string[]
  /** Names of the errors that were told by events and promises. */
  readonly errors: readonly string[]
  readonly statesSince: Readonly<Record<string, number>>
  /** The step that did not end in time. */
  readonly stuck?: string
  /** Places where a part of a token stood. */
  readonly leaks: readonly string[]
}

export interface FrontCount {
  readonly dials: number
  readonly tokenRequests: number
}

/** What came of a cell: the client's side, and what front and server saw of it. */
export interface Result {
  readonly outcome: Outcome
  readonly front: FrontCount
  readonly counts: Readonly<Record<string, FrontCount & { readonly asks: number }>>
  readonly received: Readonly<Record<string, readonly string[]>>
  readonly timeline: readonly string[]
}
