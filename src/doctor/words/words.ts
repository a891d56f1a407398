/** What happens and the line to change, in words, for each cause. */
import type { Cause, CauseName } from '../causes.ts'
import type { Facts } from '../facts.ts'

export interface Words {
  readonly says: string
  readonly fix: string
}

type CauseOf<Name extends CauseName> = Cause extends infer One
  ? One extends { cause: infer Names }
    ? Name extends Names
      ? One & { readonly cause: Name }
      : never
    : never
  : never

/** A text for each of some causes. */
export type WordsFor<Names extends CauseName> = {
  readonly [Name in Names]: (cause: CauseOf<Name>, facts: Facts) => Words
}

export const seconds = (ms: number): string =>
  ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`

/** The way in which servers must refuse, so that every client can tell. */
export const ACCEPT_THEN_CLOSE =
  'accept first, then close with a code: Channels `await self.accept()` and `await self.close(code=4003)`; FastAPI `await websocket.accept()` and `await websocket.close(code=4003)`'
