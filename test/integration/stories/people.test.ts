/** Who is who: by what tokens say, on every way by which somebody comes to a session. */
import { describe, expect, test } from 'vitest'
import { type AuthAnswer, type AuthedSocket, plain, TokenRefusedError } from '../../../src/index.ts'
import { leaveThings, PAIRS, ROOMS, tokenOf } from '../../support/people.ts'
import {
  ACCEPT,
  acceptFor,
  MINUTE,
  outcomeOf,
  pass,
  record,
  SECOND,
  sessionStoryOf,
  storyOf,
  tellStories,
} from '../../support/story.ts'

tellStories()

const CREDENTIALS = { username: 'whoever', password: 'secret' }

describe('A session', () => {
  /** Its server gives these tokens, one after the other. */
  const startWith = async (...tokens: string[]) => {
    const story = sessionStoryOf({}, ROOMS)
    story.server.mint = () => tokens.shift() ?? 'none'
    await story.login()
    return story
  }

  describe.each(PAIRS)('that signs in again: $name', ({ first, second, person }) => {
    test(`is of ${person === 'same' ? 'the same person' : 'somebody else'}`, async () => {
      const { server, socket, session } = await startWith(first, second)
      const things = await leaveThings(server, socket)
      session.login(CREDENTIALS)
      await pass(SECOND)
      server.receive = () => ACCEPT
      expect(await things.fate()).toBe(person === 'same' ? 'kept' : 'gone')
    })

    test('is of somebody else after switch()', async () => {
      const { server, socket, session } = await startWith(first, second)
      const things = await leaveThings(server, socket)
      session.switch(CREDENTIALS)
      await pass(SECOND)
      server.receive = () => ACCEPT
      expect(await things.fate()).toBe('gone')
    })

    test.each(['login', 'switch'] as const)('speaks on its own socket after %s()', async (verb) => {
      const { server, socket, session } = await startWith(first, second)
      const lobby = socket.room('lobby')
      lobby.join()
      await pass(MINUTE)
      session[verb](CREDENTIALS)
      await pass(SECOND)
      lobby.join()
      await pass(SECOND)
      lobby.send('of the second one')
      await pass(SECOND)
      const isSame = person === 'same' && verb === 'login'
      expect(server.received.map(({ dial }) => dial.token)).toEqual([isSame ? first : second])
      expect(server.openSockets).toBe(1)
    })
  })

  test.each(PAIRS)('that renews goes on, or takes no other name: $name', async (pair) => {
    const { socket, session } = await startWith(pair.first, pair.second)
    const lobby = socket.room('lobby')
    lobby.join()
    await pass(MINUTE)
    const outcome = outcomeOf(socket.reauthenticate())
    await pass(SECOND)
    const isRefused = outcome.is === 'TokenInvalidError'
    // What both say differs; all else may be the same person.
    expect(isRefused && pair.person === 'same').toBe(false)
    expect([lobby.state, session.signedIn, socket.state]).toEqual(['joined', true, 'connected'])
    if (!isRefused && pair.first !== pair.second) expect(outcome.is).toBe('done')
  })

  test.each([
    ['an opaque one', 'opaque-1', 'opaque-2'],
    ['a claim that is left out', '{"iss":"a","sub":"ann"}', '{"sub":"ann"}'],
    ['a claim that is told later', '{"sub":"ann"}', '{"iss":"a","sub":"ann","user_id":7}'],
    ['an id that cannot be read', '{"sub":{"a":1}}', '{"sub":{"a":2}}'],
    ['no name any more', '{"sub":"ann"}', '{"jti":"2"}'],
  ])('that renews goes on: %s', async (_, first, second) => {
    const tokens = [first, second].map((text) => (text.startsWith('{') ? tokenOf(text) : text))
    const { server, socket } = await startWith(...tokens)
    const lobby = socket.room('lobby')
    lobby.join()
    await pass(MINUTE)
    const outcome = outcomeOf(socket.reauthenticate())
    await pass(SECOND)
    expect([outcome.is, lobby.state]).toEqual(['done', 'joined'])
    expect(server.dials.map(({ token }) => token)).toEqual(tokens)
  })

  test('is not led from one to another by renewals that leave out a claim each', async () => {
    const tokens = ['{"sub":"ann"}', '{"user_id":7}', '{"sub":"bob","user_id":7}'].map(tokenOf)
    const { socket } = await startWith(...tokens)
    socket.room('lobby').join()
    await pass(MINUTE)
    const outcomes: string[] = []
    for (let renewals = 0; renewals < 2; renewals++) {
      const outcome = outcomeOf(socket.reauthenticate())
      await pass(MINUTE)
      outcomes.push(outcome.is)
    }
    expect(outcomes).toEqual(['done', 'TokenInvalidError'])
  })

  test.each([
    ['switch', 'opaque-2'],
    ['switch', tokenOf('{"sub":"ann"}')],
    ['login', tokenOf('{"sub":"bob"}')],
    ['logout', tokenOf('{"sub":"bob"}')],
  ] as const)(
    'that changed hands by %s() while its socket was disconnected',
    async (verb, second) => {
      const { server, socket, session } = await startWith(tokenOf('{"sub":"ann"}'), second)
      const lobby = socket.room('lobby')
      lobby.join()
      await pass(MINUTE)
      const left: string[] = []
      lobby.on('left', ({ reason }) => left.push(reason))
      const stream = lobby[Symbol.asyncIterator]()
      const read = outcomeOf(stream.next())
      await socket.disconnect()
      if (verb === 'logout') session.logout()
      session[verb === 'logout' ? 'login' : verb](CREDENTIALS)
      await pass(SECOND)
      const dials = server.dials.length
      socket.connect()
      await pass(MINUTE)
      expect([lobby.state, left, read.is]).toEqual(['idle', ['signed-out'], 'done'])
      expect([socket.state, server.dials.length]).toEqual(['connected', dials])
    },
  )
})

describe('The third renewal in a row that is somebody else’s', () => {
  test.each(['a session', 'a function'] as const)(
    'ends %s, and the user is asked',
    async (kind) => {
      const tokens = { who: 'ann' }
      const mint = () => tokenOf(`{"sub":"${tokens.who}"}`)
      const asked: number[] = []
      const story =
        kind === 'a session'
          ? sessionStoryOf()
          : storyOf(
              {},
              {
                auth: () => {
                  asked.push(Date.now())
                  return mint()
                },
              },
            )
      const { server, socket } = story
      server.mint = mint
      if ('login' in story) await story.login()
      socket.connect()
      await pass(MINUTE)
      const requests = () => asked.length + server.tokenRequests.length
      const before = requests()
      tokens.who = 'bob'
      const { events } = record(socket)
      server.closeAll(4401)
      await pass(SECOND)
      expect(socket.status).toMatchObject({ state: 'waiting', error: { code: 'TOKEN_INVALID' } })
      await pass(10 * MINUTE)
      expect(socket.status).toMatchObject({
        state: 'failed',
        action: 'sign-in',
        error: { code: 'TOKEN_INVALID' },
      })
      expect([requests() - before, server.dials.length]).toEqual([3, 1])
      expect(events).toContain('signinrequired')
      // Whoever it is may come now.
      if ('login' in story) story.login('bob')
      else socket.connect()
      await pass(MINUTE)
      expect([socket.state, socket.identity]).toEqual(['connected', 'bob'])
    },
  )

  test('is counted anew once the right one came', async () => {
    const answers = ['ann', 'bob', 'bob', 'ann', 'bob', 'bob', 'ann']
    const auth = () => tokenOf(`{"sub":"${answers.shift() ?? 'ann'}"}`)
    const { server, socket } = storyOf({}, { auth })
    socket.connect()
    await pass(MINUTE)
    for (let round = 0; round < 2; round++) {
      server.closeAll(4401)
      await pass(MINUTE)
      expect([socket.state, socket.identity]).toEqual(['connected', 'ann'])
    }
    expect(answers).toEqual([])
  })
})

describe('A function', () => {
  const startWith = (first: string, second: AuthAnswer, options = {}) => {
    const state: { answer: () => AuthAnswer } = { answer: () => first }
    const story = storyOf({}, { ...ROOMS, auth: () => state.answer(), ...options })
    return { ...story, state, turn: () => Object.assign(state, { answer: () => second }) }
  }

  describe.each(PAIRS)('whose next answer may be anybody’s: $name', ({ first, second, person }) => {
    const expected = person === 'same' ? 'kept' : 'gone'

    test('after disconnect()', async () => {
      const { server, socket, turn } = startWith(first, second)
      const things = await leaveThings(server, socket)
      socket.disconnect()
      turn()
      server.receive = () => ACCEPT
      socket.connect()
      expect(await things.fate()).toBe(expected)
    })

    test('after null', async () => {
      const { server, socket, state, turn } = startWith(first, second)
      const things = await leaveThings(server, socket)
      state.answer = () => null
      await pass(MINUTE)
      expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
      turn()
      server.receive = () => ACCEPT
      socket.connect()
      expect(await things.fate()).toBe(expected)
    })

    test('after it was refused', async () => {
      const { server, socket, state, turn } = startWith(first, second)
      const things = await leaveThings(server, socket)
      state.answer = () => {
        throw new TokenRefusedError()
      }
      await pass(MINUTE)
      expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
      turn()
      server.receive = () => ACCEPT
      socket.connect()
      expect(await things.fate()).toBe(expected)
    })

    test('after the server rejected it again and again', async () => {
      const { server, socket, turn } = startWith(first, second)
      const things = await leaveThings(server, socket)
      server.receive = () => acceptFor(100, 4003)
      await pass(MINUTE)
      expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
      server.received.length = 0
      const rejected = server.dials.length
      turn()
      server.receive = () => ACCEPT
      socket.connect()
      await pass(SECOND)
      expect(server.dials.length - rejected).toBe(person === 'same' ? 1 : 0)
      expect(things.lobby.state).toBe(person === 'same' ? 'joined' : 'idle')
    })
  })

  const BOB = tokenOf('{"sub":"bob"}')
  const ANN = tokenOf('{"sub":"ann"}')

  test.each([
    ['reconnect()', (socket: AuthedSocket) => socket.reconnect()],
    ['reauthenticate()', (socket: AuthedSocket) => socket.reauthenticate()],
    [
      'tokenChanged() and connect()',
      (socket: AuthedSocket) => {
        socket.tokenChanged()
        return socket.connect()
      },
    ],
    ['join()', (socket: AuthedSocket) => socket.join('of bob').then(() => {})],
  ])('after disconnect() serves whoever comes by %s', async (_, comes) => {
    const { server, socket, turn } = startWith(ANN, BOB)
    const things = await leaveThings(server, socket)
    socket.disconnect()
    turn()
    server.receive = () => ACCEPT
    const came = outcomeOf(comes(socket))
    await pass(MINUTE)
    expect([came.is, socket.state, socket.identity]).toEqual(['done', 'connected', 'bob'])
    expect(things.lobby.state).toBe('idle')
    expect(server.dials.filter(({ token }) => token === BOB).map(({ room }) => room)).toEqual(
      server.dials.at(-1)?.room === 'of bob' ? ['of bob'] : [],
    )
  })

  test('keeps what the next one asked for before the answer came', async () => {
    const { server, socket, turn } = startWith(ANN, BOB)
    const things = await leaveThings(server, socket)
    const old = things.lobby[Symbol.asyncIterator]()
    socket.disconnect()
    turn()
    server.receive = () => ACCEPT
    const stream = things.lobby[Symbol.asyncIterator]()
    const read = stream.next()
    const joined = outcomeOf(things.lobby.join())
    const room = socket.room('of bob')
    const other = outcomeOf(room.join())
    const sent = outcomeOf(room.send('of bob'))
    await pass(MINUTE)
    expect([joined.is, other.is, sent.is]).toEqual(['done', 'done', 'done'])
    expect(await old.next()).toEqual({ done: true, value: undefined })
    server.say('"for bob"')
    await pass(SECOND)
    expect(await read).toMatchObject({ value: { data: 'for bob' } })
    expect(server.received.map(({ data, dial }) => [data, dial.token])).toEqual([['"of bob"', BOB]])
  })

  test('that changes while a socket is wanted is refused, and says so', async () => {
    const { server, socket, turn } = startWith(ANN, BOB)
    const lobby = socket.room('lobby')
    lobby.join()
    await pass(MINUTE)
    turn()
    const outcomes = [socket.tokenChanged(), socket.reauthenticate()].map(outcomeOf)
    await pass(SECOND)
    expect(outcomes.map(({ is }) => is)).toEqual(['TokenInvalidError', 'TokenInvalidError'])
    expect([socket.state, socket.identity, lobby.state]).toEqual(['connected', 'ann', 'joined'])
    expect(server.dials).toHaveLength(1)
  })

  test('after null serves the next one also where the first one’s socket is open still', async () => {
    const { server, socket, state, turn } = startWith(ANN, BOB)
    const lobby = socket.room('lobby')
    lobby.join()
    await pass(MINUTE)
    const left: string[] = []
    lobby.on('left', ({ reason }) => left.push(reason))
    state.answer = () => null
    const gone = outcomeOf(socket.tokenChanged())
    await pass(SECOND)
    expect([gone.is, socket.state]).toEqual(['TokenRefusedError', 'connected'])
    turn()
    const came = outcomeOf(socket.reauthenticate())
    await pass(SECOND)
    expect([came.is, socket.identity, left]).toEqual(['done', 'bob', ['signed-out']])
    expect(server.openSockets).toBe(0)
  })

  test('does not let a stranger in by the rejections of the one before', async () => {
    const { server, socket, turn } = startWith(ANN, BOB)
    server.receive = () => acceptFor(100, 4003)
    socket.room('lobby').join()
    await pass(2 * SECOND)
    expect(socket.state).toBe('waiting')
    const before = server.dials.length
    socket.disconnect()
    turn()
    server.receive = () => ACCEPT
    await pass(MINUTE)
    socket.join('of bob')
    await pass(MINUTE)
    expect(server.dials.slice(before).map(({ token }) => token)).toEqual([BOB])
  })

  test.each([
    ['the same name', 'ann', 'ann', 'kept'],
    ['another name', 'ann', 'bob', 'gone'],
    ['no name', undefined, undefined, 'gone'],
    ['a name that is empty', '', '', 'gone'],
  ])('with opaque tokens and identify: %s', async (_, before, after, fate) => {
    let who = before
    const { server, socket, turn } = startWith('opaque-1', 'opaque-2', { identify: () => who })
    const things = await leaveThings(server, socket)
    socket.disconnect()
    turn()
    who = after
    server.receive = () => ACCEPT
    socket.connect()
    expect(await things.fate()).toBe(fate)
  })
})

describe('identify', () => {
  const claimsOf = async (payload: string): Promise<unknown> => {
    const seen: unknown[] = []
    const { socket } = storyOf(
      {},
      {
        auth: () => tokenOf(payload),
        identify: (claims) => {
          seen.push(claims)
          return undefined
        },
      },
    )
    socket.connect()
    await pass(SECOND)
    return seen[0]
  }

  test('gets large numbers as text, wherever they stand', async () => {
    const tenant = '{"sub":1234567890123456769,"user_id":12,"org":{"ids":[1234567890123456768,3]}}'
    expect(await claimsOf(tenant)).toEqual({
      sub: '1234567890123456769',
      user_id: 12,
      raw: {
        sub: '1234567890123456769',
        user_id: 12,
        org: { ids: ['1234567890123456768', 3] },
      },
    })
  })

  test('tells tenants apart that only a claim of their own names', async () => {
    const story = sessionStoryOf({}, ROOMS)
    const { server, session } = story
    const socket = story.another({ identify: ({ raw, sub }) => `${raw['tenant']} ${sub}` })
    let tenant = 'acme'
    server.mint = () => tokenOf(`{"sub":"1","tenant":"${tenant}"}`)
    await story.login()
    const things = await leaveThings(server, socket)
    // Another socket of the session does not know better.
    story.another({ protocol: plain() })
    tenant = 'globex'
    session.login(CREDENTIALS)
    await pass(SECOND)
    server.receive = () => ACCEPT
    expect(await things.fate()).toBe('gone')
    expect(socket.identity).toBe('globex 1')
  })

  test('that comes after the first token refuses no renewal', async () => {
    const story = sessionStoryOf({}, ROOMS)
    await story.login()
    const socket = story.another({ identify: ({ sub }) => `user ${sub}` })
    socket.connect()
    await pass(SECOND)
    const outcome = outcomeOf(socket.reauthenticate())
    await pass(SECOND)
    expect([outcome.is, socket.identity]).toEqual(['done', 'user ann'])
  })
})
