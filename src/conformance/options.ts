/** What a run of the kit is told, with defaults and checks. */
import {
  check,
  flag,
  func,
  hasMethods,
  isObject,
  numberFrom,
  object,
  type Rule,
  text,
  url as urlRule,
  words,
} from '../core/check.ts'
import { checkUrl } from '../links/handshake.ts'
import { findNodeWebSocket, type WebSocketConstructor } from '../shell/websocket.ts'
import type { Transmission } from '../transmissions/transmission.ts'
import { viaSubprotocol } from '../transmissions/via-subprotocol.ts'
import { FEATURES, type Feature } from './frames.ts'

/** Asked before each dial that needs the token, so that it may be fresh; never printed. */
export type TokenFunction = () => string | Promise<string>

export interface ConformanceTokens {
  /** A good token. */
  readonly a: TokenFunction
  /** A good token of **another** user. Without it, what two users are needed for is not checked. */
  readonly b?: TokenFunction
  /** A token of the first user that has expired. */
  readonly expired?: TokenFunction
  /** A token of the first user that ends within a minute, made anew at each call: is the connection ended with it? */
  readonly short?: TokenFunction
}

export interface ConformanceOptions {
  /** The rooms endpoint: `ws:`, `wss:`, `http:` or `https:`. Its query is kept. */
  readonly url: string | URL
  readonly tokens: ConformanceTokens
  /**
   * How the token travels: a transmission of the SDK, `viaFirstMessage('rooms')` for an `auth` frame. Default
   * `viaSubprotocol()`, on the wire `authed-rooms.v1, token, <token>`.
   */
  readonly transmission?: Transmission
  readonly rooms?: {
    /** Names of rooms begin so; both users must be allowed in. Default `'conformance-'`. */
    readonly prefix?: string
    /** A room that the first user may not join. Without it refused joins are not checked. */
    readonly forbidden?: string
  }
  /** A method of `call` that answers with the data it was given. Without it `reply` is not checked. */
  readonly echoMethod?: string
  /** Features that the server is meant to have: one that is missing in its welcome is then a failure. Default none. */
  readonly expect?: readonly Feature[]
  /** How long one answer may take, in ms, 50 to 60,000. Default 5,000. */
  readonly timeoutMs?: number
  /** How long to listen before it is said that nothing came, in ms, 10 to 10,000. Default 200; more on slow networks. */
  readonly quietMs?: number
  /** `limits.rooms` is tried when it is at most so many. Default 2,000; costs one join for each. */
  readonly roomsUpTo?: number
  /** Checks, or sections, to run: `['send', 'join.again']`. Default all. */
  readonly only?: readonly string[]
  /** Default: `ws` where it is installed, else the global one, which can check a little less. */
  readonly WebSocket?: WebSocketConstructor
  /** Node: passed to the constructor: `{ headers: { Origin } }`, a CA. */
  readonly webSocketOptions?: object
  /** Allows `ws:` to hosts that are not loopback: the tokens travel in the clear. Default `false`. */
  readonly allowInsecure?: boolean
}

/** Checked, with defaults. */
export interface Resolved {
  readonly url: URL
  readonly tokens: ConformanceTokens
  readonly transmission: Transmission
  readonly prefix: string
  readonly forbidden: string | undefined
  readonly echoMethod: string | undefined
  readonly expect: readonly Feature[]
  readonly timeoutMs: number
  readonly quietMs: number
  readonly roomsUpTo: number
  readonly only: readonly string[] | undefined
  readonly WebSocket: WebSocketConstructor
  readonly webSocketOptions: object
}

const listOf = ([isRight, wanted]: Rule): Rule => [
  (value) => Array.isArray(value) && value.every(isRight),
  `a list, each ${wanted}`,
]

const rules = (): Readonly<Record<string, Rule>> => ({
  url: urlRule,
  tokens: object,
  transmission: [(value) => hasMethods(value, 'carry'), 'a transmission, such as viaQuery()'],
  rooms: object,
  echoMethod: text,
  expect: listOf(words(...FEATURES)),
  timeoutMs: numberFrom(50, 60_000),
  quietMs: numberFrom(10, 10_000),
  roomsUpTo: numberFrom(0, 1_000_000),
  only: listOf(text),
  WebSocket: func,
  webSocketOptions: object,
  allowInsecure: flag,
})

/**
 * @throws {TypeError} for a wrong or missing option; it is named
 * @throws {RangeError} for a number out of range
 * @throws {InsecureUrlError} INSECURE_URL: `ws:` to a host that is not loopback
 */
export async function resolveOptions(options: ConformanceOptions): Promise<Resolved> {
  check('checkConformance', options, rules(), ['url', 'tokens'])
  const tokenRules = { a: func, b: func, expired: func, short: func }
  check('checkConformance: tokens', options.tokens, tokenRules, ['a'])
  if (isObject(options.rooms))
    check('checkConformance: rooms', options.rooms, { prefix: text, forbidden: text })
  return {
    url: checkUrl(String(options.url), { allowInsecure: options.allowInsecure ?? false }),
    tokens: options.tokens,
    transmission: options.transmission ?? viaSubprotocol(),
    prefix: options.rooms?.prefix ?? 'conformance-',
    forbidden: options.rooms?.forbidden,
    echoMethod: options.echoMethod,
    expect: options.expect ?? [],
    timeoutMs: options.timeoutMs ?? 5_000,
    quietMs: options.quietMs ?? 200,
    roomsUpTo: options.roomsUpTo ?? 2_000,
    only: options.only,
    WebSocket: options.WebSocket ?? (await findNodeWebSocket()),
    webSocketOptions: options.webSocketOptions ?? {},
  }
}
