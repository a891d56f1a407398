/** The option `tabs` of a session, made by a function so that only who uses it pays for it. */
import { check, type Rule, text } from '../core/check.ts'
import { storageRule } from './password.ts'
import { TabGroup } from './tab-group.ts'
import { TabNews } from './tab-news.ts'
import { inTurn } from './tab-turn.ts'
import type { Tabs } from './tabs-port.ts'
import type { TokenStore } from './token-store.ts'

export interface TabsOptions {
  /**
   * Names the session: tabs of the same origin with the same key share one. Two sessions of one page need two
   * keys. It is no secret.
   */
  readonly key: string
  /**
   * How tokens reach the other tabs. `'broadcast'`: by `BroadcastChannel`, from memory to memory; a session
   * ends with its last tab, unless the refresh token is in an httpOnly cookie. A store: by that store, in the
   * place of `refreshToken`; the channel then only says that there is news.
   */
  readonly share: 'broadcast' | TokenStore
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Record<string, Rule> => ({ key: text, share: storageRule('broadcast') })

/**
 * Shares a session among the tabs of an origin: one of them asks for the next token, the others take it over;
 * a login or a logout in one is one in all. A tab takes part from its first `restore()`, `login()`,
 * `logout()` or connection on.
 *
 * With `cookieSession` nothing is shared but the news of a login or a logout: the tabs have one cookie.
 * Elsewhere tokens travel to every tab with the same key, so every script of the origin can listen: see
 * docs/security.md. Without Web Locks (`http:`, Safari before 15.4, Node) the tabs agree by messages, and a tab
 * that dies while it asks is waited for 30 s.
 *
 * @throws {TypeError} a wrong option, by its name
 */
export const shareTabs = (options: TabsOptions): Tabs => {
  check('shareTabs', options, rules(), ['key', 'share'])
  const { key, share } = options
  const byMessage = share === 'broadcast'
  return {
    store: byMessage ? undefined : share,
    openNews: (host) => new TabNews(key, host),
    open: (host) => {
      const group = new TabGroup(key, byMessage, host)
      return {
        get word() {
          return group.word
        },
        inTurn: (spend) => inTurn(group, spend),
        found: (stored) => group.found(stored),
        signedIn: (how) => group.signedIn(how),
        renewed: () => group.renewed(),
        signedOut: () => group.signedOut(),
      }
    },
  }
}
