/** The situations, and what has to come of each: computed from what the server does and the runtime shows. */
import type {
  AuthOrder,
  CarrierName,
  Cell,
  CellOptions,
  Count,
  Cue,
  Expectation,
  RoomExpectation,
  RuntimeName,
  Step,
  TokenOrder,
} from './cell.ts'
import { type EndpointTraits, RUNTIMES, type RuntimeTraits, type ServerTraits } from './servers.ts'

/** Where and by what a situation is met. */
interface Seen {
  readonly server: ServerTraits
  readonly endpoint: EndpointTraits
  readonly runtime: RuntimeTraits
  readonly carrier: CarrierName
}

type Played = Pick<Cell, 'auth' | 'rooms' | 'script' | 'expected' | 'path'> & {
  readonly options?: CellOptions
}

interface Situation {
  readonly name: string
  /** Cells of one phase run at the same time, under the settings of the phase. */
  readonly phase: PhaseName
  /** `first`: with the endpoint's first carrier only; `all`: with each; `wrong`: with those it does not read. */
  readonly carriers?: 'first' | 'all' | 'wrong'
  /** About the way in, as those with `carriers` are. */
  readonly isWayIn?: true
  fits?(seen: Seen): boolean
  play(seen: Seen): Played
}

export type PhaseName =
  | 'calm'
  | 'impatient'
  | 'short tokens'
  | `closes with ${CloseCode}`
  | 'refuses before accept'
  | 'revoked'
  | 'deleted'
  | 'restart'

export type CloseCode = (typeof CLOSE_CODES)[number]
export const CLOSE_CODES = [4003, 1008, 1000, 1011, 1012] as const

/** What the control door is told before the cells of a phase. */
export const PHASES: Readonly<Record<PhaseName, object>> = {
  calm: {},
  // Here no first message ever comes, and the wait for it is over before a socket counts as settled.
  impatient: { firstMessageMs: 400 },
  'short tokens': { accessLifetimeMs: 4_000, closeAtExpiry: true },
  'closes with 4003': { refuseSockets: { when: 'after-accept', code: 4003 } },
  'closes with 1008': { refuseSockets: { when: 'after-accept', code: 1008 } },
  'closes with 1000': { refuseSockets: { when: 'after-accept', code: 1000 } },
  'closes with 1011': { refuseSockets: { when: 'after-accept', code: 1011 } },
  'closes with 1012': { refuseSockets: { when: 'after-accept', code: 1012 } },
  'refuses before accept': { refuseSockets: { when: 'before-accept', code: 0 } },
  revoked: {},
  deleted: {},
  restart: {},
}

/** A fiftieth of the real delays. `settleMs` stays far above what a close on loopback takes. */
const FAST: CellOptions = { scale: 0.02, settleMs: 400 }
/** Where nothing has to settle, a close may come as late as it likes without being taken for a later one. */
const REFUSED: CellOptions = { scale: 0.02, settleMs: 1_500 }
/** Slower, so that an outage of some hundred ms stays one of less than 30 s, in which nothing is doubted. */
const GATEWAY: CellOptions = { scale: 0.5, settleMs: 800 }
const QUIET_MS = 600

const valid = (user = 'alice'): TokenOrder => ({ kind: 'valid', user })
const expired: TokenOrder = { kind: 'expired', user: 'alice' }
const tokens = (...orders: TokenOrder[]): AuthOrder => ({ kind: 'function', tokens: orders })

const isSession = ({ endpoint }: Seen): boolean => endpoint.carriers[0] === 'session'
const isPerSocket = ({ endpoint }: Seen): boolean => endpoint.protocol === 'room-per-socket'

/** The ordinary way in: a function with tokens, or a login where a cookie is the credential. */
const goodAuth = (seen: Seen, user = 'alice'): AuthOrder =>
  isSession(seen) ? { kind: 'session', user } : tokens(valid(user), valid(user))

/** Requests before anything happened: the login, or the function's first call. */
const firstRequest = 1

type Visibility = 'status' | 'code' | 'hidden'

const refusalOf = ({ endpoint, runtime }: Seen, refuses = endpoint.refuses): Visibility => {
  if (refuses === 'after-accept') return 'code'
  return runtime.showsStatus ? 'status' : 'hidden'
}

const mayLoseCodes = ({ server, runtime }: Seen): boolean =>
  server.losesCodesIn.includes(runtime.name)

/** The refusal is seen every time. */
const isCertain = (seen: Seen): boolean => refusalOf(seen) !== 'hidden' && !mayLoseCodes(seen)

const join = (...rooms: string[]): Step => ({ do: 'join', rooms, listen: 'after' })
const cue = (what: Cue): Step => ({ do: 'cue', cue: what })
const count = (as: string): Step => cue({ kind: 'count', as })
const front = (...modes: Extract<Cue, { kind: 'front' }>['modes'][number][]): Step =>
  cue({ kind: 'front', modes })
const pause = (ms: number): Step => ({ do: 'pause', ms })
const joined = (times: number, ...rooms: string[]): Step => ({
  do: 'until',
  what: { kind: 'joined', rooms, times },
})
const state = (is: Expectation['state']): Step => ({ do: 'until', what: { kind: 'state', is } })
const attempt = (atLeast: number): Step => ({ do: 'until', what: { kind: 'attempt', atLeast } })
const roomIs = (room: string, is: string): Step => ({
  do: 'until',
  what: { kind: 'room', room, is },
})
const messages = (room: string, atLeast: number): Step => ({
  do: 'until',
  what: { kind: 'messages', room, atLeast },
})
const send = (text: string, room = 'a'): Step => ({ do: 'send', room, text })
const quietly: readonly Step[] = [count('end'), pause(QUIET_MS)]

/** Refused whatever is sent: what a client does that sees it, and what one does that does not. */
function refused(
  seen: Seen,
  visibility: Visibility,
  requests: { fresh: boolean; ask?: boolean },
): Pick<Played, 'options' | 'script' | 'expected'> {
  const { fresh, ask = true } = requests
  if (visibility === 'hidden')
    return {
      options: REFUSED,
      script: [join('a'), attempt(4)],
      expected: {
        state: 'waiting',
        error: 'HandshakeRefusedError',
        never: ['failed', 'connected'],
        dials: { min: 4, max: 5 },
        refreshes: ask ? { max: 1 } : 0,
      },
    }
  const dials = fresh ? 3 : 2
  // A close that gets lost is silence: it costs a dial, and the refresh that silence may cost.
  const counts =
    visibility === 'code' && mayLoseCodes(seen)
      ? { dials: { min: dials, max: dials + 3 }, refreshes: ask ? { min: 1, max: 2 } : 0 }
      : { dials, ...(ask && { tokenRequests: 2 }), refreshes: ask ? 1 : 0 }
  return {
    options: REFUSED,
    script: [join('a'), state('failed'), ...quietly],
    expected: {
      state: 'failed',
      error: 'CredentialRejectedError',
      action: 'sign-in',
      ...counts,
      silentSince: 'end',
      ...(seen.endpoint.protocol !== 'plain' && {
        rooms: { a: { state: 'idle', messages: [] } },
      }),
    },
  }
}

/** The same, by a client that had been let in with the same credential before. */
function later(expected: Expectation, ask: boolean): Partial<Expectation> {
  const { dials, refreshes } = expected
  if (typeof dials !== 'number') return { dials: { min: 3, max: 7 }, refreshes }
  return {
    dials: dials + 1,
    tokenRequests: ask ? 3 : 1,
    since: { count: 'loss', dials, refreshes },
  }
}

/** Joined again after a loss that says nothing about the credential. */
const back = (seen: Seen, room = 'a'): Record<string, RoomExpectation> => ({
  [room]: {
    state: 'joined',
    joins: 2,
    messages: seen.endpoint.welcomes
      ? ['welcome', 'before', 'welcome', 'after']
      : ['before', 'after'],
    received: ['before', 'after'],
  },
})

const welcomed = (seen: Seen): number => (seen.endpoint.welcomes ? 1 : 0)

/** Joined, heard, settled; something happens; joined again and heard. */
function storyOfLoss(
  seen: Seen,
  happens: readonly Step[],
  expected: Pick<Expectation, 'refreshes'> & { dials: Count; since?: Count },
  options: CellOptions = FAST,
): Played {
  const hello = welcomed(seen)
  return {
    auth: goodAuth(seen),
    rooms: ['a'],
    options,
    script: [
      join('a'),
      joined(1, 'a'),
      send('before'),
      messages('a', hello + 1),
      pause((options.settleMs ?? 5_000) + 50),
      count('loss'),
      ...happens,
      joined(2, 'a'),
      ...(hello ? [messages('a', 3)] : []),
      send('after'),
      messages('a', 2 * hello + 2),
    ],
    expected: {
      state: 'connected',
      never: ['failed'],
      dials: expected.dials,
      refreshes: expected.refreshes,
      rooms: back(seen),
      ...(expected.since !== undefined && {
        since: { count: 'loss', dials: expected.since, refreshes: expected.refreshes },
      }),
    },
  }
}

/**
 * A code that the server's library refuses is an exception in the application, which the control door would
 * swallow. So an application that does nothing else is asked for it.
 */
const isRefusedCode = ({ server }: Seen, code: number): boolean => code in server.turnsCodes

function closesAtOnce(code: CloseCode): Situation {
  return {
    name: `closed with ${code} after accept, always`,
    phase: `closes with ${code}`,
    fits: (seen) => !isRefusedCode(seen, code) || seen.endpoint.name === 'article',
    play(seen) {
      const shown = seen.server.turnsCodes[code] ?? code
      const ask = !isSession(seen)
      const setting = { auth: goodAuth(seen), rooms: ['a'], options: REFUSED }
      if (shown === 4003 || shown === 1008)
        return { ...setting, ...refused(seen, 'code', { fresh: ask, ask }) }
      const isLate = isRefusedCode(seen, code)
      const attempts = isLate ? 2 : 4
      const isSilent = shown === 1000 || shown === 1011
      return {
        ...setting,
        // A late close must not find a socket that was taken for accepted.
        ...(isLate && {
          path: `/_probe/accept-then-close?code=${code}&room={room}`,
          options: { ...REFUSED, settleMs: 4_000 },
        }),
        script: [join('a'), attempt(attempts)],
        expected: {
          state: 'waiting',
          error: 'ServerClosedError',
          shows: mayLoseCodes(seen) ? [shown, 1006] : shown,
          never: ['failed'],
          dials: { min: attempts, max: attempts + 1 },
          refreshes: isSilent && ask ? { max: 1 } : 0,
        },
      }
    },
  }
}

/** Refreshes after a 4003 on an open socket; one that is seen as 1006 costs none. */
const seenRejection = (seen: Seen): Count => (mayLoseCodes(seen) ? { max: 1 } : 1)

function closedWhileOpen(code: CloseCode): Situation {
  return {
    name: `closed with ${code} while open`,
    phase: 'calm',
    // A socket without rooms has no name by which it alone could be closed.
    fits: (seen) => seen.endpoint.protocol !== 'plain' && !isRefusedCode(seen, code),
    play(seen) {
      // Without another cookie the same one is tried once more, after a pause.
      const isRejection = (code === 4003 || code === 1008) && !isSession(seen)
      return storyOfLoss(seen, [cue({ kind: 'close', code })], {
        dials: 2,
        since: 1,
        refreshes: isRejection ? seenRejection(seen) : 0,
      })
    },
  }
}

const SITUATIONS: readonly Situation[] = [
  {
    name: 'signed out',
    phase: 'calm',
    play: (seen) =>
      isSession(seen) && seen.runtime.name === 'chromium'
        ? // A page cannot know whether the browser holds a cookie: it has to try.
          {
            auth: { kind: 'session' },
            rooms: ['a'],
            ...refused(seen, refusalOf(seen), { fresh: false, ask: false }),
          }
        : {
            auth: isSession(seen) ? { kind: 'session' } : tokens({ kind: 'none' }),
            rooms: ['a'],
            script: [join('a'), state('failed'), ...quietly],
            expected: {
              state: 'failed',
              error: 'TokenRefusedError',
              action: 'sign-in',
              dials: 0,
              refreshes: 0,
              silentSince: 'end',
            },
          },
  },
  {
    name: 'garbage token',
    phase: 'calm',
    carriers: 'all',
    fits: (seen) => !(isSession(seen) && seen.runtime.name === 'chromium'),
    play: (seen) => ({
      auth: isSession(seen) ? { kind: 'session', cookie: 'garbage' } : tokens({ kind: 'garbage' }),
      rooms: ['a'],
      ...refused(seen, refusalOf(seen), { fresh: false, ask: !isSession(seen) }),
    }),
  },
  {
    name: 'expired token, nothing newer',
    phase: 'calm',
    fits: (seen) => !isSession(seen),
    play: (seen) => ({
      auth: tokens(expired),
      rooms: ['a'],
      ...refused(seen, refusalOf(seen), { fresh: false }),
    }),
  },
  {
    name: 'expired token, refreshable',
    phase: 'calm',
    isWayIn: true,
    fits: (seen) => !isSession(seen),
    // Where the refusal is not said, the host is asked first, and the scaled backoff does not wait for it.
    play: (seen) => refreshed(seen, REFUSED, isCertain(seen) ? 2 : { min: 2 }),
  },
  {
    name: 'expired token, refreshable, default delays',
    phase: 'short tokens',
    fits: (seen) => !isSession(seen),
    play: (seen) => refreshed(seen, {}, isCertain(seen) ? 2 : { min: 2, max: 3 }),
  },
  {
    name: 'valid token',
    phase: 'calm',
    carriers: 'all',
    play: (seen) => ({
      auth: goodAuth(seen),
      rooms: ['a'],
      script: [join('a'), joined(1, 'a'), send('m1'), messages('a', welcomed(seen) + 1)],
      expected: {
        state: 'connected',
        never: ['failed', 'waiting'],
        dials: 1,
        tokenRequests: firstRequest,
        refreshes: 0,
        rooms: {
          a: {
            state: 'joined',
            joins: 1,
            messages: seen.endpoint.welcomes ? ['welcome', 'm1'] : ['m1'],
            received: ['m1'],
          },
        },
      },
    }),
  },
  {
    name: 'valid token where the endpoint does not look',
    phase: 'impatient',
    carriers: 'wrong',
    play: (seen) => ({
      auth: tokens(valid(), valid()),
      rooms: ['a'],
      ...refused(seen, refusalOf(seen), { fresh: true }),
      // An answer to a first message that does not come must not find a socket that was taken for accepted.
      options: { ...REFUSED, settleMs: 4_000 },
    }),
  },
  {
    name: 'valid token, three rooms, one of them forbidden',
    phase: 'calm',
    isWayIn: true,
    fits: ({ endpoint }) => endpoint.protocol !== 'plain',
    play: (seen) => {
      const hidden = isPerSocket(seen) && refusalOf(seen) === 'hidden'
      const allowed = (room: string): RoomExpectation => ({
        state: 'joined',
        joins: 1,
        messages: seen.endpoint.welcomes ? ['welcome', `in ${room}`] : [`in ${room}`],
        received: [`in ${room}`],
      })
      return {
        auth: goodAuth(seen),
        rooms: ['a', 'forbidden', 'b'],
        // The refusal is judged when the others have settled. It must not settle itself: a busy machine was
        // seen to take two seconds from the accept to the close, with Chromium beside it.
        options: { scale: 0.02, settleMs: seen.runtime.name === 'chromium' ? 5_000 : 1_000 },
        script: [
          join('a', 'forbidden', 'b'),
          joined(1, 'a', 'b'),
          ...(hidden ? [pause(1_500)] : [roomIs('forbidden', 'refused')]),
          send('in a', 'a'),
          send('in b', 'b'),
          messages('a', welcomed(seen) + 1),
          messages('b', welcomed(seen) + 1),
          pause(QUIET_MS),
        ],
        expected: {
          state: 'connected',
          never: ['failed'],
          dials: !isPerSocket(seen) ? 1 : hidden || mayLoseCodes(seen) ? { min: 3 } : 3,
          refreshes: 0,
          rooms: {
            a: allowed('a'),
            b: allowed('b'),
            forbidden: hidden
              ? { state: 'joining', messages: [] }
              : { state: 'refused', messages: [], error: 'RoomError' },
          },
        },
      }
    },
  },
  ...CLOSE_CODES.map(closesAtOnce),
  ...CLOSE_CODES.map(closedWhileOpen),
  {
    name: 'ten rooms closed with 4003 together',
    phase: 'calm',
    fits: (seen) => isPerSocket(seen) && !isSession(seen),
    play: (seen) => {
      const rooms = [...'abcdefghij']
      return {
        auth: tokens(valid(), valid()),
        rooms,
        // Ten sockets settle one after another on a machine that is busy with everything else.
        options: { scale: 0.02, settleMs: 800 },
        script: [
          { do: 'join', rooms, listen: 'before' },
          joined(1, ...rooms),
          pause(900),
          count('loss'),
          cue({ kind: 'close', code: 4003 }),
          joined(2, ...rooms),
          ...rooms.map((room) => messages(room, 2)),
        ],
        expected: {
          state: 'connected',
          never: ['failed'],
          dials: 20,
          refreshes: seenRejection(seen),
          since: { count: 'loss', dials: 10, refreshes: seenRejection(seen) },
          rooms: Object.fromEntries(
            rooms.map((room) => [
              room,
              { state: 'joined', joins: 2, messages: ['welcome', 'welcome'] },
            ]),
          ),
        },
      }
    },
  },
  {
    name: 'gateway answers 502 for a while',
    phase: 'calm',
    play: (seen) =>
      storyOfLoss(
        seen,
        [front('drop', 'bad-gateway'), attempt(2), front('pass')],
        { dials: { min: 3 }, refreshes: 0 },
        GATEWAY,
      ),
  },
  {
    name: 'gateway answers 502 for a while, ten sockets',
    phase: 'calm',
    fits: (seen) => isPerSocket(seen) && !isSession(seen),
    play: () => {
      const rooms = [...'abcdefghij']
      return {
        auth: tokens(valid(), valid()),
        rooms,
        options: GATEWAY,
        script: [
          { do: 'join', rooms, listen: 'before' },
          joined(1, ...rooms),
          pause(900),
          front('drop', 'bad-gateway'),
          // Not until a status says so: with ten sockets it hardly ever is that all of them wait.
          pause(1_500),
          front('pass'),
          joined(2, ...rooms),
          ...rooms.map((room) => messages(room, 2)),
        ],
        expected: {
          state: 'connected',
          never: ['failed'],
          dials: { min: 21 },
          refreshes: 0,
          rooms: Object.fromEntries(
            rooms.map((room) => [
              room,
              { state: 'joined', joins: 2, messages: ['welcome', 'welcome'] },
            ]),
          ),
        },
      }
    },
  },
  {
    name: 'server absent, then there',
    phase: 'calm',
    play: (seen) => ({
      auth: isSession(seen) ? goodAuth(seen) : tokens(valid(), valid()),
      rooms: ['a'],
      script: [
        front('absent'),
        join('a'),
        attempt(4),
        count('absent'),
        front('pass'),
        joined(1, 'a'),
        ...(seen.endpoint.welcomes ? [messages('a', 1)] : []),
      ],
      expected: {
        state: 'connected',
        never: ['failed'],
        // A front that is not there counts no dials.
        dials: { min: 1, max: 2 },
        // Once it answers, the silence before may cost one refresh.
        refreshes: { max: 1 },
        until: { count: 'absent', refreshes: 0 },
        shown: ['HandshakeRefusedError'],
        rooms: { a: { state: 'joined', joins: 1 } },
      },
    }),
  },
  {
    name: 'server killed and restarted',
    phase: 'restart',
    play: (seen) => {
      const story = storyOfLoss(
        seen,
        [cue({ kind: 'together', act: 'kill-and-restart' })],
        { dials: { min: 2 }, refreshes: 0 },
        GATEWAY,
      )
      const { a, ...rooms } = story.expected.rooms ?? {}
      // The log of what it received dies with the process.
      const restarted = a && { a: { ...a, received: ['after'] } }
      return { ...story, expected: { ...story.expected, rooms: { ...rooms, ...restarted } } }
    },
  },
  {
    name: '403 before accept, always',
    phase: 'refuses before accept',
    play: (seen) => {
      const ask = !isSession(seen)
      return {
        auth: goodAuth(seen),
        rooms: ['a'],
        ...refused(seen, refusalOf(seen, 'before-accept'), { fresh: ask, ask }),
      }
    },
  },
  {
    name: '403 before accept, told by an authenticated probe',
    phase: 'refuses before accept',
    fits: ({ endpoint }) => endpoint.name === 'article' || endpoint.name === 'v2',
    play: (seen) => ({
      auth: goodAuth(seen),
      rooms: ['a'],
      ...refused(seen, 'status', { fresh: true }),
      options: { ...REFUSED, probe: 'refused' },
    }),
  },
  {
    name: 'revoked, tokens of an app',
    phase: 'revoked',
    isWayIn: true,
    fits: (seen) => !isSession(seen),
    play: (seen) => {
      const { script, ...rest } = refused(seen, refusalOf(seen), { fresh: true })
      return {
        auth: tokens(valid('bob'), valid('bob')),
        rooms: ['a'],
        script: [cue({ kind: 'together', act: 'revoke' }), ...script],
        ...rest,
      }
    },
  },
  {
    name: 'revoked, tokens of the server',
    phase: 'revoked',
    play: (seen) => revokedSession(seen),
  },
  {
    name: 'valid, then refused on reconnect',
    phase: 'revoked',
    play: (seen) => {
      const visibility = refusalOf(seen)
      const hidden = visibility === 'hidden'
      const ask = !isSession(seen)
      const { expected } = refused(seen, visibility, { fresh: ask, ask })
      return {
        auth: goodAuth(seen, 'bob'),
        rooms: ['a'],
        options: REFUSED,
        script: [
          join('a'),
          joined(1, 'a'),
          ...(seen.endpoint.welcomes ? [messages('a', 1)] : []),
          pause(1_550),
          cue({ kind: 'together', act: 'revoke' }),
          count('loss'),
          front('drop'),
          ...(hidden ? [attempt(5)] : [state('failed'), ...quietly]),
        ],
        expected: hidden
          ? {
              state: 'waiting',
              error: 'HandshakeRefusedError',
              never: ['failed'],
              dials: { min: 5 },
              refreshes: ask ? { max: 1 } : 0,
            }
          : {
              ...expected,
              ...later(expected, ask),
              ...(seen.endpoint.protocol !== 'plain' && {
                rooms: { a: { state: 'idle' } },
              }),
            },
      }
    },
  },
  {
    name: 'account deleted',
    phase: 'deleted',
    fits: (seen) => !isSession(seen),
    play: (seen) => {
      const { deletedUserStatus: status } = seen.endpoint
      const visibility = refusalOf(seen)
      const together = cue({ kind: 'together', act: 'delete-user' })
      const auth = tokens(valid('bob'), valid('bob'))
      // daphne says 500 up to a second late.
      const attempts = 3
      if (status === undefined || visibility === 'hidden') {
        const { script, ...rest } = refused(seen, visibility, { fresh: true })
        return { auth, rooms: ['a'], script: [together, ...script], ...rest }
      }
      return {
        auth,
        rooms: ['a'],
        script: [together, join('a'), attempt(attempts)],
        expected: {
          state: 'waiting',
          error: 'HandshakeRefusedError',
          shows: status,
          never: ['failed', 'connected'],
          dials: { min: attempts, max: attempts + 1 },
          refreshes: 0,
        },
      }
    },
  },
  {
    name: 'token expires while open, default delays',
    phase: 'short tokens',
    fits: (seen) => !isSession(seen) && seen.endpoint.protocol !== 'plain',
    play: (seen) => expiryStory(seen),
  },
]

/** The first token is refused, the next one is good. */
function refreshed(seen: Seen, options: CellOptions, dials: Count): Played {
  return {
    auth: tokens(expired, valid()),
    rooms: ['a'],
    options,
    script: [
      join('a'),
      joined(1, 'a'),
      // A slow server may refuse a socket that has been open for long enough to be taken for accepted.
      ...(seen.endpoint.welcomes ? [messages('a', 1)] : []),
      send('m1'),
      messages('a', welcomed(seen) + 1),
    ],
    expected: {
      state: 'connected',
      never: ['failed'],
      dials,
      refreshes: 1,
      rooms: {
        a: {
          state: 'joined',
          joins: { min: 1, max: 2 },
          messages: seen.endpoint.welcomes ? ['welcome', 'm1'] : ['m1'],
          received: ['m1'],
        },
      },
    },
  }
}

/** Tokens and refreshes of a user whom the server has thrown out. */
function revokedSession(seen: Seen): Played {
  const visibility = refusalOf(seen)
  const revoke = cue({ kind: 'together', act: 'revoke' })
  if (isSession(seen)) {
    const { script, ...rest } = refused(seen, visibility, { fresh: false, ask: false })
    return {
      auth: { kind: 'session', user: 'bob' },
      rooms: ['a'],
      script: [revoke, ...script],
      ...rest,
    }
  }
  return {
    auth: { kind: 'login', user: 'bob' },
    rooms: ['a'],
    options: REFUSED,
    script: [revoke, join('a'), state('failed'), ...quietly],
    expected: {
      state: 'failed',
      error: 'TokenRefusedError',
      action: 'sign-in',
      // Where the refusal is not said, the host is asked first, and the scaled backoff does not wait for it.
      dials: visibility === 'hidden' ? { min: 1 } : 1,
      tokenRequests: 2,
      refreshes: 1,
      silentSince: 'end',
    },
  }
}

/** With nothing scaled: one refresh and one dial for each life, or a socket that outlives its token. */
function expiryStory(seen: Seen): Played {
  const closes = seen.endpoint.watchesExpiry
  const hello = welcomed(seen)
  const greeting = seen.endpoint.welcomes ? ['welcome'] : []
  return {
    auth: { kind: 'login', user: 'alice' },
    rooms: ['a'],
    // What a server does that takes no token on the live socket; test/integration/rooms tells of those that do.
    options: { renewal: 'on-close' },
    script: [
      join('a'),
      joined(1, 'a'),
      send('before'),
      messages('a', hello + 1),
      // Servers that never look again keep the socket; the client keeps it too.
      ...(closes ? [joined(2, 'a'), ...(hello ? [messages('a', 3)] : [])] : [pause(5_500)]),
      send('after'),
      messages('a', closes ? 2 * hello + 2 : hello + 2),
    ],
    expected: {
      state: 'connected',
      never: mayLoseCodes(seen) ? ['failed'] : ['failed', 'waiting'],
      dials: closes ? 2 : 1,
      tokenRequests: closes ? 2 : 1,
      refreshes: closes ? 1 : 0,
      rooms: {
        a: {
          state: 'joined',
          joins: closes ? 2 : 1,
          messages: [...greeting, 'before', ...(closes ? greeting : []), 'after'],
          received: ['before', 'after'],
        },
      },
    },
  }
}

const HEADERS: readonly CarrierName[] = ['header', 'cookie']

function carriersOf(seen: Omit<Seen, 'carrier'>, which: Situation['carriers']): CarrierName[] {
  const { endpoint, runtime } = seen
  const possible = (carrier: CarrierName) => runtime.setsHeaders || !HEADERS.includes(carrier)
  const read = endpoint.carriers.filter(possible)
  if (which === 'all') return read
  if (which !== 'wrong') return read.slice(0, 1)
  const others: CarrierName[] =
    endpoint.name === 'first'
      ? ['unread']
      : ['query', 'pair', 'bearer', 'header', 'cookie', 'unread']
  return others.filter((carrier) => possible(carrier) && !read.includes(carrier))
}

/** Every cell of a server in one runtime. `full`: each situation with each carrier. */
export function cellsOf(server: ServerTraits, runtimeName: RuntimeName, full: boolean): Cell[] {
  const runtime = RUNTIMES[runtimeName]
  return SITUATIONS.flatMap((situation) =>
    server.endpoints.flatMap((endpoint) => {
      const { carriers, isWayIn = carriers !== undefined && carriers !== 'first' } = situation
      if (endpoint.isWayIn && !isWayIn) return []
      const which = full && situation.carriers === undefined ? 'all' : situation.carriers
      return carriersOf({ server, endpoint, runtime }, which).flatMap((carrier) => {
        const seen: Seen = { server, endpoint, runtime, carrier }
        if (situation.fits && !situation.fits(seen)) return []
        const { options = FAST, ...played } = situation.play(seen)
        const { name: situationName, phase } = situation
        const where = {
          server: server.name,
          endpoint: endpoint.name,
          runtime: runtimeName,
          carrier,
        }
        return [{ ...where, situation: situationName, phase, options, ...played }]
      })
    }),
  )
}
