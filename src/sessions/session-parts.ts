/** What each kind of session is made of. */
import type { Entrance } from '../core/identity.ts'
import type { Reach } from './session-fetch.ts'
import type { TokenAnswer, TokenSource } from './source.ts'
import type { SessionPort } from './tabs-port.ts'

/** What a login brought, not yet in force. */
export interface Entry {
  readonly answer: TokenAnswer
  /** Makes the source continue from here, and tells the other tabs how somebody came. */
  commit(how?: Entrance): void
}

export interface SessionParts<Credentials> {
  /** For messages: the function that made the session. */
  readonly maker: string
  readonly source: TokenSource
  readonly reach: Reach
  readonly signIn?: (credentials: Credentials | undefined, signal: AbortSignal) => Promise<Entry>
  readonly restore?: () => Promise<Entry | undefined>
  /** Called before everything is forgotten; what it returns revokes what was held then. */
  readonly revoker?: () => () => Promise<unknown>
  /** What revokes names its token, so that it does not end a login that came after. */
  readonly revokesByToken?: boolean
  /** Called once: other tabs may change who is signed in. */
  readonly follow?: (session: SessionPort) => void
  /** Signed in from the start. */
  readonly initial?: TokenAnswer
}
