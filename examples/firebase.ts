/** Firebase Authentication (`firebase/auth`). */
import { AuthedSocket, plain, viaSubprotocol } from '../src/index.ts'

/** What is used of `Auth`. */
interface Auth {
  readonly currentUser: {
    readonly uid: string
    getIdToken(forceRefresh: boolean): Promise<string>
  } | null
  authStateReady(): Promise<void>
  onIdTokenChanged(listener: () => void): () => void
}

export function connectWithFirebase(auth: Auth, url: string): AuthedSocket {
  // #region socket
  /** Firebase signs the user out by itself then. Said here, it is told at once, and not when next asked. */
  const SIGN_IN = ['auth/user-token-expired', 'auth/user-disabled', 'auth/invalid-user-token']

  const socket = new AuthedSocket({
    url,
    auth: async ({ fresh }) => {
      await auth.authStateReady()
      return (await auth.currentUser?.getIdToken(fresh)) ?? null
    },
    isRefused: (error) =>
      error instanceof Error && 'code' in error && SIGN_IN.includes(String(error.code)),
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  let uid: string | undefined
  auth.onIdTokenChanged(() => {
    const user = auth.currentUser
    // Nobody, or somebody else: whoever comes next begins anew.
    if (user?.uid !== uid) socket.disconnect()
    uid = user?.uid
    if (user === null) return
    if (socket.state === 'connected') socket.tokenChanged()
    else socket.connect()
  })
  // #endregion
  return socket
}
