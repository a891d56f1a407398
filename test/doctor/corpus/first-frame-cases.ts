/** The token in the first frame: refused there, not answered, or expected there and sent elsewhere. */
import type { WebSocket } from 'ws'
import { multiplexed, plain, roomPerSocket, viaFirstMessage, viaQuery } from '../../../src/index.ts'
import type { Case } from './case.ts'
import { refuse, sockets, tokenOf, web } from './handmade.ts'
import { mint } from './jwt.ts'

const TOKEN = mint({ sub: 'alice' })
const query = viaQuery({ acceptLogging: true })
const frame = viaFirstMessage({
  frame: (token) => ({ type: 'auth', token }),
  accepted: (said) => typeOf(said) === 'ready',
  refused: (said) => typeOf(said) === 'denied',
})

const typeOf = (said: unknown): unknown =>
  typeof said === 'object' && said !== null && 'type' in said ? said.type : undefined

const to = (port: number) => ({
  url: `ws://127.0.0.1:${port}/ws`,
  auth: () => TOKEN,
  protocol: plain(),
})

const say = (socket: WebSocket, said: object): void => socket.send(JSON.stringify(said))

/** Hears the first frame, or what it does without one after so long. */
const awaiting =
  (hear: (socket: WebSocket, said: Record<string, unknown>) => void, forMs: number, code: number) =>
  (_request: unknown, socket: WebSocket): void => {
    const late = setTimeout(() => socket.close(code), forMs)
    socket.once('message', (data) => {
      clearTimeout(late)
      hear(socket, JSON.parse(String(data)))
    })
  }

/** As Home Assistant does it: it speaks first. */
const homeAssistant = (isGood: (token: unknown) => boolean) =>
  sockets((request, socket) => {
    say(socket, { type: 'auth_required', ha_version: '2026.11.0' })
    const hear = awaiting(
      (_, { access_token: token }) => {
        say(socket, isGood(token) ? { type: 'auth_ok' } : { type: 'auth_invalid', message: 'no' })
        if (!isGood(token)) socket.close()
      },
      10_000,
      1000,
    )
    hear(request, socket)
  })

export const firstFrameCases: readonly Case[] = [
  {
    title: 'a frame refuses the token of the first frame',
    is: 'token-refused',
    names: 'in a frame',
    make: async ({ keep }) => {
      const upgrade = sockets(awaiting((socket) => say(socket, { type: 'denied' }), 10_000, 4003))
      const { port } = await keep(web({ upgrade }))
      return { ...to(port), transmission: frame }
    },
  },
  {
    title: 'the socket is closed with 4003 on the first frame',
    is: 'token-refused',
    names: 'close code 4003',
    make: async ({ keep }) => {
      const upgrade = sockets(awaiting((socket) => socket.close(4003), 10_000, 4003))
      const { port } = await keep(web({ upgrade }))
      return { ...to(port), transmission: frame }
    },
  },
  {
    title: 'Home Assistant refuses the token',
    is: 'token-refused',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: homeAssistant(() => false) }))
      return { ...to(port), transmission: viaFirstMessage('home-assistant') }
    },
  },
  {
    title: 'the server reads the query, refuses before the accept, and the token is in a frame',
    is: 'token-elsewhere',
    names: 'viaQuery()',
    make: async ({ keep }) => {
      const open = sockets()
      const no = refuse(() => ({ status: 401 }))
      const { port } = await keep(
        web({
          upgrade: (request, socket, head) =>
            (tokenOf(request) === TOKEN ? open : no)(request, socket, head),
        }),
      )
      return { ...to(port), transmission: frame }
    },
  },
  {
    title: 'FastAPI reads the query, accepts and closes, and the token is in a frame',
    is: 'token-elsewhere',
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      const url = `${fastapi.wsUrl}/ws/v2/chat/{room}`
      const protocol = roomPerSocket()
      return { url, auth: () => valid, protocol, room: 'lobby', transmission: frame }
    },
  },
  {
    title: 'the server waits 2 s for a first frame, and the token is in the query',
    is: 'first-frame-awaited',
    names: 'viaFirstMessage(',
    timed: true,
    make: async ({ keep }) => {
      const upgrade = sockets(awaiting((socket) => say(socket, { type: 'ready' }), 2_000, 1008))
      const { port } = await keep(web({ upgrade }))
      return { ...to(port), transmission: query }
    },
  },
  {
    title: 'a server of GraphQL waits for its first frame, and the token is in the query',
    is: 'first-frame-awaited',
    timed: true,
    make: async ({ keep }) => {
      const upgrade = sockets(awaiting((socket) => say(socket, { type: 'ready' }), 1_800, 4408))
      const { port } = await keep(web({ upgrade }))
      return { ...to(port), transmission: query }
    },
  },
  {
    title: 'Home Assistant asks for the token in a frame, and it is in the query',
    is: 'first-frame-awaited',
    names: "viaFirstMessage('home-assistant')",
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: homeAssistant((token) => token === TOKEN) }))
      return { ...to(port), transmission: query }
    },
  },
  {
    title: 'the first frame is never answered',
    is: 'no-welcome',
    names: '`accepted`',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: sockets() }))
      return { ...to(port), transmission: frame }
    },
  },
  {
    title: 'the first frame is answered by a frame that `accepted` does not know',
    is: 'no-welcome',
    names: '`accepted`',
    make: async ({ keep }) => {
      const upgrade = sockets(awaiting((socket) => say(socket, { type: 'welcome' }), 10_000, 4003))
      const { port } = await keep(web({ upgrade }))
      return { ...to(port), transmission: frame }
    },
  },
  {
    title: 'Phoenix reads its own subprotocol, and the token is in the query',
    is: 'token-elsewhere',
    names: "viaSubprotocol('phoenix')",
    make: async ({ keep }) => {
      const wanted = `base64url.bearer.phx.${btoa(TOKEN)}`.replaceAll('=', '')
      const open = sockets(() => {}, { handleProtocols: () => 'phoenix' })
      const no = refuse(() => ({ status: 403 }))
      const { port } = await keep(
        web({
          upgrade: (request, socket, head) => {
            const offered = request.headers['sec-websocket-protocol'] ?? ''
            return (offered.includes(wanted) ? open : no)(request, socket, head)
          },
        }),
      )
      return { ...to(port), transmission: query }
    },
  },
]

export const healthyFirstFrameCases: readonly Case[] = [
  {
    title: 'the rooms protocol by its first frame',
    is: 'healthy',
    make: async ({ node, token }) => {
      const valid = await token(node)
      const transmission = viaFirstMessage('rooms')
      const url = `${node.wsUrl}/ws/rooms`
      return { url, auth: () => valid, protocol: multiplexed(), transmission }
    },
  },
  {
    title: 'the dialogue of Home Assistant',
    is: 'healthy',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: homeAssistant((token) => token === TOKEN) }))
      return { ...to(port), transmission: viaFirstMessage('home-assistant') }
    },
  },
]
