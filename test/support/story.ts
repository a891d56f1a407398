/**
 * Stories of time: the whole SDK on mock-socket, with a server, a token source and a clock that the test
 * scripts. mock-socket is here for time alone: its handshakes and close codes before the open are not real.
 */
import { WebSocket as MockSocket, Server } from 'mock-socket'
import { afterEach, beforeEach, vi } from 'vitest'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  type AuthFunction,
  type PasswordCredentials,
  plain,
  type Session,
  simpleJwt,
  type TokenAsk,
  TokenRefusedError,
  viaQuery,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { LOOK_EVERY_MS } from '../../src/shell/dialer.ts'
import { seeded } from './seeded.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const YEAR = 365 * DAY

/** Taken before anything is faked. */
const realTurn = setImmediate
/** Everything that is ready runs: promises, and what they start. */
export const turn = (): Promise<void> => new Promise((resolve) => realTurn(resolve))

/** A `setTimeout` longer than this fires at once. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Virtual time goes by. Does what `advanceTimersByTimeAsync` does, but that takes a real millisecond for
 * every timer, and these stories have a hundred thousand.
 */
export const pass = async (ms: number): Promise<void> => {
  for (let left = ms; left > 0; left -= LONGEST_MS) {
    let over = false
    setTimeout(
      () => {
        over = true
      },
      Math.min(left, LONGEST_MS),
    )
    await turn()
    for (let fired = 0; !over; fired++) {
      // One timer in ten milliseconds is a lot; more is a loop that would eat the memory.
      if (fired > 10_000 + left / 10) throw new Error('timers without end')
      vi.advanceTimersToNextTimer()
      await turn()
    }
  }
}

/** Time goes by until it is so, in small steps. */
export const until = async (isSo: () => boolean, withinMs: number, stepMs = 10): Promise<void> => {
  const end = Date.now() + withinMs
  while (!isSo()) {
    if (Date.now() >= end) throw new Error(`it was not so within ${withinMs} ms`)
    await pass(stepMs)
  }
}

/** The laptop sleeps: the clock goes on, and no timer fires. */
export const sleep = (ms: number): void => {
  vi.setSystemTime(Date.now() + ms)
}

/** From here on the delays are those of this seed. */
export const seed = (number: number): void => {
  vi.spyOn(Math, 'random').mockImplementation(seeded(number))
}

const cleanups: Array<() => void> = []
/** Runs after the test, before the clock is real again. */
export const afterStory = (cleanup: () => void): void => {
  cleanups.push(cleanup)
}

/**
 * mock-socket tells each end at once, and these stories last for years: a look at every open socket in every second
 * of them would find nothing, thirty million times. What it is there for is tested on real sockets.
 */
const lookAtNothing = (): void => {
  const { setInterval } = globalThis
  vi.spyOn(globalThis, 'setInterval').mockImplementation(
    // Only what it is called with matters.
    ((callback: () => void, ms?: number) =>
      ms === LOOK_EVERY_MS ? undefined : setInterval(callback, ms)) as typeof setInterval,
  )
}

/** Call it once in each file: its tests then run on a virtual clock, with delays that repeat. */
export const tellStories = (): void => {
  beforeEach(() => {
    // Not on a full second: tokens are dated in seconds, as servers date them.
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 23, 8, 0, 0, 637) })
    seed(1)
    lookAtNothing()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) cleanup()
    vi.clearAllTimers()
    vi.useRealTimers()
    await turn()
  })
}

/** What a token is, and for how long the server takes it. */
export interface TokenPlan {
  readonly form: 'jwt' | 'opaque' | 'opaque with expiry'
  readonly lifetimeMs: number
  readonly user?: string
}

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

export interface Dialed {
  /** From 1. */
  readonly number: number
  /** Epoch ms, as the client counts. */
  readonly at: number
  readonly token: string
  readonly room: string
}

export interface Dial extends Dialed {
  readonly reception: Reception
  openedAt?: number
  endedAt?: number
}

/** What the server does with one dial. */
export type Reception =
  /** Closed before it opens: no code, no reason. */
  | { readonly kind: 'refuse' }
  /** Opens. Closes after so long, or when the token expires, with the code. */
  | {
      readonly kind: 'accept'
      readonly closeAfterMs?: number
      readonly closeAtExpiry?: boolean
      readonly code?: number
      readonly greeting?: string
    }

export const REFUSE: Reception = { kind: 'refuse' }
export const ACCEPT: Reception = { kind: 'accept' }
export const acceptFor = (closeAfterMs: number, code: number): Reception => ({
  kind: 'accept',
  closeAfterMs,
  code,
})
export const UNTIL_EXPIRY: Reception = { kind: 'accept', closeAtExpiry: true, code: 4003 }

interface Accepted {
  close(code: number, reason: string): void
  say(data: string): void
}

const isText = (value: unknown): value is string => typeof value === 'string'

let ports = 10_000

/** A server: its sockets, its token endpoint, and whether its host answers a probe. */
export class StoryServer {
  readonly origin = `http://localhost:${ports++}`
  /** With a `{room}`, for protocols that have one; it is ignored by the others. */
  readonly url = `${this.origin.replace('http', 'ws')}/ws/?room={room}`
  readonly dials: Dial[] = []
  readonly received: { readonly data: string; readonly dial: Dial }[] = []
  readonly tokenRequests: { readonly at: number; readonly path: string }[] = []
  readonly WebSocket: WebSocketConstructor
  /** What happens to a dial. */
  receive: (dial: Dialed) => Reception = () => ACCEPT
  /** What a probe finds. */
  host: 'answers' | 'gone' = 'answers'
  probes = 0
  /** What the token endpoint does. A number: it answers after so many ms. */
  tokens: 'down' | 'refuses' | number = 20
  /** The client's clock is ahead by so much. */
  skewMs = 0
  readonly #plan: TokenPlan
  readonly #expiries = new Map<string, number>()
  readonly #dialOf = new WeakMap<object, Dial>()
  readonly #open = new Map<Dial, Accepted>()
  readonly #closings = new Map<Dial, ReturnType<typeof setTimeout>>()
  #minted = 0

  constructor(plan: TokenPlan) {
    this.#plan = plan
    this.WebSocket = this.#countingSocket()
    const server = new Server(`${this.origin.replace('http', 'ws')}/ws/`, { mock: false })
    server.on('connection', (client) => {
      const dial = this.#dialOf.get(client.target)
      if (dial)
        this.#accept(dial, {
          close: (code, reason) => client.close({ code, reason, wasClean: code !== 1006 }),
          say: (data) => client.send(data),
        })
      client.on('message', (data) => {
        if (dial && isText(data)) this.received.push({ data, dial })
      })
    })
    afterStory(() => server.stop())
  }

  /** The server's clock, epoch ms. */
  get now(): number {
    return Date.now() - this.skewMs
  }

  get openSockets(): number {
    return this.#open.size
  }

  /** Tokens are dated in whole seconds of the server's clock, as servers do. */
  mint(user = this.#plan.user ?? 'ann'): string {
    const { form, lifetimeMs } = this.#plan
    const jti = ++this.#minted
    const iat = Math.floor(this.now / 1_000)
    const exp = iat + Math.floor(lifetimeMs / 1_000)
    const isJwt = form === 'jwt'
    const token = isJwt
      ? `${base64url({ alg: 'none' })}.${base64url({ sub: user, iat, exp, jti })}.x`
      : `opaque-${user}-${jti}`
    this.#expiries.set(token, isJwt ? exp * 1_000 : this.now + lifetimeMs)
    return token
  }

  /** How long the server still takes it, in ms. */
  lifeLeft(token: string): number {
    return (this.#expiries.get(token) ?? 0) - this.now
  }

  /** Everybody is sent away. */
  closeAll(code: number, reason = ''): void {
    for (const dial of [...this.#open.keys()]) this.#close(dial, code, reason)
  }

  say(data: string): void {
    for (const socket of [...this.#open.values()]) socket.say(data)
  }

  /** For the option `fetch`, of the socket and of a session. */
  readonly fetch: typeof globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    return init?.method === 'HEAD' ? this.#probe() : this.#token(url.pathname, String(init?.body))
  }

  #probe(): Promise<Response> {
    this.probes++
    return this.host === 'answers'
      ? Promise.resolve(new Response(null, { status: 502 }))
      : Promise.reject(new TypeError('Failed to fetch'))
  }

  async #token(path: string, body: string): Promise<Response> {
    this.tokenRequests.push({ at: Date.now(), path })
    const behaviour = this.tokens
    await after(isText(behaviour) ? 20 : behaviour)
    if (behaviour === 'down') throw new TypeError('Failed to fetch')
    if (behaviour === 'refuses') return Response.json({ detail: 'no' }, { status: 401 })
    const { username, refresh } = JSON.parse(body) as { username?: string; refresh?: string }
    const user = username ?? refresh?.split(' ')[0] ?? 'nobody'
    return Response.json({
      access: this.mint(user),
      refresh: `${user} ${this.#minted}`,
      ...(this.#plan.form === 'opaque with expiry' && {
        expires_in: this.#plan.lifetimeMs / 1_000,
      }),
    })
  }

  #accept(dial: Dial, socket: Accepted): void {
    if (dial.reception.kind === 'refuse') return
    dial.openedAt = Date.now()
    this.#open.set(dial, socket)
    const { closeAfterMs, closeAtExpiry, code = 1000, greeting } = dial.reception
    if (greeting !== undefined) socket.say(greeting)
    const ms = closeAtExpiry ? Math.max(0, this.lifeLeft(dial.token)) : closeAfterMs
    if (ms === undefined) return
    const timer = setTimeout(() => this.#close(dial, code, ''), ms)
    this.#closings.set(dial, timer)
  }

  #close(dial: Dial, code: number, reason: string): void {
    const socket = this.#open.get(dial)
    this.#ended(dial)
    socket?.close(code, reason)
  }

  #ended(dial: Dial): void {
    dial.endedAt ??= Date.now()
    clearTimeout(this.#closings.get(dial))
    this.#closings.delete(dial)
    this.#open.delete(dial)
  }

  #dialed(url: string): Dial {
    const { searchParams } = new URL(url)
    const dialed = {
      number: this.dials.length + 1,
      at: Date.now(),
      token: searchParams.get('token') ?? '',
      room: searchParams.get('room') ?? '',
    }
    const dial: Dial = { ...dialed, reception: this.receive(dialed) }
    this.dials.push(dial)
    return dial
  }

  /** mock-socket's WebSocket, which counts; where the server refuses, it finds nobody. */
  #countingSocket(): WebSocketConstructor {
    const dialed = (url: string) => this.#dialed(url)
    const made = (socket: MockSocket, dial: Dial) => {
      this.#dialOf.set(socket, dial)
      socket.addEventListener('close', () => this.#ended(dial))
    }
    const Counting = class extends MockSocket {
      constructor(url: string, protocols?: string[]) {
        const dial = dialed(url)
        super(dial.reception.kind === 'refuse' ? 'ws://localhost/nobody' : url, protocols)
        made(this, dial)
      }
    }
    // Its types want events of the DOM, where ours promises to take any.
    return Counting as unknown as WebSocketConstructor
  }
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** An auth library: keeps its token while it lives, and asks the server for another when it must. */
export class StoryAuth {
  readonly calls: { readonly at: number; readonly reason: string; readonly fresh: boolean }[] = []
  behaviour: 'up' | 'down' | 'hangs' | 'refuses' | 'signed out' = 'up'
  latencyMs = 20
  readonly #server: StoryServer
  readonly #plan: TokenPlan
  #token: string | undefined

  constructor(server: StoryServer, plan: TokenPlan) {
    this.#server = server
    this.#plan = plan
  }

  /** Calls that wanted a fresh token: what a token endpoint would see. */
  get refreshes(): number {
    return this.calls.filter(({ fresh }) => fresh).length
  }

  readonly auth: AuthFunction = async ({ reason, fresh }: TokenAsk) => {
    this.calls.push({ at: Date.now(), reason, fresh })
    await after(this.latencyMs)
    if (this.behaviour === 'hangs') await new Promise(() => {})
    if (this.behaviour === 'down') throw new Error('503')
    if (this.behaviour === 'refuses') throw new TokenRefusedError()
    if (this.behaviour === 'signed out') return null
    if (fresh || this.#token === undefined || this.#server.lifeLeft(this.#token) <= 0)
      this.#token = this.#server.mint()
    return this.#plan.form === 'opaque with expiry'
      ? { token: this.#token, expiresInMs: this.#server.lifeLeft(this.#token) }
      : this.#token
  }
}

export interface Story {
  readonly server: StoryServer
  readonly auth: StoryAuth
  readonly socket: AuthedSocket
}

type Options = Partial<AuthedSocketOptions>

const PLAN: TokenPlan = { form: 'jwt', lifetimeMs: HOUR }

const socketOf = (server: StoryServer, options: Options & Pick<AuthedSocketOptions, 'auth'>) => {
  const socket = new AuthedSocket({
    url: server.url,
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    WebSocket: server.WebSocket,
    fetch: server.fetch,
    ...options,
  })
  afterStory(() => void socket.disconnect())
  return socket
}

/** A server, a function that gets tokens from it, and a socket. */
export const storyOf = (plan: Partial<TokenPlan> = {}, options: Options = {}): Story => {
  const whole = { ...PLAN, ...plan }
  const server = new StoryServer(whole)
  const auth = new StoryAuth(server, whole)
  return { server, auth, socket: socketOf(server, { auth: auth.auth, ...options }) }
}

export interface SessionStory {
  readonly server: StoryServer
  readonly session: Session<PasswordCredentials>
  readonly socket: AuthedSocket
  /** Signs in; the server issues its tokens to this user. */
  readonly login: (username?: string) => Promise<void>
  readonly refreshes: () => number
  /** Another socket of the same session. */
  readonly another: (options?: Options) => AuthedSocket
}

/** The same with a session whose refresh token rotates. */
export const sessionStoryOf = (
  plan: Partial<TokenPlan> = {},
  options: Options = {},
): SessionStory => {
  const server = new StoryServer({ ...PLAN, ...plan })
  const session = simpleJwt({
    obtain: `${server.origin}/obtain`,
    refresh: `${server.origin}/refresh`,
    fetch: server.fetch,
    fields: { expiresIn: 'expires_in' },
  })
  const another = (more: Options = {}) => socketOf(server, { auth: session, ...options, ...more })
  return {
    server,
    session,
    socket: another(),
    login: async (username = 'ann') => {
      const done = session.login({ username, password: 'secret' })
      await pass(100)
      await done
    },
    refreshes: () => server.tokenRequests.filter(({ path }) => path === '/refresh').length,
    another,
  }
}

/** Everything that a socket says from now on. */
export interface Recording {
  readonly states: string[]
  readonly events: string[]
  /** The states that lasted, in one line: those that came and went in one instant nobody can see. */
  readonly seen: () => string
}

export const record = (socket: AuthedSocket): Recording => {
  const since = [Number.NEGATIVE_INFINITY]
  const seen = () =>
    recording.states
      .filter((_, i) => since[i] !== since[i + 1])
      .filter((state, i, states) => state !== states[i - 1])
      .join(' ')
  const recording: Recording = { states: [socket.state], events: [], seen }
  const note = (event: string) => () => recording.events.push(event)
  socket.on('statechange', ({ status }) => {
    recording.states.push(status.state)
    since.push(Date.now())
  })
  socket.on('connected', ({ reconnected }) =>
    recording.events.push(reconnected ? 'reconnected' : 'connected'),
  )
  socket.on('disconnected', ({ willRetry, code }) =>
    recording.events.push(`disconnected ${code}${willRetry ? '' : ' for good'}`),
  )
  socket.on('signinrequired', note('signinrequired'))
  socket.on('gap', note('gap'))
  return recording
}

/** A page: tells that the network is back, or that somebody looks. Before the socket connects. */
export const openPage = (): {
  online(): void
  becomes(visibilityState: 'visible' | 'hidden'): void
  shows(): void
  hides(): void
  /** One after the other. */
  goes(...news: ('online' | 'offline' | 'visible' | 'hidden' | 'pageshow')[]): void
} => {
  const window = new EventTarget()
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible', cookie: '' })
  vi.stubGlobal('document', page)
  vi.stubGlobal('addEventListener', window.addEventListener.bind(window))
  const becomes = (visibilityState: 'visible' | 'hidden') => {
    page.visibilityState = visibilityState
    page.dispatchEvent(new Event('visibilitychange'))
  }
  return {
    online: () => window.dispatchEvent(new Event('online')),
    becomes,
    goes: (...news) => {
      for (const each of news)
        if (each === 'visible' || each === 'hidden') becomes(each)
        else window.dispatchEvent(new Event(each))
    },
    shows: () => window.dispatchEvent(new Event('pageshow')),
    hides: () => window.dispatchEvent(new Event('pagehide')),
  }
}

/** Timers that somebody still waits for, once mock-socket has closed what was open. */
export const timersLeft = async (): Promise<number> => {
  await pass(10)
  return vi.getTimerCount()
}

/** What is in the outcome of a promise, without waiting for it. */
export const outcomeOf = (promise: Promise<unknown>): { is: string } => {
  const outcome = { is: 'open' }
  promise.then(
    () => {
      outcome.is = 'done'
    },
    (error: unknown) => {
      outcome.is = error instanceof Error ? error.name : String(error)
    },
  )
  return outcome
}
