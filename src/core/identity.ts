/** Whose session, whose connection and whose frame it is: names, and when two of them are one person. */

/**
 * What a token says of its person: the answer of `identify`, then `iss`, `sub`, `user_id`. `undefined` where it says
 * nothing, empty where what it says cannot be read.
 */
export type Name = readonly (string | undefined)[]

/** Whose connection, or whose frame. The names come from different places and may differ. */
export interface Identity {
  /** Rises whenever somebody signs in or out, or may have. */
  readonly login: number
  /** The login from which on it has been the same person. */
  readonly since: number
  readonly token?: Name | undefined
  /** As the server's welcome says. */
  readonly welcome?: string | undefined
}

/** Who a session is of, as far as its tokens have told. */
export interface Whose {
  readonly login: number
  readonly since: number
  /** All that was told in one login. */
  readonly name?: Name
  /** The last value that was theirs; none where nobody has come yet. */
  readonly credential?: number
  /**
   * Of whom the next answer may be. `named`: of another person too, if its token says so. `anybody`: whoever is not
   * known to be the same person is another one.
   */
  readonly next: 'same' | 'named' | 'anybody'
  /** Answers of somebody else in a row, which were refused. */
  readonly strangers: number
}

/** What is compared of a credential. The same value has the same id. */
interface Named {
  readonly id: number
  readonly name?: Name
}

export const NOBODY: Whose = { login: 0, since: 0, next: 'same', strangers: 0 }

/** What a user is shown. */
export const shown = ([given, , sub, userId]: Name = []): string | undefined =>
  given || sub || userId || undefined

/** Has somebody else come since? Names are compared only within their own kind. */
export const isSomebodyElse = (before: Identity, now: Identity): boolean =>
  before.login < now.since ||
  isOther(before.token, now.token) ||
  isOther([before.welcome], [now.welcome])

/** Within one login: what both tell differs. What one leaves out may be the same. */
export const isOther = (one: Name = [], other: Name = []): boolean =>
  one.some((part, i) => part && other[i] && part !== other[i])

/** Across logins: the same value, or both tell the same, and all of it can be read. */
const isSamePerson = ({ credential, name = [] }: Whose, { id, name: other = [] }: Named): unknown =>
  id === credential || (shown(name) && !name.includes('') && wholeOf(name) === wholeOf(other))

/** What `identify` gives is a name by itself. */
const wholeOf = (name: Name): string => name[0] || JSON.stringify(name)

/** The next answer may be anybody's, and what is asked for from now on is theirs. */
export const released = (whose: Whose): Whose =>
  whose.next === 'anybody' ? whose : { ...whose, login: whose.login + 1, next: 'anybody' }

/** Whoever it was is nobody that could come back. */
export const unnamed = (whose: Whose): Whose => ({ ...whose, name: [], credential: -1 })

/** @returns `undefined` for a token of somebody else, where it had to be of the same person */
export const answeredBy = (whose: Whose, named: Named): Whose | undefined => {
  const { next, name: before = [] } = whose
  const { id: credential, name = [] } = named
  const isSame =
    whose.credential === undefined ||
    (next === 'anybody' ? isSamePerson(whose, named) : !isOther(before, name))
  if (!isSame && next === 'same') return undefined
  // What was asked for since the last one was let go is the next one's own.
  const login = isSame || next === 'anybody' ? whose.login : whose.login + 1
  return {
    ...NOBODY,
    login,
    since: isSame ? whose.since : login,
    name: isSame ? [0, 1, 2, 3].map((i) => name[i] || before[i]) : name,
    credential,
  }
}

/** `restore`: what was left of an earlier page, or by another tab. The others are of this page. */
export type Entrance = 'login' | 'switch' | 'restore'

/** Somebody came. After a switch it is somebody else, whatever the token says. */
export const cameIn = (
  whose: Whose,
  { credential, how }: { readonly credential: Named; readonly how: Entrance },
): Whose =>
  // What may be anybody's is never refused.
  answeredBy(released(how === 'switch' ? unnamed(whose) : whose), credential) ?? whose

/** A logout. */
export const left = ({ login }: Whose): Whose => ({
  ...NOBODY,
  login: login + 1,
  since: login + 1,
})
