/** Who is who, where a store brings the next one after a session had ended: another page has signed in meanwhile. */
import { describe, expect, test } from 'vitest'
import { AuthedSocket, simpleJwt, viaQuery } from '../../../src/index.ts'
import { leaveThings, PAIRS, ROOMS } from '../../support/people.ts'
import { ACCEPT, afterStory, pass, SECOND, StoryServer, tellStories } from '../../support/story.ts'

tellStories()

describe.each(PAIRS)(
  'A session that is restored after its refusal: $name',
  ({ first, second, person }) => {
    test(`is of ${person === 'same' ? 'the same person' : 'somebody else'}`, async () => {
      const server = new StoryServer({ form: 'jwt', lifetimeMs: 900 * SECOND })
      const tokens = [first, second]
      server.mint = () => tokens.shift() ?? 'none'
      let stored: string | null = 'of the first one'
      const session = simpleJwt({
        obtain: `${server.origin}/obtain`,
        refresh: `${server.origin}/refresh`,
        fetch: server.fetch,
        refreshToken: {
          get: () => stored,
          set: (value) => {
            stored = value
          },
        },
      })
      const socket = new AuthedSocket({
        url: server.url,
        auth: session,
        transmission: viaQuery({ acceptLogging: true }),
        WebSocket: server.WebSocket,
        fetch: server.fetch,
        ...ROOMS,
      })
      afterStory(() => void socket.disconnect())
      const restored = session.restore()
      await pass(SECOND)
      expect(await restored).toBe(true)
      const things = await leaveThings(server, socket)
      server.tokens = 'refuses'
      socket.reauthenticate().catch(() => {})
      await pass(SECOND)
      expect([socket.state, session.signedIn]).toEqual(['failed', false])
      server.tokens = 20
      server.receive = () => ACCEPT
      stored = 'of the second one'
      session.restore()
      await pass(SECOND)
      expect(session.signedIn).toBe(true)
      expect(await things.fate()).toBe(person === 'same' ? 'kept' : 'gone')
    })
  },
)
