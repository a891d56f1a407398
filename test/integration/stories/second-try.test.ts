/** A server whose auth backend is down for half a minute rejects everybody: nobody is signed out for good by it. */
import { describe, expect, test } from 'vitest'
import {
  type AuthedSocket,
  type AuthedSocketOptions,
  fixedToken,
  passwordGrant,
  roomPerSocket,
  simpleJwt,
  TokenRefusedError,
} from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  openPage,
  outcomeOf,
  pass,
  record,
  SECOND,
  type StoryServer,
  sessionStoryOf,
  storyOf,
  tellStories,
  timersLeft,
  until,
} from '../../support/story.ts'

tellStories()

type Page = ReturnType<typeof openPage>
const REJECT = acceptFor(0, 4003)

/** Rejects everybody until it is healed. */
const rejecting = (server: StoryServer) => {
  let healthy = false
  server.receive = () => (healthy ? ACCEPT : REJECT)
  return () => {
    healthy = true
  }
}

const NEWS: readonly [string, (page: Page) => void][] = [
  ['online', (page) => page.online()],
  ['visible', (page) => page.becomes('visible')],
  ['pageshow', (page) => page.shows()],
]
const CLICKS: readonly [string, (socket: AuthedSocket) => Promise<void>][] = [
  ['connect()', (socket) => socket.connect()],
  ['reconnect()', (socket) => socket.reconnect()],
  ['reauthenticate()', (socket) => socket.reauthenticate()],
]

/** How each kind of session is signed in. */
const SOURCES: readonly [string, (server: StoryServer) => Promise<AuthedSocketOptions['auth']>][] =
  [
    ['a function', async (server) => async () => server.mint()],
    ['a fixed token', async (server) => fixedToken(server.mint())],
    [
      'a session that refreshes',
      async (server) => {
        const { fetch, origin } = server
        const session = simpleJwt({
          obtain: `${origin}/obtain`,
          refresh: `${origin}/refresh`,
          fetch,
        })
        const done = session.login({ username: 'ann', password: 'secret' })
        await pass(100)
        await done
        return session
      },
    ],
    [
      'a session that cannot refresh',
      async (server) => {
        const fetch = async () => Response.json({ access_token: server.mint() })
        const session = passwordGrant({ url: `${server.origin}/token`, fetch })
        const done = session.login({ username: 'ann', password: 'secret' })
        await pass(100)
        await done
        return session
      },
    ],
  ]

describe.each(SOURCES)('%s, rejected for half a minute', (_, sourceOf) => {
  const failed = async () => {
    const page = openPage()
    const { server, socket: first } = storyOf()
    await first.disconnect()
    const { socket } = storyOf(
      {},
      { auth: await sourceOf(server), WebSocket: server.WebSocket, url: server.url },
    )
    const heal = rejecting(server)
    const recorded = record(socket)
    socket.connect()
    await until(() => socket.state === 'failed', MINUTE)
    return { page, server, socket, heal, ...recorded }
  }

  test.each(NEWS)('is connected again by %s, once the server is well', async (_news, tell) => {
    const { page, socket, heal, events, server } = await failed()
    const { length } = server.dials
    heal()
    await pass(HOUR / 4)
    expect([socket.state, server.dials.length]).toEqual(['failed', length])
    tell(page)
    await until(() => socket.state === 'connected', 10 * SECOND)
    expect(server.dials.length).toBe(length + 1)
    expect(events.filter((event) => event === 'signinrequired').length).toBeLessThanOrEqual(1)
    await pass(HOUR / 4)
    expect([socket.state, server.dials.length]).toEqual(['connected', length + 1])
  })

  test.each(CLICKS)('is connected again by %s', async (_verb, click) => {
    const { socket, heal } = await failed()
    heal()
    await pass(MINUTE)
    const done = outcomeOf(click(socket))
    await until(() => socket.state === 'connected', 10 * SECOND)
    expect(done.is).toBe('done')
  })

  test('shows nothing of a try that is rejected again, and asks for no more', async () => {
    const { page, socket, server, events, states } = await failed()
    const [dials, requests, heard, seen] = [
      server.dials.length,
      server.tokenRequests.length,
      events.length,
      states.length,
    ]
    await pass(MINUTE)
    const { status } = socket
    for (const [, tell] of NEWS) tell(page)
    await pass(10 * MINUTE)
    expect(server.dials.length).toBe(dials + 1)
    expect(server.tokenRequests.length - requests).toBeLessThanOrEqual(1)
    expect([events.length, states.length]).toEqual([heard, seen])
    expect(socket.status).toMatchObject({ ...status, error: { message: expect.any(String) } })
    expect(await timersLeft()).toBe(0)
  })

  test('tries once in half a minute, however much the network flaps, and later tries help too', async () => {
    const { page, socket, server, heal } = await failed()
    const { length } = server.dials
    for (let n = 0; n < 60; n++) {
      page.online()
      await pass(5 * SECOND)
    }
    expect(server.dials.length - length).toBeLessThanOrEqual(11)
    heal()
    await pass(30 * SECOND)
    page.online()
    await until(() => socket.state === 'connected', 10 * SECOND)
  })

  test('is connected by a click that comes while the page tries', async () => {
    const { page, socket, heal } = await failed()
    heal()
    page.becomes('visible')
    const done = outcomeOf(socket.connect())
    await until(() => socket.state === 'connected', 10 * SECOND)
    expect(done.is).toBe('done')
  })
})

test('A session is signed out until the one more dial has settled, and says so once', async () => {
  const page = openPage()
  const { server, session, socket, login } = sessionStoryOf()
  const said: string[] = []
  session.on('signedin', () => said.push('in'))
  session.on('signedout', () => said.push('out'))
  const heal = rejecting(server)
  await login()
  socket.connect()
  await until(() => socket.state === 'failed', MINUTE)
  page.online()
  await pass(MINUTE)
  expect([said, session.signedIn]).toEqual([['in', 'out'], false])
  heal()
  page.online()
  await until(() => session.signedIn, 20 * SECOND)
  expect([socket.state, said]).toEqual(['connected', ['in', 'out', 'in']])
})

test('All sockets and rooms of a session come back, one of them first', async () => {
  const page = openPage()
  const { server, socket, another, login } = sessionStoryOf({}, { protocol: roomPerSocket() })
  const other = another()
  const heal = rejecting(server)
  await login()
  const rooms = [socket.room('a'), socket.room('b'), other.room('c')]
  for (const room of rooms) room.join()
  await until(() => [socket, other].every(({ state }) => state === 'failed'), MINUTE)
  const { length } = server.dials
  page.online()
  await pass(10 * SECOND)
  expect(server.dials.length).toBe(length + 1)
  heal()
  await pass(30 * SECOND)
  page.online()
  await until(() => rooms.every(({ state }) => state === 'joined'), 20 * SECOND)
  expect(server.dials.length).toBe(length + 1 + 3)
})

describe('Controls: no news of the page tries', () => {
  const quiet = async (story: ReturnType<typeof storyOf>, page: Page, isSo: () => boolean) => {
    story.socket.connect()
    await until(isSo, MINUTE)
    const before = [story.server.dials.length, story.auth.calls.length]
    for (const [, tell] of NEWS) {
      tell(page)
      await pass(MINUTE)
    }
    expect([story.server.dials.length, story.auth.calls.length]).toEqual(before)
  }
  const isFailed =
    ({ socket }: ReturnType<typeof storyOf>) =>
    () =>
      socket.state === 'failed'

  test('where the token source refused', async () => {
    const page = openPage()
    const story = storyOf()
    story.auth.behaviour = 'refuses'
    await quiet(story, page, isFailed(story))
  })

  test('where nobody is signed in', async () => {
    const page = openPage()
    const story = storyOf()
    story.auth.behaviour = 'signed out'
    await quiet(story, page, isFailed(story))
  })

  test('where the source refuses the one more try', async () => {
    const page = openPage()
    const story = storyOf()
    rejecting(story.server)
    story.socket.connect()
    await until(isFailed(story), MINUTE)
    story.auth.behaviour = 'refuses'
    page.online()
    await pass(MINUTE)
    expect(story.socket.status).toMatchObject({ error: expect.any(TokenRefusedError) })
    const { length } = story.auth.calls
    page.online()
    await pass(MINUTE)
    expect(story.auth.calls).toHaveLength(length)
  })

  test.each([
    ['sign-in', { 4700: 'sign-in' }],
    ['stop', { 4700: 'stop' }],
  ] as const)('where the server said %s', async (_, closePolicy) => {
    const page = openPage()
    const story = storyOf({}, { closePolicy })
    story.server.receive = () => acceptFor(0, 4700)
    await quiet(story, page, isFailed(story))
  })

  test('after disconnect()', async () => {
    const page = openPage()
    const story = storyOf()
    rejecting(story.server)
    story.socket.connect()
    await until(isFailed(story), MINUTE)
    await story.socket.disconnect()
    const { length } = story.server.dials
    page.online()
    await pass(MINUTE)
    expect(story.server.dials).toHaveLength(length)
  })

  test('after logout()', async () => {
    const page = openPage()
    const { server, session, socket, login, refreshes } = sessionStoryOf()
    rejecting(server)
    await login()
    socket.connect()
    await until(() => socket.state === 'failed', MINUTE)
    await session.logout()
    const before = [server.dials.length, refreshes()]
    page.online()
    await pass(MINUTE)
    expect([server.dials.length, refreshes()]).toEqual(before)
  })

  test('with a token that has ended meanwhile and cannot be replaced: it is never sent', async () => {
    const page = openPage()
    const { server } = storyOf()
    const auth = fixedToken(server.mint(), { expiresInMs: 10 * MINUTE })
    const { socket } = storyOf({}, { auth, WebSocket: server.WebSocket, url: server.url })
    rejecting(server)
    socket.connect()
    await until(() => socket.state === 'failed', MINUTE)
    await pass(10 * MINUTE)
    const { length } = server.dials
    page.online()
    await pass(MINUTE)
    expect(server.dials).toHaveLength(length)
    expect(socket.status).toMatchObject({ state: 'failed', error: { code: 'TOKEN_INVALID' } })
  })
})
