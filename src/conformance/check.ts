/** What a check is: a sentence of docs/protocol.md, and the moves that show whether a server does it. */
import type { Feature } from './frames.ts'
import type { Scene } from './scene.ts'

/** Headings of docs/protocol.md by their anchors; a test compares them with the page. */
export const SECTIONS = {
  words: 'Words',
  handshake: 'Handshake',
  order: 'Order',
  'requests-and-answers': 'Requests and answers',
  auth: 'auth',
  join: 'join',
  leave: 'leave',
  send: 'send',
  call: 'call',
  history: 'history',
  ping: 'ping',
  welcome: 'welcome',
  joined: 'joined',
  message: 'message',
  presence: 'presence',
  error: 'error',
  limits: 'Limits',
  'close-codes': 'Close codes',
  'later-versions-and-unknown-things': 'Later versions and unknown things',
} as const
export type Section = keyof typeof SECTIONS

/** What a check cannot do without, beside a server: a feature of it, or something that the kit is told. */
export type Need = Feature | keyof typeof TOLD | keyof typeof RUNTIME | 'resume'

/** Needs that an option meets, and how to give it. */
export const TOLD = {
  'second-user': 'needs a token of another user: tokens.b, or AUTHED_SOCKET_TOKEN_B',
  'expired-token': 'needs an expired token: tokens.expired, or AUTHED_SOCKET_TOKEN_EXPIRED',
  'short-token':
    'needs a token that ends within a minute: tokens.short, or AUTHED_SOCKET_TOKEN_SHORT',
  'forbidden-room':
    'needs a room that the first user may not join: rooms.forbidden, or --forbidden-room',
  'echo-method':
    'needs a method that answers with its data: the option echoMethod, or --echo-method',
  'query-token': 'only where the token travels in the query',
  'cookie-token': 'only where the token travels in a cookie',
} as const

/** Needs that the WebSocket library meets. */
export const RUNTIME = {
  'any-bytes': 'needs a WebSocket that sends bytes which are no text: install ws',
  drop: 'needs a WebSocket that can end without a close frame: install ws',
} as const

export interface Check {
  /** `section.what`, or `frames.what` for wrong frames: stable, for `only`. */
  readonly id: string
  readonly section: Section
  /** As RFC 2119 has it. A SHOULD that is not met is told, and fails nothing. */
  readonly level: 'must' | 'should'
  /** The sentence that is checked. */
  readonly title: string
  /** What to change in a server that fails it. */
  readonly fix: string
  readonly needs?: readonly Need[]
  /** Checks without which this one could only repeat their failure. */
  readonly after?: readonly string[]
  /** Waits long, and so beside the others. */
  readonly slow?: boolean
  run(scene: Scene): Promise<void>
}

/** A sentence that holds at all times: it is watched in every check, and judged at the end. */
export interface StandingRule extends Omit<Check, 'run' | 'after' | 'slow'> {
  readonly standing: true
}
