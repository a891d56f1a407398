/** What a source's failure means to the machine: refused is final, all else is not. */
import type { CredentialEvent } from '../core/credential-state.ts'
import { TokenInvalidError, TokenRefusedError, TokenUnavailableError } from '../errors.ts'

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
