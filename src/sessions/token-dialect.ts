import type { Tabs } from './tabs-port.ts'
import type { Tokens } from './token-family.ts'
import type { StoredTokens, TokenStore } from './token-store.ts'

/** How a server is asked. */
export interface TokenDialect<Credentials> {
  readonly obtain: (credentials: Credentials, signal?: AbortSignal) => Promise<Tokens>
  /** Gets no token where a cookie carries it. */
  readonly refresh?: ((refreshToken: string | undefined) => Promise<Tokens>) | undefined
  /** Called before `clear`. */
  readonly revoker?:
    | (() => (tokens: StoredTokens, signal: AbortSignal) => Promise<unknown>)
    | undefined
  readonly clear?: () => void
  readonly cookie: boolean
  readonly store?: TokenStore | undefined
  readonly tabs?: Tabs | undefined
  readonly credentials?: (() => Credentials | Promise<Credentials>) | undefined
  readonly reobtain: boolean
}
