/** What a link and its owner say to each other. */
import type { LinkState } from '../core/link-state.ts'
import type { Incoming } from '../protocols/protocol.ts'

export interface LinkListener {
  changed(next: LinkState, previous: LinkState): void
  incoming(message: Incoming): void
  /** The URL of a dial, before the token: something may be added. */
  addressed(url: URL): void
  /** Tells the server a younger token on the live socket. Rejects unless it was taken. */
  offer(token: string): Promise<unknown>
  /** A policy of the user threw, or the like: nothing that stops the link. */
  failed(error: unknown): void
}

/**
 * What the owner of a link tells it. `redial`: with the credential that is held now. `reroute`: there is another
 * network than before; else as `nudge`.
 */
export type LinkVerb =
  | 'connect'
  | 'disconnect'
  | 'reconnect'
  | 'redial'
  | 'expiring'
  | 'nudge'
  | 'reroute'
  // Of a swap alone.
  | 'resumed'
  | 'moved'
  | 'renewal-failed'
