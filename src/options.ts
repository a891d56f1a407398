/** The options of an `AuthedSocket`: what they mean, their defaults, and their checks. */
import {
  check,
  duration,
  either,
  flag,
  func,
  hasMethods,
  isObject,
  numberFrom,
  object,
  own,
  type Rule,
  text,
  url,
} from './core/check.ts'
import type { Diary, Pen } from './core/diary.ts'
import type { LinkMachine, Swap } from './core/link-state.ts'
import { type ClosePolicy, isPolicyEntry, type StatusPolicy } from './core/policy.ts'
import type { Protocol } from './protocols/protocol.ts'
import type { Claims } from './sessions/claims.ts'
import { type AuthFunction, functionSource } from './sessions/function-source.ts'
import { CredentialHolder } from './sessions/holder.ts'
import { type Exchange, exchangeOf, holderOf } from './sessions/registry.ts'
import { isSession, type Session } from './sessions/session.ts'
import { usable } from './shell/header-rules.ts'
import type { WebSocketConstructor } from './shell/websocket.ts'
import type { Transmission } from './transmissions/transmission.ts'

/** What a URL function is told. */
export interface UrlContext {
  /** The room of this socket, where each room has one. */
  readonly room?: string
  /** What the room was joined with. */
  readonly params?: unknown
  /** Dials of this socket so far. */
  readonly attempt: number
}

/** What an authenticated probe found. */
export type ProbeResult = 'accepted' | 'refused' | 'unreachable'

/** Receives lines without secrets. The console fits. `warn` is for what needs a change of the code. */
export interface Logger {
  debug(message: string): void
  warn(message: string): void
}

export interface AuthedSocketOptions {
  /**
   * Where the socket is: a string or `URL`, relative ones to the page, `http:` read as `ws:`. `{room}`
   * stands for the percent-encoded name of a room. A function is called for each dial.
   */
  readonly url: string | URL | ((context: UrlContext) => string | URL)
  /** Where tokens come from: a function, or a session that any number of sockets share. */
  readonly auth: AuthFunction | Session<never> | Session<unknown>
  /** How the token travels. Required, except with a session that sends a cookie. Nothing is ever sent another way. */
  readonly transmission?: Transmission
  /** How the server speaks: `plain()`, `roomPerSocket()`, `multiplexed()`, or your own. */
  readonly protocol: Protocol
  /** Does this error of your `auth` function mean no for good? Default: `TokenRefusedError` does. */
  readonly isRefused?: (error: unknown) => boolean
  /**
   * Whose token it is: a name by itself. Default `iss`, `sub` and `user_id`, as far as the token has them. Frames and
   * rooms of one person never reach another. Called for each token that comes, with no claims where it has none that
   * can be read; `undefined` where it cannot tell.
   */
  readonly identify?: (claims: Claims) => string | undefined
  /** Origins besides that of the first URL to which a token may travel. Default none. */
  readonly origins?: readonly string[]
  /** Allows `ws:` to hosts that are not loopback: the token travels in the clear. Default `false`. */
  readonly allowInsecure?: boolean
  /** Default: the global one; in Node the package `ws` where it is installed, before Node's own. */
  readonly WebSocket?: WebSocketConstructor
  /**
   * Node, React Native: passed to the constructor. `ws` takes `origin`, `headers`, `agent`, `ca`, …; undici and Node's own take
   * `headers` and `dispatcher`, which keeps Node's own. All understand an Origin as `{ headers: { Origin } }`.
   * Browsers and Workers ignore that one, with a warning; all else is a `TypeError` there.
   */
  readonly webSocketOptions?: object
  /** For probes. Default: the global one. */
  readonly fetch?: typeof globalThis.fetch
  /** What close codes mean, before the defaults of docs/policy.md: `{ 4001: 'sign-in', '4400-4499': 'stop' }`. */
  readonly closePolicy?: ClosePolicy
  /** What HTTP statuses of a refused handshake mean, where the runtime shows them. */
  readonly statusPolicy?: StatusPolicy
  readonly retry?: {
    /** Scales the backoff, the wait of the confirming dial and the clearing time. 0.001 to 100; default 1. */
    readonly scale?: number
  }
  /**
   * Open for so long, a connection counts as accepted by the server, also without a word of it, and the backoff is
   * forgotten, in ms. Default 5,000.
   */
  readonly settleMs?: number
  /** A dial that is not accepted by then has failed, in ms. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** A token request that has no answer by then has failed, in ms. Default 10,000. */
  readonly tokenTimeoutMs?: number
  /** An answer to a send, join or request must come by then, in ms. Default 10,000. */
  readonly requestTimeoutMs?: number
  /**
   * `in-band`: where the server takes a younger token on the live socket, one is got ahead of the old one's
   * end. `on-close`: the token is replaced before the next dial. `swap()`: a younger one is got ahead of the
   * end and dials a second socket, which takes the rooms over before the first one is closed; for
   * `multiplexed()`. Costs a handshake and a join of all rooms for each token. Default `in-band`.
   */
  readonly renewal?: 'in-band' | 'on-close' | Swap
  /** Leaves the socket when its token expires, instead of keeping it until the server closes. Default `false`. */
  readonly closeAtExpiry?: boolean
  /**
   * Tells a refused token from a dead server where a browser cannot: a URL that answers 2xx or 401 to the
   * token, or a function. Other answers are warned of once, and mean that the host answers. Asked once in 30 s (times
   * `retry.scale`) for a session, and anew after a no. Default: only whether the host answers, without the token.
   */
  readonly probe?: string | URL | ((context: { signal: AbortSignal }) => Promise<ProbeResult>)
  /**
   * Past it sends are rejected with `OutboxFullError`. `bytes` bounds the queue and what the socket has buffered: default
   * 1 MiB; with nothing buffered one frame may be larger. `count` bounds the queue: default 1,000; 0 queues nothing.
   */
  readonly outbox?: { readonly count?: number; readonly bytes?: number }
  /** Default: warnings go to the console, the rest nowhere. */
  readonly logger?: Logger
  /** `diary()`, for `socket.explain()`. Default none: nothing is written down. */
  readonly diary?: Diary
}

type Defaults = 'settleMs' | 'connectTimeoutMs' | 'tokenTimeoutMs' | 'requestTimeoutMs'

/** Checked, with defaults. */
export type Resolved = Omit<AuthedSocketOptions, 'diary'> &
  Required<Pick<AuthedSocketOptions, Defaults>> & {
    readonly holder: CredentialHolder
    /** Instead of the credential a ticket travels, another one for each dial. */
    readonly exchange?: Exchange | undefined
    readonly scale: number
    readonly diary?: Pen | undefined
    readonly outbox: { readonly count: number; readonly bytes: number }
    readonly logger: Logger
    /** Default: the one without a swap. */
    readonly machine?: LinkMachine
    /**
     * The origin of the first URL, once known: the token goes nowhere else unasked. And whose sockets these
     * are, as the server's welcome says: a cookie may change hands in another tab. `warned`: what was said.
     */
    readonly pin: {
      origin?: string
      user?: { readonly login: number; readonly welcome: string }
      readonly warned: Set<string>
    }
  }

/** A warning that nobody hears warns nobody; it comes at most once for a socket, and holds no token. */
// biome-ignore lint/suspicious/noConsole: where no logger is given, a warning has nowhere else to go.
const QUIET: Logger = { debug: () => {}, warn: (message) => console.warn(message) }

const policy: Rule = [
  (value) => isObject(value) && Object.entries(value).every(isPolicyEntry),
  "an object of verdicts by code ('4003') or range ('4400-4499')",
]

const isOrigins = (value: unknown): boolean =>
  Array.isArray(value) && value.every((origin) => typeof origin === 'string' && isOrigin(origin))

const isOrigin = (origin: string): boolean => {
  try {
    const { protocol, host } = new URL(origin)
    return host !== '' && ['ws:', 'wss:', 'http:', 'https:'].includes(protocol)
  } catch {
    return false
  }
}

/** Made when used: what runs at import cannot be shaken away. */
const rules = (): Readonly<Record<string, Rule>> => ({
  url: either(url, func),
  auth: [(value) => typeof value === 'function' || isSession(value), 'a function or a session'],
  transmission: [(value) => hasMethods(value, 'carry'), 'a transmission, such as viaQuery()'],
  protocol: [(value) => hasMethods(value, 'codec'), 'a protocol, such as plain()'],
  isRefused: func,
  identify: func,
  origins: [isOrigins, "an array of origins, such as 'https://chat.example.com'"],
  allowInsecure: flag,
  WebSocket: func,
  webSocketOptions: object,
  fetch: func,
  closePolicy: either(policy, func),
  statusPolicy: either(policy, func),
  retry: object,
  settleMs: duration,
  connectTimeoutMs: duration,
  tokenTimeoutMs: duration,
  requestTimeoutMs: duration,
  closeAtExpiry: flag,
  renewal: [
    (value) => value === 'in-band' || value === 'on-close' || hasMethods(value, 'make'),
    "'in-band', 'on-close' or swap()",
  ],
  probe: either(url, func),
  outbox: object,
  logger: [(value) => hasMethods(value, 'debug', 'warn'), 'an object with debug() and warn()'],
  diary: [(value) => hasMethods(value, 'link'), 'diary()'],
})

/**
 * @throws {TypeError} for a wrong or missing option; it is named
 * @throws {RangeError} for a number out of range
 */
export const resolveOptions = (given: AuthedSocketOptions): Resolved => {
  const options = own(given)
  check('AuthedSocket', given, rules(), ['url', 'auth', 'protocol'])
  check('protocol.rooms', options.protocol.rooms, { kind: text, make: func, judge: func }, ['make'])
  if (options.retry) check('retry', options.retry, { scale: numberFrom(0.001, 100) })
  const size = numberFrom(0, Number.MAX_SAFE_INTEGER)
  if (options.outbox) check('outbox', options.outbox, { count: size, bytes: size })
  const { webSocketOptions, logger = QUIET, ...rest } = options
  const { auth, transmission, tokenTimeoutMs = 10_000 } = rest
  const scale = options.retry?.scale ?? 1
  // Whatever is no session is a function: `check` has seen to that.
  const holder = isSession(auth)
    ? holderOf(auth)
    : new CredentialHolder(functionSource(auth as AuthFunction, options.isRefused))
  const exchange = exchangeOf(auth)
  const sendsCookie = holder.sendsCookie && exchange === undefined
  if (sendsCookie === (transmission !== undefined))
    throw new TypeError(
      sendsCookie
        ? 'AuthedSocket: leave transmission out: the session sends a cookie'
        : 'AuthedSocket: transmission is missing: how does your server read the token? viaQuery(), viaSubprotocol(), …',
    )
  const forWs = usable(transmission, webSocketOptions, logger)
  holder.configure({ tokenTimeoutMs, scale, logger, identify: options.identify })
  return own({
    ...rest,
    ...(forWs && { webSocketOptions: forWs }),
    holder,
    exchange,
    scale,
    tokenTimeoutMs,
    settleMs: options.settleMs ?? 5_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    outbox: { count: options.outbox?.count ?? 1_000, bytes: options.outbox?.bytes ?? 2 ** 20 },
    logger,
    // `check` has seen that it is one of this package's.
    diary: options.diary as Pen | undefined,
    pin: { warned: new Set() },
  })
}
