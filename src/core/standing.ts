/** What a session knows of each of its links, and what it answers. The only words between the two machines. */
import type { Credential } from './credential.ts'
import type { Problem } from './problem.ts'

export type LinkId = number

/** How far a socket came: open is not accepted, and settled is not proven. */
export type Trust = 'open' | 'settled' | 'proven'

/** What a link wants a credential for. */
export type Demand =
  | { readonly kind: 'plain' }
  /** Attempts fail although the host answers; `forMs` from the end of the first to the end of the last. */
  | { readonly kind: 'suspect'; readonly forMs: number }
  /** A settled socket was closed with 1008: for too many messages, or since the credential ended. */
  | { readonly kind: 'violation' }
  /** The server said no to `credential`, maybe because its life was over, on a socket that came as far as `reach`. */
  | {
      readonly kind: 'rejected'
      readonly credential: number
      readonly isExpiry: boolean
      readonly reach: 'dialing' | Trust
      readonly witness: 'server' | 'probe'
      readonly problem: Problem
    }
  /** A verb of the user, which may leave a refused session. */
  | { readonly kind: 'again' }
  /** News of the page, after the server had rejected the session: worth one dial. */
  | { readonly kind: 'retry' }
  /** The server said that the session is over. */
  | { readonly kind: 'ended'; readonly problem: Problem }
  /** Judged: the credential is good, this room is closed to it. */
  | { readonly kind: 'unwelcome'; readonly problem: Problem }

export type Rejection = Extract<Demand, { kind: 'rejected' }>

export type Standing =
  | { readonly kind: 'out' }
  /** Waits out a backoff of its own. */
  | { readonly kind: 'away' }
  | { readonly kind: 'asking'; readonly demand: Demand }
  | { readonly kind: 'dialing'; readonly credential: number }
  | {
      readonly kind: 'open'
      readonly credential: number
      readonly trust: Trust
      /** The socket could carry a younger credential, and it is time for one. */
      readonly wants?: 'renewal'
    }

export type Grant =
  | { readonly kind: 'wait' }
  | { readonly kind: 'later'; readonly until: number; readonly problem: Problem }
  | { readonly kind: 'go'; readonly credential: Credential }
  /** To an open socket: a younger credential is there. */
  | { readonly kind: 'renew'; readonly credential: Credential }
  | { readonly kind: 'refuse-room'; readonly problem: Problem }
  | { readonly kind: 'fail'; readonly problem: Problem }

/**
 * Who asks stands still until it is answered: what it said was judged, and is not heard twice. The others
 * have news only where a socket came further.
 */
export const isKnown = (known: Standing | undefined, next: Standing): boolean =>
  known === undefined
    ? next.kind === 'out'
    : known.kind === next.kind &&
      (known.kind !== 'open' ||
        next.kind !== 'open' ||
        (known.trust === next.trust &&
          known.wants === next.wants &&
          known.credential === next.credential))
