/** The states, events and work of the link machine. */
import type { Credential } from './credential.ts'
import type { Action, Problem } from './problem.ts'
import type { Demand, Grant, Trust } from './standing.ts'
import type { Verdict } from './verdict.ts'

/** What a link remembers from attempt to attempt. */
export interface Memory {
  readonly everConnected: boolean
  /** Since when there is no connection, in epoch ms. */
  readonly downSince?: number | undefined
  /** Attempts in a row without a connection that lasted. */
  readonly failures: number
  /** Since when attempts fail in silence, in epoch ms. */
  readonly suspectSince?: number | undefined
  /** Attempts in a row that the server ended with a word of its own, also after settling. */
  readonly told?: number
  readonly dials: number
  /** The credential that a server was last seen to accept here. */
  readonly settledOn?: number | undefined
  readonly nudgedAt?: number
  /** When news of the page last tried a rejected session once more, in epoch ms. */
  readonly retriedAt?: number
}

/**
 * What a waiting link knows of the host, or learns meanwhile. `none`: the attempt gave no reason to ask.
 * `violation`: it closed a settled socket with 1008.
 */
export type Probe = 'none' | 'asking' | 'answers' | 'gone' | 'accepted' | 'violation'

export type LinkRenewal =
  /** Epoch ms. */
  | { readonly kind: 'planned'; readonly at: number }
  /** The session is to give a younger credential. */
  | { readonly kind: 'wanted' }
  /** It is told to the server. */
  | { readonly kind: 'offered'; readonly credential: Credential }
  /** It dials a second socket, while the first one goes on. */
  | { readonly kind: 'swapping'; readonly successor: Successor }
  /** The second socket came to nothing. The token is replaced before the next dial. */
  | { readonly kind: 'failed'; readonly problem: Problem }

/** The socket that is to take the place of the current one. Its number is that of the next dial. */
export type Successor = { readonly credential: Credential; readonly since: number } & (
  | { readonly kind: 'dialing'; readonly openedAt?: number }
  /** Nothing is sent on it any more: why it ends is awaited. */
  | { readonly kind: 'closing'; readonly openedAt: number }
  /** Welcomed, so the server takes no send on the current one any more. `joined`: all rooms are, here too. */
  | { readonly kind: 'joining' | 'joined'; readonly openedAt: number; readonly greetedAt: number }
)

export type LinkState = { readonly memory: Memory } & (
  | { readonly kind: 'idle' }
  /** Waits for the session's grant; `deferred` while that has to wait itself. */
  | {
      readonly kind: 'authenticating'
      readonly demand: Demand
      readonly deferred?: { readonly until: number; readonly problem: Problem }
    }
  /** Dials; with `openedAt`, waits for a sign that the server accepted: its welcome, a frame, a moment. */
  | {
      readonly kind: 'connecting'
      readonly credential: Credential
      readonly since: number
      readonly openedAt?: number
    }
  | {
      readonly kind: 'connected'
      readonly credential: Credential
      readonly openedAt: number
      readonly trust: Trust
      /** Where the server takes a younger token on the live socket. */
      readonly renewal?: LinkRenewal
    }
  /** The closing handshake has begun, so nothing is sent any more. Its code is awaited, which decides what follows. */
  | {
      readonly kind: 'closing'
      readonly credential: Credential
      readonly openedAt?: number | undefined
      /** As far as it had come; without, it was not accepted yet. */
      readonly trust?: Trust
    }
  /** `due` is our own backoff, which news from the page may shorten; `notBefore` is advice, which nothing does. */
  | {
      readonly kind: 'waiting'
      readonly due: number
      readonly notBefore: number
      readonly problem: Problem
      readonly probe: Probe
      readonly credential: Credential
    }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly action: Action }
)

/** `dial`: the number of the socket that it comes from. */
export type LinkEvent = { readonly at: number; readonly roll: number; readonly dial?: number } & (
  | { readonly type: 'connect' }
  | { readonly type: 'disconnect' }
  | { readonly type: 'reconnect' }
  /** The session signed in: a link that waits for a person goes on. */
  | { readonly type: 'signed-in'; readonly who: 'same' | 'another' }
  /** The session holds another value, and the user wants this socket to carry it. */
  | { readonly type: 'redial' }
  | { readonly type: 'granted'; readonly grant: Grant }
  | { readonly type: 'opened' }
  /** A frame, or the moment that stands for one. */
  | { readonly type: 'accepted' }
  /** `renewable`: the server takes a younger token on this socket. */
  | { readonly type: 'greeted'; readonly renewable?: boolean }
  | { readonly type: 'settled' }
  | { readonly type: 'proven' }
  /** Its socket takes nothing any more: `closed` follows within two seconds. */
  | { readonly type: 'closing' }
  | { readonly type: 'closed'; readonly verdict: Verdict; readonly problem: Problem }
  | { readonly type: 'timed-out' }
  | { readonly type: 'expired' }
  /** It is time for a younger credential: by our own plan, or by the server's word. */
  | { readonly type: 'renew' }
  | { readonly type: 'expiring' }
  /** The server took it. */
  | { readonly type: 'renewed' }
  /** It did not, or did not say so: the token is replaced before the next dial. */
  | { readonly type: 'renewal-failed' }
  /** Each room is joined on the successor. This and the next one are of a swap alone. */
  | { readonly type: 'resumed' }
  /** The current socket has answered everything, or has had its time to. */
  | { readonly type: 'moved' }
  | { readonly type: 'due' }
  /** `online`, `visible`, `pageshow`. */
  | { readonly type: 'nudge' }
  | { readonly type: 'probed'; readonly probe: 'answers' | 'gone' | 'accepted' | 'refused' }
)

export type StateOf<Kind extends LinkState['kind']> = Extract<LinkState, { kind: Kind }>
export type EventOf<Type extends LinkEvent['type']> = Extract<LinkEvent, { type: Type }>

export interface LinkLimits {
  /** A refused room is this link's alone; without rooms of their own, links have nothing else to refuse. */
  readonly ownsRoom: boolean
  /** The server speaks first, and nothing counts before. */
  readonly greets: boolean
  readonly settleMs: number
  readonly connectTimeoutMs: number
  /** Once the socket is open, the server has so long to accept. Default: what is left of `connectTimeoutMs`. */
  readonly answerTimeoutMs?: number | undefined
  readonly closeAtExpiry: boolean
  readonly renewal: 'in-band' | 'on-close' | Swap
  readonly scale: number
}

/** Renewal by a second socket; `swap()` makes one. */
export interface Swap {
  readonly kind: 'swap'
}

/** A machine of links. Who swaps brings another one along, so that who does not need not carry it. */
export interface LinkMachine {
  transition(state: LinkState, event: LinkEvent, limits: LinkLimits): LinkState
  workOf(state: LinkState, limits: LinkLimits): LinkWork[]
}

export type LinkWork =
  /** One socket. The key stays as long as the socket does. */
  | {
      readonly key: string
      readonly kind: 'socket'
      readonly dial: number
      readonly credential: Credential
    }
  | {
      readonly key: string
      readonly kind: 'timer'
      readonly at: number
      readonly event:
        | 'accepted'
        | 'settled'
        | 'proven'
        | 'timed-out'
        | 'expired'
        | 'renew'
        | 'moved'
        | 'due'
    }
  | { readonly key: string; readonly kind: 'probe'; readonly credential: number }
  | { readonly key: string; readonly kind: 'heartbeat' }
  | { readonly key: string; readonly kind: 'offer'; readonly credential: Credential }

export const initialLinkState: LinkState = {
  kind: 'idle',
  memory: { everConnected: false, failures: 0, dials: 0 },
}
