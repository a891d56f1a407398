/**
 * What went wrong, as data. The machines carry problems; `errors.ts` turns one into the error that a
 * user sees, when somebody looks. A problem holds no token and no URL.
 */
export type Problem =
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The handshake ended without an open, and the runtime shows no status. */
  | { readonly kind: 'unreachable'; readonly hostAnswers?: boolean; readonly bulk?: Bulk }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly bulk?: Bulk
      /** This socket had connected before: the address is right. */
      readonly everConnected?: boolean
    }
  | { readonly kind: 'subprotocol' }
  | { readonly kind: 'timeout'; readonly opened?: boolean }
  /** Nothing was dialed: the handshake could not be made, or the constructor threw. `detail` is our own text, ` (name)` that of the error. */
  | {
      readonly kind: 'dial'
      readonly cause: unknown
      readonly detail?: string
      readonly name?: string
    }
  | { readonly kind: 'probe' }
  | { readonly kind: 'verdict-frame' }
  | { readonly kind: 'token-unavailable'; readonly cause: unknown }
  | { readonly kind: 'token-refused'; readonly cause: unknown }
  | { readonly kind: 'token-invalid'; readonly cause: unknown }
  | { readonly kind: 'signed-out' }
  /** `at`: its end by our clock, in epoch ms; `last`: how the server ended a dial with it. */
  | {
      readonly kind: 'expired'
      readonly at?: number | undefined
      readonly last?: Problem | undefined
    }
  | { readonly kind: 'rejected'; readonly last: Problem; readonly action?: Action }
  /** Refused, while another socket with the same credential is settled: it is not the credential. */
  | { readonly kind: 'unwelcome'; readonly last: Problem }

/** How much a large token took, and of what, in words: `'9 KiB of the query'`. It may be what was refused. */
export type Bulk = string | undefined

/** A token of another person, where it had to be the same one's; or a welcome that names another. */
export const STRANGER: Problem = { kind: 'token-invalid', cause: undefined }

/** Who can mend a failure. */
export type Action = 'sign-in' | 'fix-configuration' | 'contact-server'

/** Who can mend what ended a session: mostly the person whose session it is. */
export const actionOf = (problem: Problem): Action =>
  (problem.kind === 'rejected' && problem.action) || 'sign-in'
