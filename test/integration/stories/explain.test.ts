/** What `explain()` says of a socket that waits, works or failed. */
import { describe, expect, test } from 'vitest'
import { type AuthedSocket, diary, fixedToken, roomPerSocket } from '../../../src/index.ts'
import { findLeaks } from '../../contract/canary.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  openPage,
  pass,
  REFUSE,
  SECOND,
  type SessionStory,
  type Story,
  sessionStoryOf,
  storyOf,
  tellStories,
  UNTIL_EXPIRY,
} from '../../support/story.ts'

tellStories()

/** Without times, ports and spans, which the story does not decide. */
const said = (socket: AuthedSocket): string[] =>
  socket.explain().map((line) =>
    line
      .replace(/^\S+ /, '')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replaceAll(/ws:\/\/\S+/g, '<url>')
      .replaceAll(/[\d.]+ (ms|s|min|h)\b/g, '<span>'),
  )

type Case = [story: string, tell: () => Promise<AuthedSocket>, lines: string[]]

const FIRST = [
  'asked to connect; wants a token',
  'session: asks for a token: connect, not forced',
  'session: token received: good for <span>, until <time>',
  'dials <url>',
]
const OPEN = 'opened; waits for a sign that the server accepts'
const UP = [
  OPEN,
  'accepted: a frame came, or nothing spoke against it for a moment',
  'settled: it stayed open, so the next backoff begins anew',
  'proven: it stayed open so long that earlier rejections are forgotten',
]
const NO = 'closed with 4003 → reauthenticate; the token counts as rejected: wants another'
const UNSEEN =
  'the handshake failed, and no status was shown → retry; attempt 1 failed: waits until <time>, and may ask meanwhile whether the host answers'
const ANSWERS = 'probe: the host answers, so the token may be what fails'
const SUSPECTS =
  'the wait is over; suspects the token: the attempt failed although the host answers'

const NONE =
  'no token: auth threw Error: throw TokenRefusedError, or set isRefused, where that means signed out'

const story = (receive: Story['server']['receive'], lifetimeMs = HOUR): Story => {
  const told = storyOf({ lifetimeMs }, { diary: diary() })
  told.server.receive = receive
  return told
}

const sessionStory = async (receive: SessionStory['server']['receive']): Promise<SessionStory> => {
  const told = sessionStoryOf({}, { diary: diary() })
  told.server.receive = receive
  await told.login()
  return told
}

const CASES: Case[] = [
  [
    'works, until it is asked to stop',
    async () => {
      const { socket } = story(() => ACCEPT)
      socket.connect()
      await pass(MINUTE)
      await socket.disconnect()
      return socket
    },
    [...FIRST, ...UP, 'asked to disconnect; stays closed'],
  ],
  [
    'is rejected for ever',
    async () => {
      const { socket } = story(() => acceptFor(0, 4003))
      socket.connect()
      await pass(MINUTE)
      return socket
    },
    [
      ...FIRST,
      OPEN,
      NO,
      'session: the token is rejected for the first time: another is tried; asks for a token: rejected, fresh, because the last one was rejected',
      'session: token received: good for <span>, until <time>',
      'dials <url>',
      OPEN,
      NO,
      'session: the same token is tried once more, at <time>',
      'held back by the session until <time>: closed with 4003',
      'dials <url>',
      OPEN,
      NO,
      'session: the session is over, sign in: the token was rejected again and again (closed with 4003)',
      'the session is over; failed, sign-in: <url> rejected the token again and again: sign in, or check how the server reads the token',
    ],
  ],
  [
    'outlives its token',
    async () => {
      const { socket } = story(() => UNTIL_EXPIRY, 40 * SECOND)
      socket.connect()
      await pass(39.5 * SECOND)
      return socket
    },
    [
      ...FIRST,
      ...UP,
      'closed with 4003 → reauthenticate; the token was at its end, which is no failure: wants another',
      'session: asks for a token: renewal, fresh, because the last one has expired',
      'session: token received: good for <span>, until <time>',
      'dials <url>',
      OPEN,
    ],
  ],
  [
    'is refused unseen while the host answers: one forced refresh, and no second one',
    async () => {
      const { socket } = await sessionStory(({ number }) => (number > 2 ? ACCEPT : REFUSE))
      socket.connect()
      await pass(7 * SECOND)
      return socket
    },
    [
      'asked to connect; wants a token',
      'dials <url>',
      UNSEEN,
      ANSWERS,
      SUSPECTS,
      'session: asks for a token: fresh, once, because the host answers',
      'session: token received: good for <span>, until <time>',
      'dials <url>',
      UNSEEN.replace('1', '2'),
      ANSWERS,
      SUSPECTS,
      'session: keeps the token: it is as fresh as one can be had',
      'dials <url>',
      ...UP.slice(0, 2),
    ],
  ],
  [
    'cannot renew what it suspects',
    async () => {
      const { server } = story(() => REFUSE)
      const { socket } = storyOf(
        {},
        {
          auth: fixedToken(server.mint()),
          diary: diary(),
          WebSocket: server.WebSocket,
          url: server.url,
          fetch: server.fetch,
        },
      )
      socket.connect()
      await pass(1.5 * SECOND)
      return socket
    },
    [
      ...FIRST.slice(0, 1),
      'dials <url>',
      UNSEEN,
      ANSWERS,
      SUSPECTS,
      'session: keeps the token: it cannot be renewed',
      'dials <url>',
      UNSEEN.replace('1', '2'),
      ANSWERS,
    ],
  ],
  [
    'has a host that is gone, and a network that comes back',
    async () => {
      const page = openPage()
      const { server, socket } = story(() => REFUSE)
      server.host = 'gone'
      socket.connect()
      await pass(100)
      page.online()
      await pass(100)
      return socket
    },
    [
      ...FIRST,
      UNSEEN,
      'probe: the host does not answer, so the token is not to blame',
      'the page or the network came back; waits until <time>',
      'the wait is over; wants a token',
      'session: asks for a token: reconnect, not forced',
      'session: token received: good for <span>, until <time>',
      'dials <url>',
      UNSEEN.replace('1', '2'),
      'probe: the host does not answer, so the token is not to blame',
    ],
  ],
  [
    'has a token source that is down',
    async () => {
      const { auth, socket } = story(() => ACCEPT)
      auth.behaviour = 'down'
      socket.connect()
      await pass(SECOND)
      return socket
    },
    [
      ...FIRST.slice(0, 2),
      `session: ${NONE}: failure 1, asked again at <time>`,
      `held back by the session until <time>: ${NONE}`,
    ],
  ],
  [
    'has a token source that refuses',
    async () => {
      const { auth, socket } = story(() => ACCEPT)
      auth.behaviour = 'refuses'
      socket.connect()
      await pass(SECOND)
      return socket
    },
    [
      ...FIRST.slice(0, 2),
      'session: the session is over, sign in: refused a token: the token source refused: sign in again',
      'the session is over; failed, sign-in: the token source refused: sign in again',
    ],
  ],
  [
    'is told to wait, and to go away',
    async () => {
      const { server } = story(() => ACCEPT)
      const { socket } = storyOf(
        {},
        {
          diary: diary(),
          WebSocket: server.WebSocket,
          url: server.url,
          closePolicy: { 4000: { retryAfterMs: 2_000 }, 4001: 'stop' },
        },
      )
      server.receive = ({ number }) => acceptFor(0, number === 1 ? 4000 : 4001)
      socket.connect()
      await pass(3 * SECOND)
      return socket
    },
    [
      ...FIRST,
      OPEN,
      'closed with 4000 → not before <span> are over; attempt 1 failed: waits until <time>',
      'the wait is over; wants a token',
      'session: asks for a token: reconnect, not forced',
      'session: token received: good for <span>, until <time>',
      'dials <url>',
      OPEN,
      'closed with 4001 → stop; failed, contact-server: <url> closed the socket with 4001',
    ],
  ],
  [
    'has a socket for each room, and one of them is closed to the user',
    async () => {
      const told = storyOf({}, { diary: diary(), protocol: roomPerSocket() })
      told.server.receive = ({ room }) => (room === 'open' ? ACCEPT : acceptFor(0, 4403))
      told.socket.join('open').catch(() => {})
      await pass(MINUTE)
      told.socket.join('closed').catch(() => {})
      await pass(SECOND)
      return told.socket
    },
    [
      'room "open": asked to connect; wants a token',
      ...FIRST.slice(1, 3),
      'room "open": dials <url>',
      ...UP.map((line) => `room "open": ${line}`),
      'room "closed": asked to connect; wants a token',
      'session: asks for a token: reconnect, not forced',
      'session: token received: good for <span>, until <time>',
      'room "closed": dials <url>',
      `room "closed": ${OPEN}`,
      'room "closed": closed with 4403 → refuse-room; this room is closed to the user, the others go on',
    ],
  ],
]

describe('A socket tells of itself, when it', () => {
  test.each(CASES)('%s', async (_, tell, lines) => {
    expect(said(await tell())).toEqual(lines)
  })
})

describe('explain()', () => {
  test('keeps the last 50 lines, each with its time, in order', async () => {
    const { socket } = story(() => REFUSE)
    socket.connect()
    await pass(HOUR)
    const lines = socket.explain()
    expect(lines).toHaveLength(50)
    const times = lines.map((line) => Date.parse(line.slice(0, line.indexOf(' '))))
    expect(times).toEqual([...times].sort((one, other) => one - other))
    expect(Date.now() - (times.at(-1) ?? 0)).toBeLessThan(80 * SECOND)
  })

  test('says what to do where there is no diary', () => {
    expect(storyOf().socket.explain()).toEqual(['pass diary: diary()'])
  })

  test('hands out lines that nobody can change', async () => {
    const { socket } = story(() => ACCEPT)
    socket.connect()
    await pass(SECOND)
    const lines = socket.explain() as string[]
    lines.length = 0
    expect(socket.explain().length).toBeGreaterThan(0)
  })

  const CANARY = `eyJhbGciOiJub25lIn0.${btoa('{"sub":"ann"}')}.Q7vXw2LkR9sPzT4mHc6JdYbN`
  const ECHO = { kind: 'accept', closeAfterMs: 0, code: 4003 } as const
  test.each<[string, Partial<Parameters<typeof storyOf>[1]> & object]>([
    ['whose server rejects it', {}],
    ['whose source throws it', { auth: () => Promise.reject(new Error(CANARY)) }],
    ['that stands in the query of its URL', { url: `ws://localhost/?jwt=${CANARY}` }],
    [
      'that its URL function throws',
      {
        url: () => {
          throw new Error(CANARY)
        },
      },
    ],
  ])('holds no part of a token %s', async (_, options) => {
    const { server, socket } = storyOf({}, { auth: () => CANARY, diary: diary(), ...options })
    server.receive = () => ECHO
    socket.connect()
    await pass(MINUTE)
    const lines = socket.explain()
    expect(lines.length).toBeGreaterThan(2)
    expect(findLeaks([CANARY], [{ where: 'explain', text: lines.join('\n') }])).toEqual([])
  })

  test('holds nothing of the reason of a close, which the server may make of the token', async () => {
    const { server, socket } = story(() => ACCEPT)
    socket.connect()
    await pass(SECOND)
    server.closeAll(4003, CANARY)
    await pass(SECOND)
    const text = socket.explain().join('\n')
    expect(text).toContain('closed with 4003')
    expect(findLeaks([CANARY], [{ where: 'explain', text }])).toEqual([])
  })
})
