/** Between a session and the tabs that share it: types, and the rule of the option `tabs`. */
import { hasMethods, type Rule } from '../core/check.ts'
import type { Entrance } from '../core/identity.ts'
import type { TokenRefusedError } from '../errors.ts'
import type { TokenAnswer } from './source.ts'
import type { StoredTokens, TokenStore } from './token-store.ts'

/** Made by `shareTabs()`. */
export interface Tabs {
  /** Where the tabs share by a store. */
  readonly store: TokenStore | undefined
  /** @internal Called by a session when it is first used: before, nothing is opened. */
  open(host: TabsHost): TabsLink
  /** @internal As `open`, where the credential is a cookie, which all tabs have. */
  openNews(host: TabNewsLink): TabNewsLink
}

export const tabsRule: Rule = [
  (value) => hasMethods(value, 'open', 'openNews'),
  'shareTabs({ key, share })',
]

/** What a session tells the other tabs. */
export interface TabsLink {
  /** Says of what is held who wrote it, and when; for the store. */
  readonly word: string | undefined
  /** Runs `spend`, unless another tab does, or did; again where it brings `undefined`, since something else counts. */
  inTurn(spend: () => Promise<TokenAnswer | undefined>): Promise<TokenAnswer>
  /** Takes over what was found in a store. `true` where something else counts now. */
  found(stored: StoredTokens): boolean
  signedIn(how: Entrance): void
  renewed(): void
  signedOut(): void
}

/** What the other tabs do to a session. */
export interface TabsHost {
  /** Of the login that is in force now. */
  tokens(): StoredTokens | undefined
  /** What the store holds, where the tabs share one. */
  stored(): Promise<StoredTokens | undefined>
  /** Writes what is held into the store once more: a slower write of another tab may have covered it. */
  save(word: string): void
  /** Once the store holds what was saved last. */
  saved(): Promise<unknown>
  /** `found`: nobody was signed in here before. */
  adopt(how: 'renewed' | 'signed-in' | 'switched' | 'found', tokens: StoredTokens): void
  refused(error: TokenRefusedError): void
  signedOut(): void
  /** What is held now, while it can be used. */
  held(): TokenAnswer | undefined
}

/** Who came, who left: told to the other tabs, and by them. */
export interface TabNewsLink {
  signedIn(): void
  signedOut(): void
}

/** What happens to a session from outside. */
export interface SessionPort {
  /** `switch`: it may be somebody else. Default `login`. */
  signedIn(answer: TokenAnswer, how?: 'login' | 'switch'): void
  signedOut(): void
  /** The source has a newer token. */
  renewed(): void
  refused(error: TokenRefusedError): void
}
