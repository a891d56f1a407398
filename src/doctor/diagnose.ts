/** Dials in each way that could work, and names the cause. */
import { check, duration, func, numberFrom, object, type Rule, text, url } from '../core/check.ts'
import type { AuthedSocketOptions } from '../options.ts'
import { findWebSocket } from '../shell/websocket.ts'
import { browserEyes } from './browser-eyes.ts'
import type { Diagnosis } from './causes.ts'
import type { CrowdOptions } from './crowd.ts'
import { examine, type Order } from './examine.ts'
import type { Eyes } from './eyes.ts'
import { findNode, nodeEyes } from './node-eyes.ts'
import { WAY_KINDS, type WayKind } from './ways.ts'

/** Those of the socket to be looked at, and how to look. */
export interface DiagnoseOptions extends AuthedSocketOptions {
  /** The room to dial, where each room has a socket. Required there. */
  readonly room?: string
  /**
   * The page that would dial, for looking from Node in its place: its Origin is sent, and a page on `https:`
   * may not open `ws:`. Default: none in Node; in a browser the page itself.
   */
  readonly page?: string | URL
  /**
   * Where else the token may be tried when it is refused where `transmission` puts it: on the same host only,
   * the URL last. `[]` tries nowhere. Default `['subprotocol', 'header', 'cookie', 'query']`.
   */
  readonly ways?: readonly WayKind[]
  /** How long the socket is watched once it is open, in ms. Default 5,000; 70,000 finds most idle proxies. */
  readonly watchMs?: number
  /** A dial that is not answered by then has failed, in ms. Default 10,000. */
  readonly timeoutMs?: number
  /** Lets several sockets speak in the room, to find workers that do not share it. Default: nothing is sent. */
  readonly crowd?: CrowdOptions
  readonly signal?: AbortSignal
}

type Own = Pick<
  DiagnoseOptions,
  'room' | 'page' | 'ways' | 'watchMs' | 'timeoutMs' | 'crowd' | 'signal'
>

const rules = (): Readonly<Record<keyof Own, Rule>> => ({
  room: text,
  page: url,
  ways: [
    (value) => Array.isArray(value) && value.every((each) => WAY_KINDS.includes(each)),
    `an array of ${WAY_KINDS.map((kind) => `'${kind}'`).join(', ')}`,
  ],
  watchMs: duration,
  timeoutMs: duration,
  crowd: object,
  signal: [(value) => value instanceof AbortSignal, 'an AbortSignal'],
})

/**
 * Dials with these options, then with one thing changed at a time, and names the cause with the line to
 * change. Sends the token to the host of `url` and nowhere else, and no message unless `crowd` says so. In
 * Node it sees statuses and headers; a browser shows little, and much stays `unknown` there.
 *
 * @throws {TypeError | RangeError} a wrong option; it is named
 */
export const diagnose = async (options: DiagnoseOptions): Promise<Diagnosis> => {
  const node = findNode()
  if (node) return diagnoseWith(nodeEyes(node, options.webSocketOptions), options)
  const WebSocket = options.WebSocket ?? (await findWebSocket(options.webSocketOptions))
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
  return diagnoseWith(browserEyes(WebSocket, fetch), options)
}

/** With the eyes of a runtime that is named. */
export const diagnoseWith = async (eyes: Eyes, options: DiagnoseOptions): Promise<Diagnosis> =>
  examine(eyes, orderOf(options))

const orderOf = (options: DiagnoseOptions): Order => {
  const {
    room,
    page,
    ways = WAY_KINDS,
    watchMs = 5_000,
    timeoutMs = 10_000,
    crowd,
    signal,
    ...socket
  } = options
  check('diagnose', { room, page, ways, watchMs, timeoutMs, crowd, signal }, rules())
  if (crowd) check('diagnose: crowd', crowd, crowdRules(), ['message'])
  const isPerSocket = socket.protocol?.rooms?.kind === 'per-socket'
  if (isPerSocket && room === undefined)
    throw new TypeError('diagnose: room is missing: each room of this protocol has a socket')
  return {
    socket,
    // Elsewhere a room is joined after the socket opened, which the dial does not need.
    ...(isPerSocket && { room }),
    ...(crowd && { crowd }),
    ...(signal && { signal }),
    ...(page !== undefined && { page: pageOf(page) }),
    crowdRoom: room,
    ways,
    watchMs,
    timeoutMs,
  }
}

const crowdRules = (): Record<string, Rule> => ({ message: func, sockets: numberFrom(2, 50) })

const pageOf = (page: string | URL): URL => {
  try {
    return new URL(page)
  } catch {
    throw new TypeError('diagnose: page must be an absolute URL, such as https://app.example.com')
  }
}
