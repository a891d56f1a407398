/** The sockets of one `AuthedSocket`, behind one face: one for all rooms, or one for each. */
import type { Identity } from '../core/identity.ts'
import type { LinkState } from '../core/link-state.ts'
import type { AnyAuthedSocketError } from '../errors.ts'
import type { MessageMeta } from '../protocols/protocol.ts'
import type { SendOptions } from './line.ts'

export interface LinesListener {
  /** A link changed: the status may have. */
  changed(next: LinkState, previous: LinkState): void
  message(room: string | undefined, data: unknown, meta: MessageMeta | undefined): void
  /** `rejoined`: it was joined before, so messages may be missing. */
  joined(room: string, rejoined: boolean): void
  /** The room is not joined any more, and is on its way back. */
  interrupted(room: string): void
  refused(room: string, error: AnyAuthedSocketError): void
  /** The room's own socket gave up. */
  failed(room: string, error: AnyAuthedSocketError): void
  /** The one socket came back without what was sent meanwhile. */
  reconnected(): void
  error(error: unknown): void
}

export interface Lines {
  readonly identity: Identity
  readonly states: readonly LinkState[]
  readonly where: string | undefined
  connect(): void
  disconnect(): void
  reconnect(): void
  /** Open sockets dial again, with the credential that is held now. */
  redial(): void
  nudge(): void
  join(room: string, params: unknown): void
  leave(room: string): void
  send(room: string | undefined, data: unknown, options?: SendOptions): Promise<unknown>
  call(
    type: string,
    payload: unknown,
    options?: SendOptions & { readonly idempotent?: boolean },
  ): Promise<unknown>
}
