/** Auth0 (`@auth0/auth0-spa-js`). */
import { AuthedSocket, plain, viaSubprotocol } from '../src/index.ts'

/** What is used of `Auth0Client`. */
interface Auth0Client {
  getTokenSilently(options: { cacheMode: 'on' | 'off' }): Promise<string>
}

export function connectWithAuth0(auth0: Auth0Client, url: string): AuthedSocket {
  // #region socket
  /** Only the user can go on; everything else (a timeout, the network) passes. */
  const SIGN_IN = [
    'login_required',
    'consent_required',
    'interaction_required',
    'mfa_required',
    'missing_refresh_token',
    'invalid_grant',
  ]

  const socket = new AuthedSocket({
    url,
    auth: ({ fresh }) => auth0.getTokenSilently({ cacheMode: fresh ? 'off' : 'on' }),
    isRefused: (error) =>
      error instanceof Error && 'error' in error && SIGN_IN.includes(String(error.error)),
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  // #endregion
  return socket
}
