/** Supabase (`@supabase/supabase-js`) with a WebSocket in an Edge Function. */
import { AuthedSocket, plain, type Transmission, viaQuery, viaSubprotocol } from '../src/index.ts'

interface Answer {
  readonly data: { readonly session: { readonly access_token: string } | null }
  readonly error: Error | null
}
/** What is used of `SupabaseClient`. */
interface Supabase {
  readonly auth: { getSession(): Promise<Answer>; refreshSession(): Promise<Answer> }
}

export function connectWithSupabase(supabase: Supabase, url: string): AuthedSocket {
  // #region socket
  /** Everything else, `AuthRetryableFetchError` first of all, passes. */
  const SIGN_IN = ['AuthApiError', 'AuthSessionMissingError', 'AuthInvalidTokenResponseError']

  const socket = new AuthedSocket({
    url,
    auth: async ({ fresh }) => {
      const { auth } = supabase
      const { data, error } = await (fresh ? auth.refreshSession() : auth.getSession())
      if (error) throw error
      return data.session?.access_token ?? null
    },
    isRefused: (error) => error instanceof Error && SIGN_IN.includes(error.name),
    transmission: viaQuery({ param: 'jwt', acceptLogging: true }),
    protocol: plain(),
  })
  // #endregion
  return socket
}

export function asSupabaseSubprotocol(): Transmission {
  // #region subprotocol
  const transmission = viaSubprotocol((token) => ['chat', `jwt-${token}`])
  // #endregion
  return transmission
}
