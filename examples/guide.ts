/** The snippets of docs/guide.md. Each region is a function here, so that a test can run it. */
import {
  AuthedSocket,
  diary,
  isAuthedSocketError,
  multiplexed,
  type PasswordCredentials,
  plain,
  refreshGrant,
  roomPerSocket,
  type Session,
  type Status,
  shareTabs,
  simpleJwt,
  swap,
  TokenRefusedError,
  type TokenStore,
  TokenUnavailableError,
  viaQuery,
  viaSubprotocol,
} from '../src/index.ts'

interface Library {
  getToken(options: { skipCache: boolean }): Promise<string | null>
}

export function withYourLibrary(library: Library, url: string): AuthedSocket {
  // #region auth-function
  const socket = new AuthedSocket({
    url,
    auth: ({ fresh }) => library.getToken({ skipCache: fresh }),
    isRefused: (error) => error instanceof Error && error.name === 'LoginRequired',
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  // #endregion
  return socket
}

export async function fetchToken(address: string): Promise<string> {
  // #region token-refused
  const response = await fetch(address, { credentials: 'include' })
  if (response.status === 401) throw new TokenRefusedError('the sign-in has ended')
  return response.text()
  // #endregion
}

export async function restoreOrLogin(session: Session<{ username: string; password: string }>) {
  // #region restore
  if (!(await session.restore())) {
    await session.login({ username: 'alice', password: 'correct-horse' })
  }
  // #endregion
}

export function withStore(origin: string) {
  // #region store
  const store: TokenStore = {
    get: () => localStorage.getItem('session'),
    set: (value) => {
      if (value === null) localStorage.removeItem('session')
      else localStorage.setItem('session', value)
    },
  }
  const session = simpleJwt({
    obtain: `${origin}/api/token/`,
    refresh: `${origin}/api/token/refresh/`,
    refreshToken: store,
  })
  // #endregion
  return session
}

export function withRefreshToken(issuer: string, store: TokenStore) {
  // #region refresh-grant
  const session = refreshGrant({
    url: `${issuer}/oauth/token`,
    clientId: 'chat-bot',
    refreshToken: store,
  })
  // #endregion
  return session
}

export async function asSomebodyElse(session: Session<{ username: string; password: string }>) {
  // #region switch
  await session.switch({ username: 'bob', password: 'correct-horse' })
  // #endregion
}

export function ofATenant(session: Session, url: string): AuthedSocket {
  // #region identify
  const socket = new AuthedSocket({
    url,
    auth: session,
    identify: ({ raw, sub }) => `${raw['tenant_id']}/${sub}`,
    transmission: viaSubprotocol(),
    protocol: plain(),
  })
  // #endregion
  return socket
}

export async function inManyTabs() {
  // #region tabs
  const session = simpleJwt({
    obtain: '/api/cookie/token/',
    refresh: '/api/cookie/refresh/',
    refreshToken: 'httpOnlyCookie',
    tabs: shareTabs({ key: 'shop', share: 'broadcast' }),
  })
  await session.restore()
  // #endregion
  return session
}

export async function callRest(session: Session) {
  // #region session-fetch
  const response = await session.fetch('/whoami')
  const profile: unknown = await response.json()
  // #endregion
  return profile
}

export async function useRooms(socket: AuthedSocket) {
  // #region rooms
  const lobby = socket.room('lobby')
  const off = lobby.on('message', ({ data, meta }) => console.log(data, meta.sender))
  lobby.on('gap', ({ reason }) => console.log('messages may be missing:', reason))
  await lobby.join()
  await lobby.send({ message: 'hi' })

  off()
  lobby.leave()
  // #endregion
}

export async function iterate(socket: AuthedSocket) {
  // #region iterate
  const lobby = await socket.join('lobby')
  for await (const { data } of lobby) {
    console.log(data)
    break
  }
  // #endregion
}

export function typed(url: string, auth: Session) {
  // #region typed
  interface Chat {
    rooms: {
      [room: `chat:${string}`]: {
        send: { text: string }
        message: { text: string; at: number }
      }
    }
    requests: {
      'order.place': { request: { item: number }; response: { placed: boolean } }
    }
  }

  const socket = new AuthedSocket<Chat>({
    url,
    auth,
    transmission: viaSubprotocol(),
    protocol: multiplexed(),
  })
  // #endregion
  return socket
}

export function swapping(session: Session<unknown>) {
  // #region swap
  const socket = new AuthedSocket({
    url: '/ws/rooms',
    auth: session,
    transmission: viaSubprotocol(),
    protocol: multiplexed(),
    renewal: swap(),
  })
  // #endregion
  return socket
}

export async function request(socket: ReturnType<typeof typed>) {
  // #region request
  const { placed } = await socket.request('order.place', { item: 12 }, { timeoutMs: 5_000 })
  // #endregion
  return placed
}

// #region status-words
export function inWords(status: Status): string {
  switch (status.state) {
    case 'idle':
      return 'Not connected.'
    case 'authenticating':
    case 'connecting':
      return status.everConnected ? 'Connecting again…' : 'Connecting…'
    case 'connected':
      return 'Connected.'
    case 'waiting':
      return `Trying again at ${new Date(status.retryAt).toLocaleTimeString()}.`
    case 'failed':
      return status.action === 'sign-in' ? 'Please sign in.' : `Stopped: ${status.error.message}`
  }
}
// #endregion

export function events(socket: AuthedSocket, showSignIn: () => void) {
  // #region events
  const page = new AbortController()
  const { signal } = page
  socket.on('statechange', ({ status }) => console.log(inWords(status)), { signal })
  socket.on('signinrequired', showSignIn, { signal })
  socket.on('error', (error) => console.warn(error), { signal })
  // Later, all three at once:
  page.abort()
  // #endregion
}

export function explained(url: string, auth: Session): AuthedSocket {
  // #region explain
  const socket = new AuthedSocket({
    url,
    auth,
    transmission: viaSubprotocol(),
    protocol: plain(),
    diary: diary(),
  })
  socket.on('statechange', ({ status }) => {
    if (status.state === 'failed') console.warn(socket.explain().join('\n'))
  })
  // #endregion
  return socket
}

export function isRefusedOf(origin: string) {
  // #region is-refused
  const session = simpleJwt({
    obtain: `${origin}/login`,
    refresh: `${origin}/refresh`,
    isRefused: ({ status }) => (status === 410 ? true : undefined),
  })
  // #endregion
  return session
}

export function wrappedAnswers(origin: string) {
  // #region wrapped-answers
  const directus = simpleJwt({
    obtain: `${origin}/auth/login`,
    refresh: `${origin}/auth/refresh`,
    fields: { username: 'email', access: 'data.access_token', refresh: 'data.refresh_token' },
  })
  const flask = simpleJwt({
    obtain: `${origin}/login`,
    refresh: `${origin}/refresh`,
    fields: { access: 'access_token', refresh: 'refresh_token' },
    refreshAs: 'header',
  })
  // #endregion
  return { directus, flask }
}

export async function loginErrors(session: Session<PasswordCredentials>) {
  // #region login-errors
  try {
    await session.login({ username: 'alice', password: 'correct-horse' })
  } catch (error) {
    if (error instanceof TokenRefusedError) {
      if (error.serverCode === 'mfa_required') console.log('your second factor, please')
      else if (error.detail === 'LOGIN_USER_NOT_VERIFIED') console.log('look into your mail')
      else console.log('wrong name or password')
    } else if (error instanceof TokenUnavailableError) {
      console.log('try again later', error.status)
    } else throw error
  }
  // #endregion
}

export async function errors(socket: AuthedSocket) {
  // #region errors
  try {
    await socket.join('forbidden')
  } catch (error) {
    if (!isAuthedSocketError(error)) throw error
    switch (error.code) {
      case 'ROOM':
        console.log(`not allowed in ${error.room}: ${error.serverCode}`)
        break
      case 'TOKEN_REFUSED':
      case 'CREDENTIAL_REJECTED':
        console.log('sign in again')
        break
      default:
        throw error
    }
  }
  // #endregion
}

export function policies(url: string, auth: Session) {
  // #region policies
  const socket = new AuthedSocket({
    url,
    auth,
    transmission: viaSubprotocol(),
    protocol: roomPerSocket(),
    closePolicy: { 4001: 'sign-in', 4290: { retryAfterMs: 30_000 }, '4500-4599': 'retry' },
    statusPolicy: { 403: 'refuse-room' },
  })
  // #endregion
  return socket
}

export function verdictInAFrame(url: string, auth: Session) {
  // #region verdict
  const socket = new AuthedSocket({
    url,
    auth,
    transmission: viaSubprotocol(),
    protocol: plain({
      verdict: (frame) =>
        typeof frame === 'object' && frame !== null && 'error' in frame && frame.error === 'expired'
          ? 'reauthenticate'
          : undefined,
    }),
  })
  // #endregion
  return socket
}

export function probed(url: string, auth: Session) {
  // #region probe
  const socket = new AuthedSocket({
    url,
    auth,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: roomPerSocket(),
    probe: '/whoami',
  })
  // #endregion
  return socket
}

export function withKeepalive(url: string, auth: () => string) {
  // #region keepalive
  const heartbeat = { frame: { type: 'ping' }, everyMs: 25_000 }
  const socket = new AuthedSocket({
    url,
    auth,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: roomPerSocket({ envelope: { heartbeat } }),
  })
  // #endregion
  return socket
}

export async function inATest(url: string, token: string) {
  // #region testing
  await using socket = new AuthedSocket({
    url,
    auth: () => token,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: roomPerSocket(),
    retry: { scale: 0.01 },
    settleMs: 50,
  })
  const lobby = await socket.join('lobby')
  const first = await lobby[Symbol.asyncIterator]().next()
  // #endregion
  return first.value
}
