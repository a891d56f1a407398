/** Who can mend a rejection: a person who signs in again, or whoever wrote where the token goes. */
import { describe, expect, test } from 'vitest'
import {
  type AuthedSocket,
  type AuthedSocketOptions,
  fixedToken,
  passwordGrant,
  type Session,
  simpleJwt,
} from '../../../src/index.ts'
import {
  ACCEPT,
  acceptFor,
  HOUR,
  MINUTE,
  openPage,
  pass,
  record,
  SECOND,
  type StoryServer,
  storyOf,
  tellStories,
  until,
} from '../../support/story.ts'

tellStories()

const REJECT = acceptFor(0, 4003)
const ANN = { username: 'ann', password: 'secret' }

const done = async <Value>(promise: Promise<Value>): Promise<Value> => {
  await pass(200)
  return promise
}

/** What an earlier page left. */
const store = () => {
  let kept: string | null = null
  return {
    get: () => kept,
    set: (value: string | null) => {
      kept = value
    },
  }
}

const refreshing = ({ origin, fetch }: StoryServer, refreshToken = store()) =>
  simpleJwt({ obtain: `${origin}/obtain`, refresh: `${origin}/refresh`, fetch, refreshToken })

type Auth = AuthedSocketOptions['auth']

/** A socket on a session of the server's, which rejects everybody. */
const rejected = async (authOf: (server: StoryServer) => Auth | Promise<Auth>) => {
  const { server, socket: unused } = storyOf()
  await unused.disconnect()
  server.receive = () => REJECT
  const { WebSocket, url } = server
  const { socket } = storyOf({}, { auth: await authOf(server), WebSocket, url })
  return { server, socket, ...record(socket) }
}

const failure = async (socket: AuthedSocket) => {
  socket.connect()
  await until(() => socket.state === 'failed', 2 * MINUTE)
  expect(socket.status).toMatchObject({ error: { code: 'CREDENTIAL_REJECTED' } })
  return socket.status.state === 'failed' ? socket.status.action : undefined
}

describe('A login of this page, whose second token is rejected as the first was', () => {
  test.each([
    ['login', (session: Session<typeof ANN>) => session.login(ANN)],
    ['switch', (session: Session<typeof ANN>) => session.switch(ANN)],
  ])('by %s(): no sign-in helps, so the configuration is to be fixed', async (_, enter) => {
    const { socket, server, events } = await rejected(async (at) => {
      const session = refreshing(at)
      await done(enter(session))
      return session
    })
    expect(await failure(socket)).toBe('fix-configuration')
    expect(events).not.toContain('signinrequired')
    expect(new Set(server.dials.map(({ token }) => token)).size).toBe(2)
  })

  test('goes on with the next login, and with news of the page', async () => {
    const page = openPage()
    let session: Session<typeof ANN> | undefined
    const { socket, server } = await rejected(async (at) => {
      session = refreshing(at)
      await done(session.login(ANN))
      return session
    })
    await failure(socket)
    server.receive = () => ACCEPT
    page.online()
    await until(() => socket.state === 'connected', 10 * SECOND)

    server.receive = () => REJECT
    server.closeAll(4003)
    await until(() => socket.state === 'failed', 2 * MINUTE)
    server.receive = () => ACCEPT
    await done(session?.login(ANN) ?? Promise.resolve())
    await until(() => socket.state === 'connected', 10 * SECOND)
  })

  test('after which the user tries again and again: it stays so', async () => {
    const { socket } = await rejected(async (at) => {
      const session = refreshing(at)
      await done(session.login(ANN))
      return session
    })
    for (let n = 0; n < 3; n++) expect(await failure(socket)).toBe('fix-configuration')
  })
})

describe('A person is asked to sign in', () => {
  const asked = async (socket: AuthedSocket, events: readonly string[]) => {
    expect(await failure(socket)).toBe('sign-in')
    expect(events.filter((event) => event === 'signinrequired')).toHaveLength(1)
  }

  test('where the session was restored', async () => {
    const { socket, events } = await rejected(async (at) => {
      const shared = store()
      await done(refreshing(at, shared).login(ANN))
      const later = refreshing(at, shared)
      expect(await done(later.restore())).toBe(true)
      return later
    })
    await asked(socket, events)
  })

  test('where this server had taken a token since the login', async () => {
    const { socket, server, events } = await rejected(async (at) => {
      const session = refreshing(at)
      await done(session.login(ANN))
      return session
    })
    server.receive = ({ number }) => (number === 1 ? acceptFor(MINUTE, 4003) : REJECT)
    await asked(socket, events)
  })

  test('where the endpoint gave no second token', async () => {
    const { socket, events } = await rejected(async (at) => {
      const fetch = async () => Response.json({ access_token: at.mint() })
      const session = passwordGrant({ url: `${at.origin}/token`, fetch })
      await done(session.login(ANN))
      return session
    })
    await asked(socket, events)
  })

  test('where the endpoint gave the same token again', async () => {
    const { socket, events } = await rejected(async (at) => {
      const token = at.mint()
      const fetch = async () => Response.json({ access: token, refresh: 'r' })
      const session = simpleJwt({ obtain: `${at.origin}/o`, refresh: `${at.origin}/r`, fetch })
      await done(session.login(ANN))
      return session
    })
    await asked(socket, events)
  })

  test('where the second token came long before, by a renewal', async () => {
    const { socket, events } = await rejected(async (at) => {
      let n = 0
      const tokens = [at.mint(), at.mint()]
      const fetch = async () =>
        Response.json({ access: tokens[Math.min(n++, 1)], refresh: 'r', expires_in: 60 })
      const session = simpleJwt({
        obtain: `${at.origin}/o`,
        refresh: `${at.origin}/r`,
        fetch,
        fields: { expiresIn: 'expires_in' },
      })
      await done(session.login(ANN))
      await pass(2 * MINUTE)
      return session
    })
    await asked(socket, events)
  })

  test.each<[string, (server: StoryServer) => Auth]>([
    ['with a fixed token', (at) => fixedToken(at.mint())],
    ['with a function, whose tokens differ', (at) => async () => at.mint()],
    [
      'with stored credentials, where no login() was called',
      (at) => {
        const { origin, fetch } = at
        const urls = { obtain: `${origin}/obtain`, refresh: `${origin}/refresh` }
        return simpleJwt({ ...urls, fetch, credentials: ANN })
      },
    ],
  ])('%s', async (_, authOf) => {
    const { socket, events } = await rejected(authOf)
    await asked(socket, events)
  })

  test('where a login was long ago, and its page has gone through logout()', async () => {
    let session: Session<typeof ANN> | undefined
    const { socket, server } = await rejected(async (at) => {
      session = refreshing(at)
      await done(session.login(ANN))
      return session
    })
    expect(await failure(socket)).toBe('fix-configuration')
    await session?.logout()
    await pass(HOUR)
    expect([socket.state, server.dials.length]).toEqual(['idle', 3])
  })
})
