/** What runs in each tab of test/browser/tabs.test.ts: a session that is shared, and a socket on it. */
import { AuthedSocket, plain, shareTabs, simpleJwt, viaSubprotocol } from '../../src/index.ts'

/** What a tab says of itself. */
export interface Look {
  readonly state: string
  readonly signedIn: boolean
  /** The same in all tabs that hold the same token. */
  readonly tokenExpiresAt: number | undefined
  readonly user: string | undefined
  /** `in`, `out`, and the codes of errors, in order. */
  readonly events: readonly string[]
}

declare global {
  var tabsCue: (tab: string, what: 'asks') => Promise<'go' | 'wait'>
}

export const makeTab = (name: string, restEveryMs: number) => {
  const events: string[] = []
  const session = simpleJwt({
    obtain: '/api/token/',
    refresh: '/api/token/refresh/',
    revoke: '/api/token/revoke/',
    tabs: shareTabs({ key: 'figure 1', share: 'broadcast' }),
    // The request is held here until the test lets it go, or ends the tab.
    fetch: async (input, init) => {
      if (String(input).includes('/refresh/') && (await tabsCue(name, 'asks')) === 'wait')
        await new Promise(() => {})
      return fetch(input, init)
    },
  })
  const socket = new AuthedSocket({
    url: '/ws/plain',
    auth: session,
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  session.on('signedin', () => events.push('in'))
  session.on('signedout', () => events.push('out'))
  socket.on('signinrequired', ({ error }) => events.push(error.code))
  // REST of the same session comes in between, at its own pace.
  const rest = () => {
    if (session.signedIn) session.fetch('/whoami').catch(() => {})
    setTimeout(rest, restEveryMs * (0.5 + Math.random()))
  }
  rest()
  return {
    login: async (username: string) => {
      await session.login({ username, password: 'correct-horse' })
    },
    restore: () => session.restore(),
    connect: () => socket.connect(),
    logout: () => session.logout(),
    look: (): Look => ({
      state: socket.state,
      signedIn: session.signedIn,
      tokenExpiresAt:
        socket.status.state === 'connected' ? socket.status.tokenExpiresAt : undefined,
      user: socket.identity,
      events,
    }),
  }
}
