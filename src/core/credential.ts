import { expiryToleranceMs } from './lifetime.ts'

/**
 * What the machines know of a credential. The token itself is not here: the pure core decides about
 * credentials without ever holding a secret. The same value keeps its `id`, and a later one has a higher.
 */
export interface Credential {
  readonly id: number
  /** When this value was first received, in epoch ms. */
  readonly receivedAt: number
  /** Absent when no expiry is known. */
  readonly lifetimeMs?: number
  /** Whose credential it is, where that is known. */
  readonly identity?: string
}

/** Why a token is asked for. */
export type TokenReason = 'connect' | 'reconnect' | 'renewal' | 'rejected'

/** @returns epoch ms, or `undefined` when no expiry is known */
export const expiresAt = (credential: Credential): number | undefined =>
  credential.lifetimeMs === undefined ? undefined : credential.receivedAt + credential.lifetimeMs

export const isExpired = (credential: Credential, at: number): boolean =>
  at >= (expiresAt(credential) ?? Number.POSITIVE_INFINITY)

/**
 * Was the credential rejected because its life was over? The server's clock is not ours, so the last
 * moments count: `expiryToleranceMs`.
 */
export const isExpiry = (credential: Credential, rejectedAt: number): boolean =>
  isExpired(credential, rejectedAt + expiryToleranceMs(credential.lifetimeMs ?? 0))
