/** What was tried and what was seen, without any part of a secret. Pure: rules read it, nothing else does. */
import type { WayName } from './ways.ts'

/** One thing that is tried. Except for what the name says, each dial is the configured one. */
export type ProbeName =
  | 'base'
  /** What worked, once more. */
  | 'confirm'
  /**
   * The configured dial once more: what failed must fail again before another dial is believed. Thrice, because
   * where one of several workers is broken, every other dial may work.
   */
  | 'again'
  | 'again:2'
  | 'again:3'
  /** With pings, where a silent socket was cut. */
  | 'pinged'
  | 'fake-token'
  /** A fake token as long as the real one. */
  | 'long-token'
  /** The token without quotes, spaces and scheme around it. */
  | 'bare-token'
  | 'other-slash'
  | 'other-room'
  /** A path that no server has, with a fake token: what does this server answer there? */
  | 'unknown-path'
  | 'own-origin'
  | 'no-origin'
  | 'no-protocols'
  /** An ordinary GET of the same path, without the token. */
  | 'get'
  /** An ordinary GET of the host. */
  | 'root'
  /** An ordinary GET by TLS where the socket has none, and the other way round. */
  | 'other-scheme'
  /** Several sockets in one room: who hears whom? */
  | 'crowd'
  /** Another path, with a fake token. */
  | `near:${string}`
  /** The token in another place. */
  | `way:${WayName}`
  /** A fake token in that place. */
  | `fake-way:${WayName}`

/** How an open connection ended. */
export type End =
  | { readonly how: 'close'; readonly code: number; readonly afterMs: number }
  /** TCP ended without a close frame; a browser calls that 1006. */
  | { readonly how: 'cut'; readonly afterMs: number }

export type Flaw =
  /** Subprotocols were offered and none was echoed. */
  | 'not-echoed'
  /** One was echoed that was not offered. */
  | 'stranger'
  /** The one that holds the token was echoed. */
  | 'token-echoed'
  /** Sec-WebSocket-Accept does not belong to our key. */
  | 'accept-key'
  /** An extension was switched on that was not offered. */
  | 'extension'
  /** The protocol greets, or the token travelled in a frame, and no answer came. */
  | 'no-welcome'
  /** The token travelled in a frame, and a frame refused it. */
  | 'refused-in-frame'
  /** A ping was not answered. */
  | 'no-pong'

export interface Opened {
  readonly kind: 'open'
  readonly flaw?: Flaw
  readonly end?: End
  /** A frame of the server wants the token in one, as Home Assistant's does. */
  readonly asks?: 'home-assistant'
  readonly server?: ServerName
  /** Own clock minus the server's. */
  readonly skewMs?: number
}

/** Server programs that are known by their header. Any other text of a server is not kept: it may be anything. */
export type ServerName =
  | 'uvicorn'
  | 'daphne'
  | 'hypercorn'
  | 'websockets'
  | 'gunicorn'
  | 'WSGIServer'
  | 'nginx'
  | 'Apache'
  | 'cloudflare'
  | 'Caddy'
  | 'envoy'
  | 'awselb'

/** An HTTP answer in place of a socket. */
export interface Answered {
  readonly kind: 'answer'
  readonly status: number
  readonly server?: ServerName
  readonly skewMs?: number
  /** Bytes of the body, as far as it was read. */
  readonly bytes: number
  readonly html: boolean
  /**
   * - `page`: what a web framework answers to a GET of a path that it does not have
   * - `asgi-closed`: what an ASGI server makes of a close before the accept
   * - `too-large`: says that the request, or its header, is too large
   * - `portal`: a page or status of a captive portal
   * - `tls-port`: plain text was sent to a port that speaks TLS
   */
  readonly mark?: 'page' | 'asgi-closed' | 'too-large' | 'portal' | 'tls-port'
  readonly asks?: 'basic' | 'other'
  /** Of a redirect. */
  readonly leads?: 'other-slash' | 'to-tls' | 'same-host' | 'other-host'
  /** The server wants another version of the WebSocket protocol, or an upgrade to something else. */
  readonly wantsOther?: true
}

export type Stage = 'lookup' | 'connect' | 'tls' | 'answer'

export interface Failed {
  readonly kind: 'failed'
  readonly at: Stage
  readonly why:
    | 'not-found'
    | 'refused'
    | 'unreachable'
    | 'timeout'
    | 'dropped'
    | 'not-http'
    | 'certificate'
    | 'tls'
    | 'other'
  /** Of Node's error, such as `CERT_HAS_EXPIRED`. */
  readonly code: string
  readonly afterMs: number
}

export type Outcome =
  | Opened
  | Answered
  | Failed
  /** A browser's failed dial: it tells nothing. */
  | { readonly kind: 'blind' }
  /** A browser's `fetch` that failed, or was answered without a word that scripts may read. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'opaque' }
  /** The constructor threw, or a policy of the page forbade it. */
  | { readonly kind: 'forbidden'; readonly by: 'csp' | 'mixed-content' | 'other' }
  /** It could not be built, such as a token that cannot travel that way. */
  | { readonly kind: 'unsent' }
  | Crowd

/** Several sockets in one room, each of which said something. */
export interface Crowd {
  readonly kind: 'crowd'
  readonly sockets: number
  /** Groups of which all hear each other and nobody hears the others; `undefined`: there are no such groups. */
  readonly groups?: number
  /** How many were ended after they had spoken. */
  readonly ended: number
}

export interface TokenFacts {
  /** `frame`: in the first one after the handshake. `none`: the transmission sent nothing. */
  readonly carried: 'handshake' | 'frame' | 'cookie' | 'none'
  readonly length: number
  /** It has quotes, spaces or a scheme around it. */
  readonly wrapped: boolean
  /** Epoch ms, of what a JWT says of itself. */
  readonly expiresAt?: number
  readonly issuedAt?: number
  readonly notBefore?: number
  /** It calls itself a refresh token. */
  readonly isRefresh?: true
}

export interface Target {
  readonly secure: boolean
  readonly loopback: boolean
  /** Without query. */
  readonly path: string
  readonly room: boolean
  /** Subprotocols offered by the configured dial. */
  readonly offered: number
  /** What the configured dial sends as Origin. */
  readonly origin: 'none' | 'own' | 'other'
  /** The scheme of the page, where there is one. */
  readonly page?: 'http' | 'https'
}

/** Why nothing could be dialed. */
export type Trouble =
  | {
      readonly cause: 'insecure-url' | 'no-token' | 'token-cannot-travel'
      readonly detail: string
    }
  | { readonly cause: 'token-expired' }

export interface Facts {
  /** What can be seen: Node shows statuses and headers, a browser next to nothing. */
  readonly sight: 'node' | 'browser'
  readonly target: Target
  readonly token: TokenFacts
  /** Own clock at the start, epoch ms. */
  readonly at: number
  /** Other places for the token that may be tried. */
  readonly ways: readonly WayName[]
  readonly wantsCrowd: boolean
  /** How long the configured socket was watched at most. */
  readonly watchMs: number
  readonly trouble?: Trouble
  /** A browser that says so. */
  readonly offline?: true
  /** In the order in which they were tried. */
  readonly trials: ReadonlyMap<ProbeName, Outcome>
}
