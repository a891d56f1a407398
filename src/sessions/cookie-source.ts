import { kindOf } from '../core/check.ts'
import { TokenInvalidError } from '../errors.ts'
import { isBrowser } from '../shell/platform.ts'
import { CookieJar } from './cookie-jar.ts'
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

/** What is known of one sign-in. In a browser nothing: the cookies are its own. */
interface Held {
  jar?: CookieJar
  /** What the function gave when the jar was begun. */
  given?: string
  /** A login replaced what the function gives. */
  readonly by?: 'login'
}

/** The cookies of one session: the browser's, the given ones, or those that a login brought. */
export class CookieSource implements TokenSource {
  readonly rotates = false
  readonly sendsCookie = true
  readonly everyDial: boolean
  readonly #cookie: Origin['cookie']
  readonly #tabs: () => TabNewsLink | undefined
  /** `undefined` after a logout: what comes then lands in a jar that nobody uses. */
  #held: Held | undefined = {}
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

  /** In Node; `undefined` after a logout. */
  get jar(): CookieJar | undefined {
    return this.#held?.jar
  }

  follow(session: SessionPort): void {
    this.#session = session
  }

  /** For a login, which is to bring the cookies; with the given ones. `undefined` in a browser. */
  begin(): CookieJar | undefined {
    if (sendsCookies()) return undefined
    return new CookieJar(typeof this.#cookie === 'string' ? checked(this.#cookie) : '')
  }

  signedIn(jar: CookieJar | undefined): void {
    this.#held = { ...(jar && { jar }), by: 'login' }
    this.#tabs()?.signedIn()
  }

  /** What signed in an earlier page may do so again, also after a logout: the server decides. */
  returns(): void {
    this.#held ??= {}
  }

  get canRenew(): boolean {
    return this.everyDial && this.#held !== undefined
  }

  get canAsk(): boolean {
    const held = this.#held
    if (!held || sendsCookies() || this.everyDial) return held !== undefined
    return held.jar ? held.jar.contents !== '' : this.#cookie !== undefined
  }

  async request(): Promise<TokenAnswer> {
    this.#tabs()
    if (!this.canAsk) return { kind: 'signed-out' }
    return this.answerWith(await this.cookies())
  }

  answerWith(jar: CookieJar | undefined): TokenAnswer {
    if (!jar) return { kind: 'cookie' }
    return { kind: 'cookie', value: jar.contents, cookies: () => this.jar }
  }

  clear(): void {
    this.#held = undefined
    this.#tabs()?.signedOut()
  }

  /**
   * Those of now. `undefined` in a browser, and after a logout.
   *
   * @throws {TokenInvalidError} TOKEN_INVALID: what was given is no Cookie header
   */
  async cookies(): Promise<CookieJar | undefined> {
    const held = this.#held
    if (!held || sendsCookies()) return undefined
    if (typeof this.#cookie === 'function' && held.by !== 'login') {
      const given = checked(await callUser('cookie', this.#cookie))
      // Of another one nothing is true that answers to the one before have set.
      if (given !== held.given) Object.assign(held, { given, jar: new CookieJar(given) })
    }
    const jar = held.jar ?? this.begin()
    if (jar) held.jar = jar
    return jar
  }

  #host(): TabNewsLink {
    return {
      signedIn: () => {
        this.#held = {}
        // Who it is now is not known here.
        this.#session?.signedIn({ kind: 'cookie' }, 'switch')
      },
      signedOut: () => {
        this.#held = undefined
        this.#session?.signedOut()
      },
    }
  }
}

const checked = (header: unknown): string => {
  if (typeof header === 'string' && isHeaderSafe(header)) return header
  throw new TokenInvalidError(
    `cookie gave ${kindOf(header)}: give a Cookie header, 'name=value; …', in ASCII`,
  )
}
