import type { WebSocket } from 'ws'
import { Faults } from './faults.ts'
import type { Persisted } from './store.ts'
import type { Transmission } from './transmissions.ts'

export interface RefuseSockets {
  when: 'before-accept' | 'after-accept'
  /** Absent or 0: 4003. */
  code?: number
  /** Accepted and served, then closed after so long. Absent or 0: closed at once, without a welcome. */
  afterMs?: number
}

export interface Settings {
  accessLifetimeMs: number
  refreshLifetimeMs: number
  /** A refresh token that was used is taken again for so long; with 0 its reuse ends the family. */
  refreshGraceMs: number
  /** `exp` and `iat` with fractions of a second; whole seconds otherwise, as simplejwt writes them. */
  exactExp: boolean
  refuseTokens: boolean
  refuseSockets: RefuseSockets | null
  /** null: as the endpoint's protocol says, which is to close on `/ws/rooms` and not to elsewhere. */
  closeAtExpiry: boolean | null
  /** How long clients have to go elsewhere on SIGTERM. */
  drainMs: number
  heartbeatMs: number
  // All others are of `/ws/rooms`.
  frameBytes: number
  roomsPerJoin: number
  /** Of one connection. */
  rooms: number
  /** Unanswered sends of one connection. */
  inFlight: number
  /** Messages of one `history`. */
  historyLimit: number
  /** Of one connection; above it `rate-limited`. */
  sendsPerSecond: number | null
  /** How long messages and their ids are remembered, at least. */
  resumeWindowMs: number
  /** How long a client that was cut off stays among the members. */
  leaseMs: number
  leaseRenewMs: number
  /** How often rooms are looked at whose wake-up may have got lost. */
  catchUpMs: number
  /** How long the `auth` of a handshake without a token may take. */
  firstMessageMs: number
  /** How long before a token ends `expiring` is said; null: never. */
  expiringAheadMs: number | null
  /** Unsent bytes of one connection; above it it is closed with 1013. */
  bufferedBytes: number
}

export interface Received {
  room: string
  user: string
  data: unknown
}

/** What one handshake looked like. Holds no token and no query. */
export interface DialRecord {
  at: number
  path: string
  transmissions: Transmission[]
  protocols: number
  outcome: 'pending' | 'admitted' | 'token-refused' | 'closed-after-accept' | 'refused' | 'faulty'
}

/** One refresh that was judged. Holds no token. */
export interface RefreshRecord {
  at: number
  outcome: 'rotated' | 'again' | 'refused'
}

/** A connection of `/ws/rooms` came into a room, or is not in it any more. */
export interface JoinRecord {
  /** Epoch ms, with fractions. */
  at: number
  user: string
  /** As in the query of its handshake, and in the welcome. */
  client: string
  session: string
  room: string
  what: 'joined' | 'left'
}

export interface Counts {
  /** WebSocket handshakes that arrived. */
  dials: number
  /** Requests for a token: obtain and refresh together. */
  tokenRequests: number
  /** Those of them that were refreshes. */
  refreshRequests: number
  /** Requests for a ticket. */
  ticketRequests: number
  /** Sockets that were accepted with a good token and stayed. */
  accepted: number
}

export interface Connection {
  endpoint: 'chat' | 'plain' | 'rooms'
  socket: WebSocket
  user: string
  /** Rooms that it is in now; empty on `/ws/plain`. */
  rooms: Set<string>
}

export interface ServerState {
  settings: Settings
  counts: Counts
  received: Received[]
  dials: DialRecord[]
  refreshes: RefreshRecord[]
  joins: JoinRecord[]
  faults: Faults
  connections: Set<Connection>
  persisted: Persisted
  save(): void
}

const PASSWORD = 'correct-horse'

export function newUsers(): Map<string, string> {
  return new Map([
    ['alice', PASSWORD],
    ['bob', PASSWORD],
  ])
}

export function defaultSettings(): Settings {
  return {
    accessLifetimeMs: 300_000,
    refreshLifetimeMs: 86_400_000,
    refreshGraceMs: 0,
    exactExp: false,
    refuseTokens: false,
    refuseSockets: null,
    closeAtExpiry: null,
    drainMs: 1_000,
    heartbeatMs: 25_000,
    frameBytes: 65_536,
    roomsPerJoin: 100,
    rooms: 10_000,
    inFlight: 64,
    historyLimit: 100,
    sendsPerSecond: null,
    resumeWindowMs: 120_000,
    leaseMs: 30_000,
    leaseRenewMs: 10_000,
    catchUpMs: 1_000,
    firstMessageMs: 5_000,
    expiringAheadMs: 30_000,
    bufferedBytes: 8_388_608,
  }
}

export function newCounts(): Counts {
  return { dials: 0, tokenRequests: 0, refreshRequests: 0, ticketRequests: 0, accepted: 0 }
}

export function createState(persisted: Persisted, save: () => void): ServerState {
  return {
    settings: defaultSettings(),
    counts: newCounts(),
    received: [],
    dials: [],
    refreshes: [],
    joins: [],
    faults: new Faults(),
    connections: new Set(),
    persisted,
    save,
  }
}
