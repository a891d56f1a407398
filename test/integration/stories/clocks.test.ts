/**
 * Clocks that are wrong, that jump and that sleep, and tokens that say odd things of their life: at most one request
 * a lifetime, none ahead of its time, and no loop. The server goes by its own clock, and closes with 4003 when a
 * token has ended.
 */
import { describe, expect, test } from 'vitest'
import type { AuthFunction } from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  DAY,
  HOUR,
  MINUTE,
  pass,
  SECOND,
  sleep,
  storyOf,
  tellStories,
  timersLeft,
  YEAR,
} from '../../support/story.ts'

tellStories()

/** What a token says of itself; `iat` is when it was made, in whole seconds of the server, as servers write it. */
type Claims = (iat: number) => Readonly<Record<string, unknown>>

interface Row {
  readonly name: string
  readonly claims: Claims
  /** How long the server takes it from its receipt on. */
  readonly lifetimeMs: number
}

const saying = (name: string, claims: Claims): Row => ({ name, claims, lifetimeMs: HOUR })

const lasting = (name: string, lifetimeMs: number): Row => ({
  name: `a life of ${name}`,
  lifetimeMs,
  claims: (iat) => ({ iat, exp: iat + lifetimeMs / SECOND }),
})

const HANDED_OUT_AT = 50 * 60

const ODD: readonly Row[] = [
  saying('no exp', (iat) => ({ iat })),
  saying('neither exp nor iat', () => ({})),
  saying('exp without iat', (iat) => ({ exp: iat + 3_600 })),
  saying('exp as a text', (iat) => ({ iat, exp: String(iat + 3_600) })),
  saying('exp with a fraction', (iat) => ({ iat: iat + 0.25, exp: iat + 3_600.75 })),
  saying('exp in milliseconds', (iat) => ({ iat, exp: (iat + 3_600) * 1_000 })),
  saying('exp and iat in milliseconds', (iat) => ({
    iat: iat * 1_000,
    exp: (iat + 3_600) * 1_000,
  })),
  saying('exp of 0 without iat', () => ({ exp: 0 })),
  saying('a negative exp without iat', () => ({ exp: -1 })),
  saying('exp of 2^53', (iat) => ({ iat, exp: 2 ** 53 })),
  {
    name: 'a token that is handed out 50 minutes into its hour',
    claims: (iat) => ({ iat: iat - HANDED_OUT_AT, exp: iat - HANDED_OUT_AT + 3_600 }),
    lifetimeMs: 10 * MINUTE,
  },
]

const LIVES: readonly Row[] = [
  lasting('1 s', SECOND),
  lasting('4 s', 4 * SECOND),
  lasting('a minute', MINUTE),
  lasting('an hour', HOUR),
  lasting('a day', DAY),
]
const TEN_YEARS = lasting('10 years', 10 * YEAR)

const SKEWS = [
  ['right', 0],
  ['24 h ahead', DAY],
  ['24 h behind', -DAY],
] as const

const EVENTS = [
  ['goes on', undefined],
  ['jumps an hour ahead', HOUR],
  ['jumps an hour back', -HOUR],
] as const

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** A library that keeps its token while the server would take it, and a server that ends sockets by it. */
function clockStory({ claims, lifetimeMs }: Row, skewMs: number) {
  const calls: { readonly at: number; readonly fresh: boolean }[] = []
  const ends = new Map<string, number>()
  /** The server's clock, whatever is done to the client's. */
  let ahead = skewMs
  const serverNow = (): number => Date.now() - ahead
  let held = ''
  const auth: AuthFunction = ({ fresh }) => {
    calls.push({ at: serverNow(), fresh })
    if (fresh || (ends.get(held) ?? 0) <= serverNow()) {
      const made = { sub: 'ann', jti: ends.size, ...claims(Math.floor(serverNow() / SECOND)) }
      held = `${base64url({ alg: 'none' })}.${base64url(made)}.x`
      ends.set(held, serverNow() + lifetimeMs)
    }
    return held
  }
  const { server, socket } = storyOf({}, { auth })
  server.receive = ({ token }) => acceptFor(Math.max(0, (ends.get(token) ?? 0) - serverNow()), 4003)
  return {
    server,
    socket,
    calls,
    ends,
    /** The client's clock alone. */
    jump: (ms: number) => {
      sleep(ms)
      ahead += ms
    },
  }
}

describe.each(SKEWS)('With a clock that is %s', (_, skewMs) => {
  describe.each(EVENTS)('and %s,', (_event, jumpMs) => {
    test.each([...ODD, ...LIVES])('$name costs one request a lifetime', async (row) => {
      const { server, socket, calls, jump } = clockStory(row, skewMs)
      const lives = 12
      const spanMs = lives * row.lifetimeMs
      socket.connect()
      await pass(spanMs / 4 + row.lifetimeMs / 3)
      if (jumpMs !== undefined) jump(jumpMs)
      await pass(spanMs - spanMs / 4 - row.lifetimeMs / 3)

      const most = spanMs / row.lifetimeMs + 1
      expect(server.dials.length).toBeLessThanOrEqual(most)
      expect(server.dials.length).toBeGreaterThan(0.85 * most - 1)
      // One request for each dial, and none for a socket that is open.
      expect(calls.length).toBeLessThanOrEqual(server.dials.length + 1)
      const open = server.dials.filter(({ openedAt }) => openedAt !== undefined)
      expect(new Set(open.map(({ token }) => token)).size).toBe(open.length)
      expect(socket.status.state).not.toBe('failed')
    })

    test('a life of 10 years costs one request, and no timer', async () => {
      const { server, socket, calls, jump } = clockStory(TEN_YEARS, skewMs)
      server.receive = () => ACCEPT
      socket.connect()
      await pass(MINUTE)
      if (jumpMs !== undefined) jump(jumpMs)
      await pass(YEAR)
      expect([server.dials.length, calls.length, await timersLeft()]).toEqual([1, 1, 0])
    })
  })
})

describe('A laptop that sleeps 8 h over the end of', () => {
  test.each([...ODD, ...LIVES].filter(({ lifetimeMs }) => lifetimeMs <= HOUR))(
    '$name asks once when its socket turns out to be gone',
    async (row) => {
      const { server, socket, calls } = clockStory(row, 0)
      socket.connect()
      await pass(row.lifetimeMs / 2)
      const before = [calls.length, server.dials.length]
      sleep(8 * HOUR)
      server.closeAll(1006)
      await pass(1_600)
      const asked = calls.length - (before[0] ?? 0)
      const dialed = server.dials.length - (before[1] ?? 0)
      expect(asked).toBe(dialed)
      expect(dialed).toBeLessThanOrEqual(1 + 1_600 / row.lifetimeMs)
      expect(dialed).toBeGreaterThanOrEqual(1)
      expect(socket.state).not.toBe('failed')
    },
  )
})

describe('A token that seems to have ended when it came is dialed with: the server decides', () => {
  test.each<[string, Claims]>([
    ['exp of 0', (iat) => ({ iat, exp: 0 })],
    ['a negative exp', (iat) => ({ iat, exp: -5 })],
    ['exp before iat', (iat) => ({ iat, exp: iat - 1 })],
    ['exp alone, past', (iat) => ({ exp: iat - 1 })],
  ])('%s', async (_, claims) => {
    for (const [, skewMs] of SKEWS) {
      const { server, socket, calls } = clockStory({ name: '', claims, lifetimeMs: HOUR }, skewMs)
      socket.connect()
      await pass(10 * MINUTE)
      expect([calls.length, server.dials.length]).toEqual([1, 1])
      expect(socket.state).toBe('connected')
    }
  })
})
