/** The sockets of one `AuthedSocket`, behind one face: one without rooms, one for all rooms, or one for each. */
import type { Identity } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import type { Resolved } from '../options.ts'
import type { Codec, Incoming, MessageMeta, RoomStrategy } from '../protocols/protocol.ts'
import type { Room } from '../room.ts'
import type { Outcome, Waiters } from '../shell/waiters.ts'
import type { LinkVerb } from './link-port.ts'
import type { CallOptions, MessageOptions } from './order.ts'

/** What the sockets need of the connection that they are part of. */
export interface LinesHost {
  /** 128 random bits, for as long as the `AuthedSocket` lives. */
  readonly clientId: string
  readonly waiters: Waiters
  /** What became of connecting; `undefined` while that is open. */
  outcome(): Outcome
  /** `failed`: throws the stored error, and nothing is tried. `idle`: nobody has called `connect()`. */
  throwIf(state: 'failed' | 'idle'): void
  /** The user wants to be connected. */
  want(): void
  /** Looks at the states of all links again. */
  refresh(): void
  message(data: unknown, meta: MessageMeta | undefined): void
  /** The one socket came back without what was sent meanwhile. */
  reconnected(): void
  report(error: unknown, by?: string, isHeard?: boolean): void
  /** A frame that nobody takes: an error of the server, or what is no frame at all. */
  misread(message: Incoming): void
}

export interface Lines {
  readonly identity: Identity
  readonly states: readonly LinkState[]
  readonly where: string | undefined
  tell(verb: LinkVerb): void
  send(data: unknown, options?: MessageOptions): Promise<unknown>
  call(type: string, payload: unknown, options?: CallOptions): Promise<unknown>
  /** @throws {TypeError} where there are no rooms, or for a name that cannot be one */
  room(name: string): Room
  /** Rooms, and what waits to be sent, of who was here before that login. */
  forget(since: number): void
}

/** A strategy, with what it does. */
export interface LinesMaker extends RoomStrategy {
  make(options: Resolved, host: LinesHost): Lines
  /** For codecs of the user's own. @throws {TypeError} what is no codec */
  judge?(codec: Codec, report: (error: unknown) => void): Codec
}

/** `resolveOptions` checked that either is one of this package's. A swap brings sockets of its own kind. */
export const linesOf = (options: Resolved, host: LinesHost): Lines => {
  const { renewal, protocol } = options
  const maker: object = typeof renewal === 'object' ? renewal : protocol.rooms
  return (maker as LinesMaker).make(options, host)
}
