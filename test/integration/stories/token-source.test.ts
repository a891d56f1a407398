import { describe, expect, test } from 'vitest'
import { plain, roomPerSocket, TokenUnavailableError } from '../../../src/index.ts'
import {
  HOUR,
  MINUTE,
  openPage,
  outcomeOf,
  pass,
  record,
  SECOND,
  seed,
  sessionStoryOf,
  storyOf,
  tellStories,
  until,
} from '../../support/story.ts'

tellStories()

describe('A token source that is down', () => {
  test.each([1, 2, 3, 4, 5])('is asked 14 times in ten minutes at most (seed %i)', async (n) => {
    seed(n)
    const { server, auth, socket } = storyOf()
    auth.behaviour = 'down'
    const { states } = record(socket)
    socket.connect()

    await pass(10 * MINUTE)
    expect(auth.calls.length).toBeLessThanOrEqual(14)
    expect(auth.calls.length).toBeGreaterThanOrEqual(8)
    expect(server.dials).toEqual([])
    expect(states).not.toContain('failed')

    auth.behaviour = 'up'
    await pass(2 * MINUTE)
    expect(socket.state).toBe('connected')
  })

  test('shows in the status when it is asked again, and why it has to be', async () => {
    const { auth, socket } = storyOf()
    auth.behaviour = 'down'
    socket.connect()
    await until(() => socket.state === 'waiting', SECOND)
    const { status } = socket
    if (status.state !== 'waiting') throw new Error(status.state)
    expect(status.error).toBeInstanceOf(TokenUnavailableError)
    expect(status.retryAt - Date.now()).toBeLessThanOrEqual(4 * SECOND)
    expect(status.retryAt - Date.now()).toBeGreaterThanOrEqual(SECOND)
    await until(() => auth.calls.length === 2, MINUTE, 1)
    expect(Math.abs((auth.calls[1]?.at ?? 0) - status.retryAt)).toBeLessThanOrEqual(2)
  })

  test('is asked again also where no room has a socket yet', async () => {
    const { auth, socket } = storyOf({}, { protocol: roomPerSocket() })
    auth.behaviour = 'down'
    socket.connect()
    await pass(5 * MINUTE)
    expect(auth.calls.length).toBeGreaterThan(5)
    auth.behaviour = 'up'
    await pass(2 * MINUTE)
    expect(socket.state).toBe('connected')
  })

  test.each([
    ['a socket', plain()],
    ['rooms, and none has a socket yet', roomPerSocket()],
  ])('shows since when it is down: %s', async (_name, protocol) => {
    const { auth, socket } = storyOf({}, { protocol })
    auth.behaviour = 'down'
    const begun = Date.now()
    socket.connect()
    await pass(SECOND)
    const { status } = socket
    if (status.state !== 'waiting') throw new Error(status.state)
    expect(status.error).toBeInstanceOf(TokenUnavailableError)
    expect(status.retryAt).toBeGreaterThan(Date.now())
    expect(status.downSince).toBeLessThanOrEqual(begun + 100)
  })

  test('leaves a live socket alone, which is kept and used', async () => {
    const story = sessionStoryOf({ lifetimeMs: 5 * MINUTE }, { protocol: roomPerSocket() })
    const { server, socket } = story
    await story.login()
    const lobby = socket.room('lobby')
    const { states } = record(socket)
    lobby.join()
    await pass(MINUTE)
    expect(lobby.state).toBe('joined')

    // The token expires, and another room would need a new one.
    server.tokens = 'down'
    await pass(5 * MINUTE)
    const joining = outcomeOf(socket.room('other').join())
    await pass(10 * MINUTE)
    expect(joining.is).toBe('open')
    expect(story.refreshes()).toBeLessThanOrEqual(14)
    expect(lobby.state).toBe('joined')
    expect(socket.state).toBe('connected')
    await lobby.send('still here')
    await pass(SECOND)
    expect(server.received.map(({ data }) => data)).toEqual(['"still here"'])
    expect(server.dials).toHaveLength(1)

    server.tokens = 20
    await pass(3 * MINUTE)
    expect(joining.is).toBe('done')
    expect(states).not.toContain('failed')
  })

  test('that is down when a live token is to be replaced costs nothing but an error', async () => {
    const { server, auth, socket } = storyOf()
    socket.connect()
    await pass(MINUTE)
    auth.behaviour = 'down'
    const outcome = outcomeOf(socket.reauthenticate())
    await pass(MINUTE)
    expect(outcome.is).toBe('TokenUnavailableError')
    expect(socket.state).toBe('connected')
    expect(server.dials).toHaveLength(1)
    expect(auth.calls).toHaveLength(2)
  })

  test('is asked at once when the network is back, once in 5 s', async () => {
    const page = openPage()
    const { auth, socket } = storyOf()
    auth.behaviour = 'down'
    socket.connect()
    await pass(10 * MINUTE)
    await until(() => socket.state === 'waiting', SECOND)
    const before = auth.calls.length
    for (let i = 0; i < 20; i++) {
      page.online()
      await pass(200)
    }
    expect(auth.calls.length - before).toBe(1)
  })

  test('is asked at once by reconnect()', async () => {
    const { auth, socket } = storyOf()
    auth.behaviour = 'down'
    socket.connect()
    await pass(10 * MINUTE)
    await until(() => socket.state === 'waiting', SECOND)
    auth.behaviour = 'up'
    const before = auth.calls.length
    socket.reconnect()
    await pass(SECOND)
    expect(auth.calls.length - before).toBe(1)
    expect(socket.state).toBe('connected')
  })

  test('has its Retry-After obeyed, whatever the page says', async () => {
    const page = openPage()
    let asked = 0
    const { socket } = storyOf(
      {},
      {
        auth: () => {
          asked++
          throw new TokenUnavailableError('busy', { retryAfterMs: 5 * MINUTE })
        },
      },
    )
    socket.connect()
    await pass(SECOND)
    for (let i = 0; i < 290; i++) {
      page.online()
      await pass(SECOND)
    }
    expect(asked).toBe(1)
    await pass(10 * SECOND)
    expect(asked).toBe(2)
  })
})

describe('A token source that hangs', () => {
  test('is given up after tokenTimeoutMs, and asked again', async () => {
    const { server, auth, socket } = storyOf({}, { tokenTimeoutMs: 3 * SECOND })
    auth.behaviour = 'hangs'
    socket.connect()
    await pass(3 * SECOND - 10)
    expect(socket.state).toBe('authenticating')
    await pass(20)
    expect(socket.status).toMatchObject({
      state: 'waiting',
      error: expect.any(TokenUnavailableError),
    })

    auth.behaviour = 'up'
    await pass(5 * SECOND)
    expect(auth.calls).toHaveLength(2)
    expect(server.dials).toHaveLength(1)
    expect(socket.state).toBe('connected')
  })

  test('costs 14 requests in ten minutes at most, like one that is down', async () => {
    const { auth, socket } = storyOf()
    auth.behaviour = 'hangs'
    socket.connect()
    await pass(10 * MINUTE)
    expect(auth.calls.length).toBeLessThanOrEqual(14)
    expect(auth.calls.length).toBeGreaterThanOrEqual(6)
  })

  test('is not asked twice with one refresh token: its late answer is used', async () => {
    const story = sessionStoryOf({ lifetimeMs: MINUTE })
    const { server, socket } = story
    await story.login()
    await pass(2 * MINUTE)
    server.tokens = 25 * SECOND
    socket.connect()
    await pass(11 * SECOND)
    expect(socket.status).toMatchObject({
      state: 'waiting',
      error: expect.any(TokenUnavailableError),
    })
    await pass(13 * SECOND)
    expect(story.refreshes()).toBe(1)
    expect(socket.state).not.toBe('connected')
    await pass(2 * SECOND)
    expect(socket.state).toBe('connected')
    expect(story.refreshes()).toBe(1)
  })

  test('is asked again after 30 s, also for a rotating refresh', async () => {
    const story = sessionStoryOf({ lifetimeMs: MINUTE })
    const { server, socket } = story
    await story.login()
    await pass(2 * MINUTE)
    server.tokens = HOUR
    socket.connect()
    await pass(29 * SECOND)
    expect(story.refreshes()).toBe(1)
    server.tokens = 20
    await pass(20 * SECOND)
    expect(story.refreshes()).toBe(2)
    expect(socket.state).toBe('connected')
  })
})

describe('A token source that says no', () => {
  test('ends the session: one request, no dial, and silence', async () => {
    const { server, auth, socket } = storyOf()
    auth.behaviour = 'refuses'
    const { events } = record(socket)
    const connecting = outcomeOf(socket.connect())
    await pass(HOUR)
    expect(connecting.is).toBe('TokenRefusedError')
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect([auth.calls.length, server.dials.length]).toEqual([1, 0])
    expect(events).toEqual(['signinrequired'])
  })

  test('ends the session and not the live socket, which is kept until it closes', async () => {
    const story = sessionStoryOf()
    const { server, socket, session } = story
    await story.login()
    const { events } = record(socket)
    socket.connect()
    await pass(MINUTE)
    server.tokens = 'refuses'
    const outcome = outcomeOf(socket.reauthenticate())
    await pass(MINUTE)
    expect(outcome.is).toBe('TokenRefusedError')
    expect(session.signedIn).toBe(false)
    expect(socket.state).toBe('connected')
    socket.send('still here')
    await pass(HOUR)
    expect(server.received.map(({ data }) => data)).toEqual(['"still here"'])
    expect(events).toEqual(['connected'])

    server.closeAll(1006)
    await pass(HOUR)
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect([server.dials.length, story.refreshes()]).toEqual([1, 1])
    expect(events).toContain('signinrequired')
  })

  test('is asked once more by connect(), and by nothing else', async () => {
    const { auth, socket } = storyOf()
    auth.behaviour = 'refuses'
    socket.connect()
    await pass(MINUTE)
    expect(outcomeOf(socket.send('hi')).is).toBe('open')
    await pass(MINUTE)
    expect(auth.calls).toHaveLength(1)
    auth.behaviour = 'up'
    socket.connect()
    await pass(MINUTE)
    expect(auth.calls.length).toBeLessThanOrEqual(2)
    expect(socket.state).toBe('connected')
  })
})
