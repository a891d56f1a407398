import type { Point, PresentClient } from './frames.ts'

/** How far a room has counted: its messages by `seq`, the changes of its presence by `version`. */
export interface Marks extends Point {
  version: number
}

/** A message as it is kept. `data` is JSON text: nobody but its readers has to understand it. */
export interface StoredMessage {
  seq: number
  from: string
  clientId: string
  n: number
  /** The store's clock, in ms since 1970. */
  at: number
  data: string
}

/** Which connection of which client; a higher number fences off the lower ones. */
export interface Dialed {
  client: string
  connection: number
}

export interface Append {
  room: string
  epoch: string
  user: string
  clientId: string
  n: number
  /** JSON text. */
  data: string
  /** Absent: this connection did not say who dials, so nothing fences it. */
  dialed: Dialed | undefined
}

export type Appended =
  | { outcome: 'stored' | 'repeated'; seq: number }
  | { outcome: 'superseded' | 'stale-epoch' }

/** A client that is shown. `data` is JSON text. */
export interface ShownClient extends PresentClient {
  data: string
}

/** One connection that shows a client. A client is shown until the lease of its last connection ends. */
export interface Lease extends PresentClient {
  session: string
}

/** One connection that shows a client, and what as. */
export interface Showing extends Lease, ShownClient {}

export interface Change {
  version: number
  joins: ShownClient[]
  leaves: PresentClient[]
}

export interface Snapshot {
  epoch: string
  version: number
  members: ShownClient[]
}

export interface Wanted {
  /** Messages after this point; none when its epoch is not the room's. Absent: no messages. */
  after?: Point | undefined
  /** Only with messages that are not older. */
  maxAgeMs?: number | undefined
  /** Changes of presence after this version; absent: no changes. */
  changesAfter?: number | undefined
}

/** The room's marks, and the first of what was wanted, in order. Fewer may be kept than were asked for. */
export interface Tail extends Marks {
  messages: StoredMessage[]
  changes: Change[]
}

export interface Page {
  epoch: string
  messages: StoredMessage[]
  more: boolean
}

/** How many messages or changes a `Tail` has at most; a reader that gets so many reads on. */
export const TAIL_LENGTH = 100

/**
 * What the processes of one service share. Whatever it answers is one atomic step.
 *
 * A room that nobody has asked for yet comes into being with an epoch of its own, and so does one whose
 * numbering was lost: no method fails for a room that is not there.
 */
export interface RoomStore {
  /** From now on sends of this client on connections with a lower number are superseded. */
  raiseFence(user: string, dialed: Dialed): Promise<void>
  /** Fence, epoch, repetition, numbering, storing and remembering: the one step of docs/protocol.md. */
  append(message: Append): Promise<Appended>
  read(room: string, wanted: Wanted): Promise<Tail>
  history(room: string, before: number | undefined, limit: number): Promise<Page>
  /** Begins a lease: the client is shown with this data. */
  show(room: string, client: Showing): Promise<Snapshot>
  /**
   * Renews leases. A client that is shown keeps its data, which another connection of it may have changed;
   * one that is not, because its lease had ended or everything was lost, is shown again.
   */
  renew(room: string, clients: readonly Showing[]): Promise<Snapshot>
  /** Ends leases at once. */
  hide(room: string, leases: readonly Lease[]): Promise<void>
  /** Ends what ran out of time, and answers the marks; undefined where a room's numbering is lost. */
  look(rooms: readonly string[]): Promise<(Marks | undefined)[]>
  /** Calls back when a room has something new; without a name: any room may have. May miss some. */
  onWake(listener: (room?: string) => void): void
  /** Loses everything, as a crash would. */
  forget(): Promise<void>
  close(): Promise<void>
}

/** The store does not answer now: whatever was asked may or may not have been done. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/** Messages and their ids are kept a little longer than is promised, for readers that are late. */
export const KEEP_SLACK_MS = 5_000
/** So many changes of presence are kept; who missed more reads the members anew. */
export const CHANGES_KEPT = 1_000
