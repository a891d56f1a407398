/** What belongs to a session and is not on it: nothing that prints a session finds a token. */
import type { Problem } from '../core/problem.ts'
import type { Verdict } from '../core/verdict.ts'
import type { CredentialHolder } from './holder.ts'
import type { Reach } from './session-fetch.ts'
import type { TokenAnswer } from './source.ts'

/** Gives a single-use token for a credential: for one dial, and never again. Rejects for misuse only. */
export type Exchange = (credentialId: number, signal: AbortSignal) => Promise<Exchanged>
export type Exchanged =
  | Extract<TokenAnswer, { kind: 'token' }>
  | { readonly verdict: Verdict; readonly problem: Problem }

const holders = new WeakMap<object, CredentialHolder>()
const reaches = new WeakMap<object, Reach>()
const exchanges = new WeakMap<object, Exchange>()

/** Where a session's credential may travel. */
export const reachOfSession = (session: object): Reach => {
  const reach = reaches.get(session)
  if (reach) return reach
  throw new TypeError('this is no session of authed-socket with URLs of its own')
}

export const exchangeOf = (auth: object): Exchange | undefined => exchanges.get(auth)

/** `view` is another face of `session`, and its sockets carry what `exchange` gives. */
export const lend = (view: object, session: object, exchange: Exchange): void => {
  holders.set(view, holderOf(session))
  exchanges.set(view, exchange)
}

/** Nothing on the session leads to its holder, so nothing that prints a session finds a token. */
export const holderOf = (session: object): CredentialHolder => {
  const holder = holders.get(session)
  if (holder) return holder
  throw new TypeError('this is no session of authed-socket, or of another copy of it')
}

export const isRegistered = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && holders.has(value)

export const register = (session: object, holder: CredentialHolder, reach: Reach): void => {
  holders.set(session, holder)
  reaches.set(session, reach)
}
