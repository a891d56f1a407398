/** What a run found. Nothing in it holds a token. */

/**
 * `not-offered`: the server does not have the feature, and need not. `not-checked`: the kit was not told
 * something that it needs, or what this one stands on failed.
 */
export type Outcome = 'passed' | 'failed' | 'not-offered' | 'not-checked'

export interface CheckResult {
  /** Stable, for `only`. */
  readonly id: string
  /** Heading of docs/protocol.md. */
  readonly section: string
  /** `docs/protocol.md#section`. */
  readonly link: string
  /** A SHOULD that failed does not make the server fail. */
  readonly level: 'must' | 'should'
  /** The sentence that was checked. */
  readonly title: string
  readonly outcome: Outcome
  /** How long it took, in ms. Absent where it was not played by itself. */
  readonly durationMs?: number
  /** What was seen, or why nothing was. */
  readonly detail?: string
  /** The check that has to pass first, where this one was not checked for that reason. */
  readonly waitsFor?: string
  /** What to change. Only where it failed. */
  readonly fix?: string
  /** The last frames, `a1 >` from the first connection of the first user. Only where it failed. */
  readonly trace?: readonly string[]
}

/** Of a server that does not speak the protocol: short sentences. */
export interface Overview {
  readonly works: readonly string[]
  readonly lacks: readonly string[]
  readonly change: readonly string[]
}

export interface ConformanceReport {
  /** Without the values of its query. */
  readonly url: string
  /** `false`: authed-rooms.v1 did not come back, or no welcome; then there is an `overview` and no check. */
  readonly speaks: boolean
  readonly overview: Overview | undefined
  /** As the welcome told them. */
  readonly features: readonly string[]
  readonly checks: readonly CheckResult[]
  readonly counts: Readonly<Record<Outcome, number>>
  /** How often each type of frame was sent and received. */
  readonly frames: {
    readonly sent: Readonly<Record<string, number>>
    readonly received: Readonly<Record<string, number>>
  }
  /** It speaks the protocol, and no MUST failed. */
  readonly conforms: boolean
}
