/** The servers of real frameworks: Channels on daphne and uvicorn, FastAPI on uvicorn. */
import { plain, roomPerSocket, viaHeader, viaQuery, viaSubprotocol } from '../../../src/index.ts'
import type { Case } from './case.ts'
import { isValid, mint } from './jwt.ts'
import { startPython } from './python.ts'

const query = viaQuery({ acceptLogging: true })
const room = { room: 'lobby', protocol: roomPerSocket() }
const STRANGER = mint({ sub: 'alice', note: 'signed with a key that no server knows' })
const FASTAPI = '/ws/chat/{room}'
const CHANNELS = '/ws/chat/{room}/'
const APPS = 'test/doctor/servers/apps.py'

const foreign = (auth = () => STRANGER) => ({ ...room, auth, transmission: query })

export const asgiCases: readonly Case[] = [
  {
    title: 'FastAPI closes with 1008 before it accepts (uvicorn, websockets)',
    is: 'close-before-accept',
    names: 'await websocket.accept()',
    make: async ({ fastapi }) => ({ ...foreign(), url: fastapi.wsUrl + FASTAPI }),
  },
  {
    title: 'Channels closes with 4003 before it accepts (daphne)',
    is: 'close-before-accept',
    names: 'The path is there',
    make: async ({ daphne }) => ({ ...foreign(), url: daphne.wsUrl + CHANNELS }),
  },
  {
    title: 'Channels closes with 4003 before it accepts (uvicorn, wsproto)',
    is: 'close-before-accept',
    make: async ({ channels }) => ({ ...foreign(), url: channels.wsUrl + CHANNELS }),
  },
  {
    title: 'the session cookie is nobody’s (Channels, AuthMiddlewareStack)',
    is: 'close-before-accept',
    make: async ({ channels }) => {
      const { cookieSession } = await import('../../../src/index.ts')
      const auth = cookieSession({ cookie: 'sessionid=nobodys-session-cookie' })
      return { ...room, auth, url: `${channels.wsUrl}/ws/session/{room}/` }
    },
  },
  {
    title: 'the token has expired (FastAPI, before the accept)',
    is: 'token-expired',
    make: async ({ fastapi, token }) => {
      const expired = await token(fastapi, 'expired')
      return { ...room, auth: () => expired, transmission: query, url: fastapi.wsUrl + FASTAPI }
    },
  },
  {
    title: 'the token has expired (FastAPI, after the accept)',
    is: 'token-expired',
    make: async ({ fastapi, token }) => {
      const expired = await token(fastapi, 'expired')
      const url = `${fastapi.wsUrl}/ws/v2/chat/{room}`
      return { ...room, auth: () => expired, transmission: viaSubprotocol(), url }
    },
  },
  {
    title: 'the token has expired, and the session knows it (Channels)',
    is: 'token-expired',
    make: async ({ daphne, token }) => {
      const expired = await token(daphne, 'expired')
      return { ...room, auth: () => expired, transmission: query, url: daphne.wsUrl + CHANNELS }
    },
  },
  {
    title: 'a slash too many (FastAPI)',
    is: 'wrong-slash',
    names: '/ws/chat/lobby"',
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      return { ...room, auth: () => valid, transmission: query, url: `${fastapi.wsUrl}${FASTAPI}/` }
    },
  },
  {
    title: 'the slash is missing (Channels)',
    is: 'wrong-slash',
    names: '/ws/chat/lobby/"',
    make: async ({ daphne, token }) => {
      const valid = await token(daphne)
      const url = daphne.wsUrl + CHANNELS.slice(0, -1)
      return { ...room, auth: () => valid, transmission: query, url }
    },
  },
  {
    title: 'the slash is missing, and the token is no good either (Channels)',
    is: 'wrong-slash',
    make: async ({ channels }) => ({
      ...foreign(),
      url: channels.wsUrl + CHANNELS.slice(0, -1),
    }),
  },
  {
    title: 'the prefix /ws is missing (FastAPI)',
    is: 'wrong-path',
    names: '/ws/chat/lobby',
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      return {
        ...room,
        auth: () => valid,
        transmission: query,
        url: `${fastapi.wsUrl}/chat/{room}`,
      }
    },
  },
  {
    title: 'the prefix /ws is missing (Channels)',
    is: 'wrong-path',
    names: '/ws/chat/lobby/',
    make: async ({ channels, token }) => {
      const valid = await token(channels)
      const url = `${channels.wsUrl}/chat/{room}/`
      return { ...room, auth: () => valid, transmission: query, url }
    },
  },
  {
    title: 'the account of the token was deleted (Channels raises)',
    is: 'exception-before-accept',
    make: async ({ channels, token }) => {
      const orphan = await token(channels, 'valid', 'bob')
      await channels.control('delete-user', { user: 'bob' })
      return { ...room, auth: () => orphan, transmission: query, url: channels.wsUrl + CHANNELS }
    },
  },
  {
    title: 'the application raises for everybody (Starlette, wsproto)',
    is: 'exception-before-accept',
    make: async ({ keep }) => {
      const { port } = await keep(startPython(APPS, '--app=raises-everywhere'))
      const url = `ws://127.0.0.1:${port}/ws`
      return { auth: () => STRANGER, transmission: query, protocol: plain(), url }
    },
  },
  {
    title: 'no route matches the path, and none is near (Channels raises)',
    is: 'exception-before-accept',
    names: 'No route found for path',
    make: async ({ channels, token }) => {
      const valid = await token(channels)
      const url = `${channels.wsUrl}/far/away/{room}/`
      return { ...room, auth: () => valid, transmission: query, url }
    },
  },
  {
    title: 'the token is sent in a header, and read in the query (FastAPI)',
    is: 'token-elsewhere',
    names: 'transmission: viaQuery()',
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      return { ...room, auth: () => valid, transmission: viaHeader(), url: fastapi.wsUrl + FASTAPI }
    },
  },
  {
    title: 'the token is sent as a subprotocol, and read in the query (Channels)',
    is: 'token-elsewhere',
    names: 'transmission: viaQuery()',
    make: async ({ channels, token }) => {
      const valid = await token(channels)
      const url = channels.wsUrl + CHANNELS
      return { ...room, auth: () => valid, transmission: viaSubprotocol(), url }
    },
  },
  {
    title: 'the token is sent in another query parameter, refused after the accept (FastAPI)',
    is: 'token-elsewhere',
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      const transmission = viaQuery({ param: 'key', acceptLogging: true })
      const url = `${fastapi.wsUrl}/ws/v2/chat/{room}`
      return { ...room, auth: () => valid, transmission, url }
    },
  },
  {
    title: 'a bad token is closed with 1008 after the accept (FastAPI)',
    is: 'token-refused',
    make: async ({ fastapi }) => ({ ...foreign(), url: `${fastapi.wsUrl}/ws/v2/chat/{room}` }),
  },
  {
    title: 'a bad token is closed with 4003 after the accept (daphne)',
    is: 'token-refused',
    make: async ({ daphne }) => ({ ...foreign(), url: `${daphne.wsUrl}/ws/v2/chat/{room}/` }),
  },
  {
    title: 'a refresh token is sent in place of the access token (Channels)',
    is: 'refresh-token-sent',
    make: async ({ channels, token }) => {
      const refresh = await token(channels, 'refresh')
      return { ...room, auth: () => refresh, transmission: query, url: channels.wsUrl + CHANNELS }
    },
  },
  {
    title: 'the token has the word Bearer before it (FastAPI)',
    is: 'token-wrapped',
    make: async ({ fastapi, token }) => {
      const wrapped = `Bearer ${await token(fastapi)}`
      return { ...room, auth: () => wrapped, transmission: query, url: fastapi.wsUrl + FASTAPI }
    },
  },
  {
    title: 'the token has quotes around it (Channels)',
    is: 'token-wrapped',
    make: async ({ channels, token }) => {
      const wrapped = JSON.stringify(await token(channels))
      return { ...room, auth: () => wrapped, transmission: query, url: channels.wsUrl + CHANNELS }
    },
  },
  {
    title: 'the room is closed to the user, before the accept (FastAPI)',
    is: 'room-refused',
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      const url = fastapi.wsUrl + FASTAPI
      return { ...room, room: 'forbidden', auth: () => valid, transmission: query, url }
    },
  },
  {
    title: 'the room is closed to the user, after the accept (daphne)',
    is: 'room-refused',
    make: async ({ daphne, token }) => {
      const valid = await token(daphne)
      const url = `${daphne.wsUrl}/ws/v2/chat/{room}/`
      return { ...room, room: 'forbidden', auth: () => valid, transmission: viaSubprotocol(), url }
    },
  },
  {
    title: 'the token is too long (uvicorn, websockets)',
    is: 'header-too-large',
    make: async ({ fastapi }) => ({
      ...foreign(() => `${STRANGER}${'x'.repeat(9_000)}`),
      url: fastapi.wsUrl + FASTAPI,
    }),
  },
  {
    title: 'the token is too long, and nothing is answered (uvicorn, websockets-sansio)',
    is: 'header-too-large',
    slow: true,
    make: async ({ keep }) => {
      const { port } = await keep(
        startPython('test/servers/fastapi/run.py', '--ws', 'websockets-sansio'),
      )
      const url = `ws://127.0.0.1:${port}${FASTAPI}`
      return { ...foreign(() => `${STRANGER}${'x'.repeat(9_000)}`), url }
    },
  },
  {
    title: 'no Origin is sent to AllowedHostsOriginValidator (Channels)',
    is: 'origin-refused',
    make: async ({ origins }) => {
      const url = `ws://127.0.0.1:${origins.port}/ws/`
      return { auth: () => STRANGER, transmission: query, protocol: plain(), url }
    },
  },
  {
    title: 'a foreign Origin is sent to AllowedHostsOriginValidator (Channels)',
    is: 'origin-refused',
    make: async ({ origins }) => {
      const url = `ws://127.0.0.1:${origins.port}/ws/`
      const page = 'https://app.example.com/chat'
      return { auth: () => STRANGER, transmission: query, protocol: plain(), url, page }
    },
  },
  {
    title: 'the application raises after the accept (uvicorn ends TCP)',
    is: 'exception-after-accept',
    make: async ({ fastapi }) => probe(`${fastapi.wsUrl}/_probe/raise-after-accept`),
  },
  {
    title: 'the application raises after the accept (daphne closes with 1011)',
    is: 'exception-after-accept',
    slow: true,
    make: async ({ daphne }) => probe(`${daphne.wsUrl}/_probe/raise-after-accept`),
  },
  {
    title: 'the application is slow to accept (uvicorn)',
    is: 'never-accepted',
    slow: true,
    make: async ({ fastapi }) => probe(`${fastapi.wsUrl}/_probe/accept-late?seconds=30`),
  },
  {
    title: 'the application returns without a word (daphne drops it after 5 s)',
    is: 'never-accepted',
    slow: true,
    make: async ({ daphne }) => ({
      ...probe(`${daphne.wsUrl}/_probe/return-without-accept`),
      timeoutMs: 7_000,
    }),
  },
  {
    title: 'a subprotocol is named that was not offered (uvicorn)',
    is: 'subprotocol-not-offered',
    make: async ({ fastapi }) => ({
      ...probe(`${fastapi.wsUrl}/_probe/echo?subprotocol=foreign`),
      transmission: viaSubprotocol(),
    }),
  },
  {
    title: 'no subprotocol is echoed (uvicorn)',
    is: 'subprotocol-not-echoed',
    make: async ({ fastapi }) => ({
      ...probe(`${fastapi.wsUrl}/_probe/echo`),
      transmission: viaSubprotocol(),
    }),
  },
  {
    title: 'uvicorn without a WebSocket library',
    is: 'upgrade-lost',
    names: 'uvicorn[standard]',
    make: async ({ keep }) => {
      const { port } = await keep(startPython(APPS, '--app=no-websockets'))
      return probe(`ws://127.0.0.1:${port}/ws`)
    },
  },
  {
    title: 'a WSGI server: runserver without daphne',
    is: 'no-websocket-support',
    make: async ({ keep }) => {
      const { port } = await keep(startPython(APPS, '--app=wsgi'))
      return probe(`ws://127.0.0.1:${port}/ws/chat/`)
    },
  },
]

const probe = (url: string) => ({
  url,
  auth: () => STRANGER,
  transmission: query,
  protocol: plain(),
})

/** Its own servers know the key: a slip of the test would show as a healthy one. */
if (!isValid(STRANGER)) throw new Error('the token of the corpus is not signed')
