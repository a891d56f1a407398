import { kindOf } from '../core/check.ts'
import { TokenInvalidError } from '../errors.ts'
import { isBrowser } from '../shell/platform.ts'
import { CookieJar } from './cookies.ts'
import { callUser } from './safe-error.ts'
import { isHeaderSafe } from './session-fetch.ts'
import type { TokenAnswer, TokenSource } from './source.ts'
import type { SessionPort, TabNewsLink, Tabs } from './tabs-port.ts'

/** Who sends cookies by itself. A worker of a page has no document. */
export const sendsCookies = (): boolean => typeof document !== 'undefined' || isBrowser()

/** Where a cookie comes from, and who else has it. */
interface Origin {
  readonly cookie?: string | (() => string | Promise<string>)
  readonly tabs?: Tabs
}

/** The cookies of one session: the browser's, the given ones, or those that a login brought. */
export class CookieSource implements TokenSource {
  readonly rotates = false
  readonly sendsCookie = true
  readonly everyDial: boolean
  readonly #cookie: Origin['cookie']
  readonly #tabs: () => TabNewsLink | undefined
  #jar: CookieJar | undefined = new CookieJar()
  #session: SessionPort | undefined

  constructor({ cookie, tabs }: Origin) {
    this.#cookie = cookie
    this.everyDial = typeof cookie === 'function'
    let opened: TabNewsLink | undefined
    // From the first use on: a session may be made where a page is rendered on a server.
    this.#tabs = () => {
      if (sendsCookies()) opened ??= tabs?.openNews(this.#host())
      return opened
    }
  }

  /** `undefined` after a logout. */
  get jar(): CookieJar | undefined {
    return this.#jar
  }

  follow(session: SessionPort): void {
    this.#session = session
  }

  signedIn(jar: CookieJar): void {
    this.#jar = jar
    this.#tabs()?.signedIn()
  }

  /** What signed in an earlier page may do so again, also after a logout: the server decides. */
  returns(): void {
    this.#jar ??= new CookieJar()
  }

  get canRenew(): boolean {
    return this.everyDial && this.#jar !== undefined
  }

  get canAsk(): boolean {
    return (
      this.#jar !== undefined &&
      (sendsCookies() || this.#cookie !== undefined || this.#jar.header() !== '')
    )
  }

  async request(): Promise<TokenAnswer> {
    this.#tabs()
    if (!this.canAsk) return { kind: 'signed-out' }
    if (sendsCookies()) return { kind: 'cookie' }
    return { kind: 'cookie', header: await this.header() }
  }

  clear(): void {
    this.#jar = undefined
    this.#tabs()?.signedOut()
  }

  /** The Cookie header: what the login brought wins over what was given. */
  async header(): Promise<string> {
    const cookie = this.#cookie
    const own = this.#jar?.header()
    const header = own || (typeof cookie === 'function' ? await callUser('cookie', cookie) : cookie)
    if (typeof header === 'string' && isHeaderSafe(header)) return header
    throw new TokenInvalidError(
      `cookie gave ${kindOf(header)}: give a Cookie header, 'name=value; …', in ASCII`,
    )
  }

  #host(): TabNewsLink {
    return {
      signedIn: () => {
        this.#jar = new CookieJar()
        // Who it is now is not known here.
        this.#session?.signedIn({ kind: 'cookie' }, 'switch')
      },
      signedOut: () => {
        this.#jar = undefined
        this.#session?.signedOut()
      },
    }
  }
}
