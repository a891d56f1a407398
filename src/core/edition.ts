/**
 * Which tab's word counts. Tabs that share a session each hold an edition of it, and all move to the greatest:
 * whatever order messages come in, however often, and whoever raced, they agree in the end. No secret is here.
 */

import type { Entrance } from './identity.ts'

/** What a tab holds of a shared session, without the tokens. */
export interface Edition {
  /** When that login, or logout, was, in epoch ms; above every other that its tab had heard of. */
  readonly at: number
  /**
   * Tells logins of the same millisecond apart, and after a `~` whose hands it is in since the last switch or logout.
   * One text, so that tabs of an older version, which know no hands, read and pass it on.
   */
  readonly login: string
  /** Renewals since. */
  readonly turn: number
  /** `refused`: the token of this turn renews nothing. */
  readonly state: 'held' | 'refused' | 'out'
  /** The tab that made it. */
  readonly by: string
}

const STATES = ['held', 'refused', 'out'] as const

/** Where an edition comes from. */
export interface Author {
  readonly by: string
  /** Epoch ms. */
  readonly at: number
  /** Random, used once. */
  readonly login: string
}

/** Empty before the first switch or logout that was heard of. */
const handsOf = (edition: Edition | undefined): string => edition?.login.split('~')[1] ?? ''

/** A clock that was set back must not make a later login the older one. */
const after = (last: Edition | undefined, { at, login, by }: Author, hands: string) => ({
  at: Math.max(at, last ? last.at + 1 : 0),
  login: hands ? `${login}~${hands}` : login,
  turn: 0,
  by,
})

/** After a switch it is somebody else, whatever the tokens say: also to a tab that hears only of what came later. */
export const editionOfLogin = (
  last: Edition | undefined,
  author: Author,
  how: Entrance = 'login',
): Edition => ({
  ...after(last, author, how === 'switch' ? author.login : handsOf(last)),
  state: 'held',
})

export const editionOfLogout = (last: Edition | undefined, author: Author): Edition => ({
  ...after(last, author, author.login),
  state: 'out',
})

export const renewed = (before: Edition, by: string): Edition => ({
  ...before,
  turn: before.turn + 1,
  state: 'held',
  by,
})

export const refused = (before: Edition, by: string): Edition => ({
  ...before,
  state: 'refused',
  by,
})

/** Above 0: `one` counts. A total order: 0 is the same edition. */
export const compareEditions = (one: Edition, other: Edition): number =>
  one.at - other.at ||
  compare(one.login, other.login) ||
  one.turn - other.turn ||
  STATES.indexOf(one.state) - STATES.indexOf(other.state) ||
  compare(one.by, other.by)

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1)

/** What another tab's edition means to this one. */
export type Meeting =
  /** They are behind: they want to be told. */
  | 'behind'
  | 'same'
  /** It counts, and changes nothing here: nobody is signed in. */
  | 'noted'
  | 'renewed'
  /** By the same person, as far as tabs know: what the tokens say decides. */
  | 'signed-in'
  /** Hands have changed. */
  | 'switched'
  | 'refused'
  | 'signed-out'

export const meet = (mine: Edition | undefined, theirs: Edition): Meeting => {
  const order = mine ? compareEditions(theirs, mine) : 1
  if (order <= 0) return order === 0 ? 'same' : 'behind'
  const isSame = mine?.login === theirs.login && mine.at === theirs.at
  if (theirs.state === 'held') {
    if (isSame && mine.state === 'held') return 'renewed'
    const hands = handsOf(theirs)
    return mine && hands && hands !== handsOf(mine) ? 'switched' : 'signed-in'
  }
  if (mine?.state !== 'held') return mine?.state === 'refused' && !isSame ? 'signed-out' : 'noted'
  return isSame && theirs.state === 'refused' ? 'refused' : 'signed-out'
}

/** As text: for the names of locks, which every tab can list, and for messages. */
export const wordOf = ({ at, login, turn, state, by }: Edition): string =>
  [at, login, turn, state, by].join('/')

/** As `wordOf`; without an edition there is a name too. */
export const nameOf = (edition: Edition | undefined): string => (edition ? wordOf(edition) : '-')

/** @returns `undefined` for anything that `wordOf` did not write: any script of the origin can write here */
export const editionIn = (word: unknown): Edition | undefined => {
  if (typeof word !== 'string' || word.length > 200) return undefined
  const [at, login, turn, state, by, ...more] = word.split('/')
  const known = STATES.find((name) => name === state)
  if (!login || !by || more.length > 0 || known === undefined) return undefined
  const edition = { at: Number(at), login, turn: Number(turn), state: known, by }
  const isCounted = Number.isSafeInteger(edition.at + 1) && Number.isSafeInteger(edition.turn + 1)
  return isCounted && edition.at >= 0 && edition.turn >= 0 && wordOf(edition) === word
    ? edition
    : undefined
}

/** The greatest of all; `undefined` without any. */
export const latestOf = (editions: readonly (Edition | undefined)[]): Edition | undefined => {
  let latest: Edition | undefined
  for (const edition of editions)
    if (edition && (!latest || compareEditions(edition, latest) > 0)) latest = edition
  return latest
}
