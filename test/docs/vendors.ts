/**
 * Small fakes of auth libraries: of what the recipes use, and as the documentation of each describes it. Every one
 * keeps its token until it is told to skip its cache, and can be signed out, refused, or offline.
 */

/** What a test does to a vendor's service. */
export interface Vendor {
  /** `cached` or `forced`, for each call. */
  readonly asked: string[]
  state: 'signed in' | 'signed out' | 'refused' | 'offline'
  /** Who is signed in. */
  user: string
  /** The page signs somebody out, or in; libraries that tell of it do. */
  signOut(): void
  signIn(user: string): void
}

/** Gives a new token of the service, for this user. */
type Mint = (user: string) => Promise<string>

class Service implements Vendor {
  readonly asked: string[] = []
  state: Vendor['state'] = 'signed in'
  user = 'alice'
  readonly #mint: Mint
  #token: string | undefined

  constructor(mint: Mint) {
    this.#mint = mint
  }

  async token(isForced: boolean): Promise<string> {
    this.asked.push(isForced ? 'forced' : 'cached')
    if (this.#token === undefined || isForced) this.#token = await this.#mint(this.user)
    return this.#token
  }

  signOut(): void {
    this.state = 'signed out'
    this.#token = undefined
  }

  signIn(user: string): void {
    Object.assign(this, { state: 'signed in', user })
    this.#token = undefined
  }
}

/** An error of another package, with what its documentation says that it has. */
const foreign = (name: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { name, ...more })

/**
 * `getTokenSilently`: from the cache, unless `cacheMode` is `off`. Errors are `GenericError`s with the OAuth code in
 * `error`; without a session it is `login_required`.
 *
 * @see https://github.com/auth0/auth0-spa-js, src/global.ts, src/errors.ts, README
 */
export class Auth0 extends Service {
  readonly client = {
    getTokenSilently: async ({ cacheMode }: { cacheMode: 'on' | 'off' }) => {
      if (this.state === 'offline') throw new TypeError('Failed to fetch')
      if (this.state === 'signed out')
        throw foreign('Error', 'Login required', { error: 'login_required' })
      if (this.state === 'refused')
        throw foreign('Error', 'Unknown or invalid refresh token.', { error: 'invalid_grant' })
      return this.token(cacheMode === 'off')
    },
  }
}

/**
 * `session` is null without one. `getToken`: from the cache, unless `skipCache`; null when the session has ended. Offline
 * it throws `ClerkOfflineError` once it has tried long enough.
 *
 * @see https://clerk.com/docs/references/javascript/session; clerk/javascript, resources/Session.ts
 */
export class Clerk extends Service {
  readonly client = ((vendor: Clerk) => ({
    get session() {
      if (vendor.state === 'signed out') return null
      return { getToken: ({ skipCache }: { skipCache: boolean }) => vendor.#getToken(skipCache) }
    },
  }))(this)

  async #getToken(skipCache: boolean): Promise<string | null> {
    if (this.state === 'offline')
      throw foreign('ClerkOfflineError', 'Network request failed while offline.')
    return this.state === 'refused' ? null : this.token(skipCache)
  }
}

/**
 * `currentUser` is known once `authStateReady()` has resolved. `getIdToken(true)` forces a refresh; where that is refused
 * the user is signed out as well. Errors carry a `code`.
 *
 * @see https://firebase.google.com/docs/reference/js/auth.user; firebase-js-sdk, core/user/invalidation.ts
 */
export class Firebase extends Service {
  readonly listeners = new Set<() => void>()
  #isReady = false
  readonly client = ((vendor: Firebase) => ({
    get currentUser() {
      if (!vendor.#isReady || vendor.state === 'signed out') return null
      return {
        uid: vendor.user,
        getIdToken: (forceRefresh: boolean) => vendor.#getIdToken(forceRefresh),
      }
    },
    authStateReady: async () => {
      vendor.#isReady = true
    },
    onIdTokenChanged: (listener: () => void) => {
      vendor.listeners.add(listener)
      return () => vendor.listeners.delete(listener)
    },
  }))(this)

  override signOut(): void {
    super.signOut()
    this.#tell()
  }

  override signIn(user: string): void {
    super.signIn(user)
    this.#tell()
  }

  #tell(): void {
    this.#isReady = true
    for (const listener of this.listeners) listener()
  }

  async #getIdToken(forceRefresh: boolean): Promise<string> {
    if (this.state === 'offline')
      throw foreign('FirebaseError', 'A network error.', { code: 'auth/network-request-failed' })
    if (this.state === 'refused') {
      this.state = 'signed out'
      throw foreign('FirebaseError', 'Sign in again.', { code: 'auth/user-token-expired' })
    }
    return this.token(forceRefresh)
  }
}

/**
 * `acquireTokenSilent`: from the cache, unless `forceRefresh`; `InteractionRequiredAuthError` where only a person can
 * go on, and other `AuthError`s for what passes.
 *
 * @see https://learn.microsoft.com/entra/msal/javascript/browser/acquire-token
 */
export class Msal extends Service {
  readonly client = {
    getActiveAccount: () => (this.state === 'signed out' ? null : { homeAccountId: this.user }),
    acquireTokenSilent: async ({ forceRefresh }: { forceRefresh: boolean }) => {
      if (this.state === 'offline')
        throw foreign('BrowserAuthError', 'no_network_connectivity', {
          errorCode: 'no_network_connectivity',
        })
      if (this.state === 'refused')
        throw foreign('InteractionRequiredAuthError', 'interaction_required: sign in', {
          errorCode: 'interaction_required',
        })
      const accessToken = await this.token(forceRefresh)
      return { accessToken, expiresOn: new Date(Date.now() + 300_000) }
    },
  }
}

/**
 * `getSession` gives what is stored, refreshed where it has expired; `refreshSession` always refreshes. Both return
 * their error: `AuthApiError` where the server refused, `AuthRetryableFetchError` where it was not reached.
 *
 * @see https://supabase.com/docs/reference/javascript/auth-refreshsession; auth-js, src/lib/errors.ts
 */
export class Supabase extends Service {
  readonly client = {
    auth: {
      getSession: () => this.#answer(false),
      refreshSession: () => this.#answer(true),
    },
  }

  async #answer(isForced: boolean) {
    const failed = (error: Error) => ({ data: { session: null }, error })
    if (this.state === 'offline')
      return failed(foreign('AuthRetryableFetchError', 'Failed to fetch', { status: 0 }))
    if (this.state === 'refused')
      return failed(
        foreign('AuthApiError', 'Invalid Refresh Token: Already Used', {
          status: 400,
          code: 'refresh_token_already_used',
        }),
      )
    if (this.state === 'signed out')
      return isForced
        ? failed(foreign('AuthSessionMissingError', 'Auth session missing!', { status: 400 }))
        : { data: { session: null }, error: null }
    return { data: { session: { access_token: await this.token(isForced) } }, error: null }
  }
}
