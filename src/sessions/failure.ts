/** Asks a source, and says what its answer means to the machine: refused is final, all else is not. */
import type { Credential } from '../core/credential.ts'
import type { Ask, CredentialEvent } from '../core/credential-state.ts'
import { TokenInvalidError, TokenRefusedError, TokenUnavailableError } from '../errors.ts'
import type { TokenSource } from './source.ts'
import type { Answer } from './wallet.ts'

/** An event before it is stamped. */
export type WithoutMoment<Event> = Event extends unknown ? Omit<Event, 'at' | 'roll'> : never

export const failureOf = (cause: unknown): WithoutMoment<CredentialEvent> => {
  if (cause instanceof TokenRefusedError)
    return { type: 'refused', problem: { kind: 'token-refused', cause } }
  const kind = cause instanceof TokenInvalidError ? 'token-invalid' : 'token-unavailable'
  const retryAfterMs = cause instanceof TokenUnavailableError ? cause.retryAfterMs : undefined
  return {
    type: 'unavailable',
    problem: { kind, cause },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

export const askSource = async (
  source: TokenSource,
  { reason, fresh }: Ask,
  signal: AbortSignal,
  keep: (answer: Answer & { readonly fresh: boolean }) => Credential,
): Promise<WithoutMoment<CredentialEvent>> => {
  try {
    const answer = await source.request({ reason, fresh, signal })
    // Muted once the user logged out, so nothing is kept then.
    return answer.kind === 'signed-out' || signal.aborted
      ? { type: 'signed-out' }
      : { type: 'answered', credential: keep({ ...answer, fresh }) }
  } catch (cause) {
    return failureOf(cause)
  }
}
