/** Whose connection, and whose frame, it is. The names come from different places and may differ. */
export interface Identity {
  /** Rises whenever somebody signs in or out. */
  readonly login: number
  /** As the token's claims say. */
  readonly token?: string | undefined
  /** As the server's welcome says. */
  readonly welcome?: string | undefined
}

/** Names are compared only within their own kind. After another login, only an equal name is the same person. */
export const isSomebodyElse = (one: Identity, other: Identity): boolean => {
  const names = [compare(one.token, other.token), compare(one.welcome, other.welcome)]
  if (names.includes('different')) return true
  return one.login !== other.login && !names.includes('equal')
}

/** Both names are known, and differ. */
export const isOther = (one: string | undefined, other: string | undefined): boolean =>
  compare(one, other) === 'different'

const compare = (
  one: string | undefined,
  other: string | undefined,
): 'equal' | 'different' | 'unknown' => {
  if (one === undefined || other === undefined) return 'unknown'
  return one === other ? 'equal' : 'different'
}
