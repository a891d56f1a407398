/** What was tried and what was seen, without any part of a secret. Pure: rules read it, nothing else does. */
import { otherSlash } from './near-paths.ts'
import type { WayName } from './ways.ts'

/** One thing that is tried. Except for what the name says, each dial is the configured one. */
export type ProbeName =
  | 'base'
  /** The configured dial once more: what failed once must fail again before another dial is believed. */
  | 'again'
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
  /** The protocol greets, and no greeting came. */
  | 'no-welcome'
  /** A ping was not answered. */
  | 'no-pong'

export interface Opened {
  readonly kind: 'open'
  readonly flaw?: Flaw
  readonly end?: End
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
}

export interface TokenFacts {
  /** `later`: it travels in a frame after the handshake. `none`: nothing identifies the user. */
  readonly carried: 'handshake' | 'cookie' | 'later' | 'none'
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
  readonly trouble?: Trouble
  /** A browser that says so. */
  readonly offline?: true
  /** In the order in which they were tried. */
  readonly trials: ReadonlyMap<ProbeName, Outcome>
}

/** A page on https may open `ws:` to the own machine only. */
export const isMixed = ({ target: { page, secure, loopback } }: Facts): boolean =>
  page === 'https' && !secure && !loopback

export const works = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === 'open' && outcome.end === undefined && outcome.flaw === undefined

/** Two answers that tell nothing apart. */
export const isSame = (one: Outcome | undefined, other: Outcome | undefined): boolean => {
  if (one === undefined || one.kind !== other?.kind) return false
  if (one.kind === 'answer' && other.kind === 'answer')
    return one.status === other.status && one.mark === other.mark && one.html === other.html
  if (one.kind === 'failed' && other.kind === 'failed')
    return one.at === other.at && one.why === other.why
  if (one.kind === 'open' && other.kind === 'open')
    return one.flaw === other.flaw && endCode(one) === endCode(other)
  return true
}

/** The close code; 1006 where TCP was cut. */
export const endCode = ({ end }: Opened): number | undefined =>
  end?.how === 'cut' ? 1006 : end?.code

/** Codes by which servers refuse a token or a user. */
export const isRejectingCode = (code: number | undefined): boolean =>
  code !== undefined &&
  (code === 1008 || code === 3000 || code === 3003 || (code >= 4000 && code < 5000))

/** Own clock minus the server's, where an answer said what time it is there. */
export const skewOf = (facts: Facts): number | undefined => {
  for (const outcome of facts.trials.values())
    if ((outcome.kind === 'answer' || outcome.kind === 'open') && outcome.skewMs !== undefined)
      return outcome.skewMs
  return undefined
}

export const serverOf = (facts: Facts): ServerName | undefined => {
  for (const outcome of facts.trials.values())
    if ((outcome.kind === 'answer' || outcome.kind === 'open') && outcome.server)
      return outcome.server
  return undefined
}

/** The probes that change one thing each; one of them that works names the cause. */
export const solutionOf = (facts: Facts): ProbeName | undefined => {
  for (const [probe, outcome] of facts.trials)
    if (works(outcome) && isSolution(probe) && !works(facts.trials.get('base'))) return probe
  return undefined
}

const isSolution = (probe: ProbeName): boolean =>
  probe.startsWith('near:') ||
  ['other-slash', 'own-origin', 'no-origin', 'bare-token', 'other-room'].includes(probe) ||
  probe.startsWith('way:')

/** Opens, or refuses as a socket server does: not as for a path that is not there. */
const isSocket = (outcome: Outcome): boolean =>
  outcome.kind === 'open' ||
  (outcome.kind === 'answer' && (outcome.status === 401 || outcome.status === 403))

/** Another path that is there, where the configured one is answered as one that nobody has. */
export const socketPath = ({ target, trials }: Facts): string | undefined => {
  const unknown = trials.get('unknown-path')
  const base = trials.get('base')
  if (base?.kind !== 'answer' || !isSame(base, unknown)) return undefined
  for (const [probe, outcome] of trials) {
    if (!isSocket(outcome) || isSame(outcome, unknown)) continue
    if (probe === 'other-slash') return otherSlash(target.path)
    if (probe.startsWith('near:')) return probe.slice(5)
  }
  return undefined
}
