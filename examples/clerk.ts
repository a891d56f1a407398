/** Clerk (`@clerk/clerk-js`, and its siblings for frameworks). */
import { AuthedSocket, plain, viaSubprotocol } from '../src/index.ts'

/** What is used of `Clerk`. */
interface Clerk {
  readonly session?: { getToken(options: { skipCache: boolean }): Promise<string | null> } | null
}

export function connectWithClerk(clerk: Clerk, url: string): AuthedSocket {
  // #region socket
  const socket = new AuthedSocket({
    url,
    auth: async ({ fresh }) => (await clerk.session?.getToken({ skipCache: fresh })) ?? null,
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  // #endregion
  return socket
}
