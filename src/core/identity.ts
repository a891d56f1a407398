/** Whose connection, and whose frame, it is. The two names come from different places and may differ. */
export interface Identity {
  /** As the token's claims say. */
  readonly token?: string | undefined
  /** As the server's welcome says. */
  readonly welcome?: string | undefined
}

export const isKnown = ({ token, welcome }: Identity): boolean =>
  token !== undefined || welcome !== undefined

/** Names are compared only within their own kind. */
export const isSomebodyElse = (one: Identity, other: Identity): boolean =>
  differ(one.token, other.token) || differ(one.welcome, other.welcome)

const differ = (one: string | undefined, other: string | undefined): boolean =>
  one !== undefined && other !== undefined && one !== other
