import { hasMethods, isObject, type Rule } from '../core/check.ts'
import { TokenUnavailableError } from '../errors.ts'
import { causeOf, nameOf } from './safe-error.ts'

/**
 * Where a session survives a page or a process. It holds a SECRET: whoever reads it is signed in as the
 * user. In a browser every script of the page reads `localStorage`, so prefer `'httpOnlyCookie'`; on a
 * server let only its own user read the file.
 *
 * What `set` throws is ignored: the session lives on in memory, and `restore()` will not find it.
 */
export interface TokenStore {
  /** What `set` was last given; `null` without. A bare refresh token is taken as well. */
  get(): string | null | undefined | Promise<string | null | undefined>
  /** `null`: forget it. */
  set(value: string | null): void | Promise<void>
}

export interface StoredTokens {
  readonly refresh?: string
  readonly access?: string
  readonly receivedAt?: number
  readonly expiresInMs?: number
  /** Which of the tabs that share a session wrote it, and when: see core/edition.ts. */
  readonly edition?: string
}

export const tokenStore: Rule = [
  (value) => hasMethods(value, 'get', 'set'),
  'a TokenStore { get, set }',
]

const parse = (text: string): StoredTokens => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { refresh: text }
  }
  return isObject(value) ? storedIn(value) : { refresh: text }
}

const isNumber = (value: unknown): value is number => Number.isFinite(value)

/** What has the right shape; the rest is left out. */
export const storedIn = (value: Record<string, unknown>): StoredTokens => {
  const { refresh, access, receivedAt, expiresInMs, edition } = value
  return {
    ...(typeof refresh === 'string' && { refresh }),
    ...(typeof access === 'string' && { access }),
    ...(isNumber(receivedAt) && { receivedAt }),
    ...(isNumber(expiresInMs) && { expiresInMs }),
    ...(typeof edition === 'string' && { edition }),
  }
}

/** A store whose writes keep their order, and whose reads see them. */
export class StoreSlot {
  readonly #store: TokenStore
  /** Whether the last write succeeded. */
  #written: Promise<boolean> = Promise.resolve(true)

  constructor(store: TokenStore) {
    this.#store = store
  }

  /**
   * @returns `'behind'` when the last write failed: what stands in the store is older than what we hold
   * @throws {TokenUnavailableError} TOKEN_UNAVAILABLE: the store failed
   */
  async read(): Promise<StoredTokens | 'behind' | undefined> {
    if (!(await this.#written)) return 'behind'
    try {
      const text = await this.#store.get()
      return text ? parse(text) : undefined
    } catch (error) {
      throw new TokenUnavailableError(
        `the token store failed: get threw ${nameOf(error)}`,
        causeOf(error),
      )
    }
  }

  /** Once what was written last can be read, or has failed. */
  get written(): Promise<unknown> {
    return this.#written
  }

  write(tokens: StoredTokens | null): void {
    const text = tokens && JSON.stringify(tokens)
    this.#written = this.#written
      .then(() => this.#store.set(text))
      .then(
        () => true,
        () => false,
      )
  }
}
