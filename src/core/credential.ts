import type { Name } from './identity.ts'
import { expiryToleranceMs, type Life } from './lifetime.ts'

/**
 * What the machines know of a credential. The token itself is not here: the pure core decides about
 * credentials without ever holding a secret. The same value keeps its `id`, and a later one has a higher.
 */
export interface Credential extends Life {
  readonly id: number
  /** When this value was first received, in epoch ms. */
  readonly receivedAt: number
  /** Whose credential it is, as far as it says. */
  readonly name?: Name
}

/** Why a token is asked for. */
export type TokenReason = 'connect' | 'reconnect' | 'renewal' | 'rejected'

/** @returns epoch ms, or `undefined` when no expiry is known */
export const expiresAt = (credential: Credential): number | undefined =>
  credential.lifetimeMs === undefined ? undefined : credential.receivedAt + credential.lifetimeMs

export const isExpired = (credential: Credential, at: number): boolean =>
  at >= (expiresAt(credential) ?? Infinity)

/** The server's clock is not ours, so the last moments count: `expiryToleranceMs`. */
export const isEnding = (credential: Credential, at: number): boolean =>
  isExpired(credential, at + expiryToleranceMs(credential.lifetimeMs ?? 0))

export const isPastClaim = ({ claimedExpiry }: Credential, at: number): boolean =>
  at >= (claimedExpiry ?? Infinity)

/** By our clock it had ended when it came: each link tries it once. */
export const cameExpired = (credential: Credential): boolean =>
  isPastClaim(credential, credential.receivedAt)

/** Was the credential rejected because its life was over? */
export const isExpiry = (credential: Credential, rejectedAt: number): boolean =>
  isPastClaim(credential, rejectedAt) || isEnding(credential, rejectedAt)

/** A server took it, or has only just made it: where it had ended by our clock, the clock is wrong. */
export const taken = (credential: Credential): Credential =>
  cameExpired(credential) ? { ...credential, claimedExpiry: undefined } : credential
