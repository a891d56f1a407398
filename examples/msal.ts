/** Microsoft Entra ID (`@azure/msal-browser`). */
import { AuthedSocket, plain, TokenRefusedError, viaSubprotocol } from '../src/index.ts'

interface Account {
  readonly homeAccountId: string
}
/** What is used of `PublicClientApplication`. */
interface Msal {
  getActiveAccount(): Account | null
  acquireTokenSilent(request: {
    scopes: string[]
    account: Account
    forceRefresh: boolean
  }): Promise<{ readonly accessToken: string; readonly expiresOn: Date | null }>
}

export function connectWithMsal(msal: Msal, url: string, scopes: string[]): AuthedSocket {
  // #region socket
  const socket = new AuthedSocket({
    url,
    auth: async ({ fresh }) => {
      const account = msal.getActiveAccount()
      if (account === null) return null
      try {
        const result = await msal.acquireTokenSilent({ scopes, account, forceRefresh: fresh })
        const { accessToken: token, expiresOn } = result
        return expiresOn === null ? token : { token, expiresAt: expiresOn.getTime() }
      } catch (error) {
        if (error instanceof Error && error.name === 'InteractionRequiredAuthError')
          throw new TokenRefusedError('acquire a token by popup or redirect, then connect again')
        throw error
      }
    },
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  // #endregion
  return socket
}
