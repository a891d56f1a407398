/** What a runtime lets one see of a dial: Node everything, a browser next to nothing. */
import type { Handshake } from '../transmissions/transmission.ts'
import type { Outcome } from './facts.ts'

/** What comes in on an open connection. */
export type Heard =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary' }
  | { readonly kind: 'pong' }
  /** The last. 1006: TCP ended without a close frame. */
  | { readonly kind: 'ended'; readonly code: number }

/** An open connection. */
export interface Wire {
  /** What the server echoed; empty for nothing. */
  readonly protocol: string
  readonly flaw?: 'accept-key' | 'extension'
  readonly server?: string
  readonly date?: string
  send(frame: string | ArrayBuffer): void
  /** Absent where there is no way to ping. */
  ping?(): void
  /** Does not wait for the peer. */
  close(): void
}

export type Dialed =
  | { readonly kind: 'wire'; readonly wire: Wire }
  | { readonly kind: 'missed'; readonly outcome: Outcome }

export interface DialOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** From the first byte after the handshake on. */
  heard(what: Heard): void
}

export interface Eyes {
  readonly sight: 'node' | 'browser'
  /** Never rejects. */
  dial(handshake: Handshake, options: DialOptions): Promise<Dialed>
  /** An ordinary GET without any credential; redirects are not followed. Never rejects. */
  get(url: URL, options: Omit<DialOptions, 'heard'>): Promise<Outcome>
}
