/** What can be wrong, as a tagged union. */
import type { WayName } from './ways.ts'

export type Cause =
  | { readonly cause: 'healthy' }
  /** What was seen fits more than one cause, or none. */
  | { readonly cause: 'unknown' }
  /** The same dial failed and then worked. */
  | { readonly cause: 'came-back' }
  // Nothing could be dialed.
  | { readonly cause: 'no-token' | 'token-cannot-travel' | 'insecure-url'; readonly detail: string }
  | { readonly cause: 'mixed-content' }
  | { readonly cause: 'blocked-by-csp' }
  | { readonly cause: 'offline' }
  // The way to the server.
  | { readonly cause: 'dns' | 'host-unreachable'; readonly code: string }
  | { readonly cause: 'port-refused' }
  | { readonly cause: 'tls-certificate' | 'tls-failed'; readonly code: string }
  | { readonly cause: 'tls-to-plain-port' }
  | { readonly cause: 'plain-to-tls-port' }
  | { readonly cause: 'not-http' }
  | { readonly cause: 'no-answer'; readonly afterMs: number }
  | { readonly cause: 'never-accepted'; readonly afterMs: number }
  | { readonly cause: 'dropped'; readonly afterMs: number }
  // What answers is not the socket server.
  | { readonly cause: 'captive-portal' }
  | { readonly cause: 'web-page'; readonly status: number }
  | { readonly cause: 'redirect'; readonly leads: 'to-tls' | 'same-host' | 'other-host' }
  | { readonly cause: 'upgrade-lost'; readonly status: number }
  | { readonly cause: 'no-websocket-support'; readonly server: string }
  | { readonly cause: 'bad-gateway' | 'rate-limited'; readonly status: number }
  | { readonly cause: 'proxy-login' }
  | { readonly cause: 'broken-upgrade'; readonly flaw: 'accept-key' | 'extension' }
  // The server refuses the handshake.
  | { readonly cause: 'wrong-slash'; readonly path: string }
  | { readonly cause: 'wrong-path'; readonly path?: string }
  | { readonly cause: 'header-too-large'; readonly tokenLength: number }
  | { readonly cause: 'origin-refused'; readonly takes: 'own' | 'none' }
  | { readonly cause: 'close-before-accept' }
  | { readonly cause: 'exception-before-accept' }
  | { readonly cause: 'handshake-refused'; readonly status: number }
  // The token.
  | { readonly cause: 'token-elsewhere'; readonly way: WayName }
  /** The server waits for it in a frame; `afterMs`: and ends the socket where none came by then. */
  | { readonly cause: 'first-frame-awaited'; readonly afterMs?: number }
  | { readonly cause: 'token-wrapped' }
  | { readonly cause: 'token-expired' }
  | { readonly cause: 'wrong-clock'; readonly skewMs?: number }
  | { readonly cause: 'refresh-token-sent' }
  /** By a status, or by a close code. */
  | { readonly cause: 'token-refused'; readonly status?: number; readonly code?: number }
  | { readonly cause: 'room-refused' }
  // Subprotocols.
  | { readonly cause: 'subprotocol-not-echoed' }
  | { readonly cause: 'subprotocol-not-offered' }
  | { readonly cause: 'token-echoed' }
  // After the accept.
  | { readonly cause: 'exception-after-accept' }
  | { readonly cause: 'closed-after-accept'; readonly code: number; readonly afterMs: number }
  | { readonly cause: 'server-restarting'; readonly code: number }
  | { readonly cause: 'idle-cut' | 'cut-while-open'; readonly afterMs: number }
  | { readonly cause: 'no-pong' }
  | { readonly cause: 'no-welcome' }
  | { readonly cause: 'workers-not-shared' }
  | { readonly cause: 'no-broadcast' }

export type CauseName = Cause['cause']

/** A cause, and how sure it is. */
export type Finding = Cause & {
  readonly confidence: Confidence
  /** Causes that look the same from outside. */
  readonly orElse: readonly CauseName[]
}

/**
 * - `certain`: nothing else fits what was seen
 * - `likely`: what `orElse` lists fits as well
 * - `none`: nothing is named
 */
export type Confidence = 'certain' | 'likely' | 'none'

/** One thing that was tried. Holds no part of a token. */
export interface Evidence {
  readonly tried: string
  readonly saw: string
}

/** What `diagnose` found. `switch (diagnosis.cause)` narrows it. */
export type Diagnosis = Finding & {
  /** What happens, in a sentence or two. */
  readonly says: string
  /** The line to change, and where. */
  readonly fix: string
  readonly evidence: readonly Evidence[]
}

export const certain = (cause: Cause): Finding => ({ ...cause, confidence: 'certain', orElse: [] })

/** @param orElse what else it may be; nothing else makes it certain */
export const likely = (cause: Cause, ...orElse: CauseName[]): Finding => ({
  ...cause,
  confidence: orElse.length > 0 ? 'likely' : 'certain',
  orElse,
})

export const unknown = (...orElse: CauseName[]): Finding => ({
  cause: 'unknown',
  confidence: 'none',
  orElse,
})
