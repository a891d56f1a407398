/** Servers of which there is nothing to say. */
import {
  cookieSession,
  type Handshake,
  multiplexed,
  plain,
  roomPerSocket,
  viaCookie,
  viaHeader,
  viaQuery,
  viaSubprotocol,
} from '../../../src/index.ts'
import type { Case } from './case.ts'
import { sockets, web } from './handmade.ts'

const query = viaQuery({ acceptLogging: true })
const room = { room: 'lobby', protocol: roomPerSocket() }
const is = 'healthy'

export const healthyCases: readonly Case[] = [
  {
    title: 'FastAPI, the article’s endpoint',
    is,
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      const url = `${fastapi.wsUrl}/ws/chat/{room}`
      return { ...room, auth: () => valid, transmission: query, url }
    },
  },
  {
    title: 'Channels on daphne, the article’s endpoint',
    is,
    make: async ({ daphne, token }) => {
      const valid = await token(daphne)
      const url = `${daphne.wsUrl}/ws/chat/{room}/`
      return { ...room, auth: () => valid, transmission: query, url }
    },
  },
  {
    title: 'FastAPI by subprotocols',
    is,
    make: async ({ fastapi, token }) => {
      const valid = await token(fastapi)
      const url = `${fastapi.wsUrl}/ws/v2/chat/{room}`
      return { ...room, auth: () => valid, transmission: viaSubprotocol(), url }
    },
  },
  {
    title: 'Channels by a header',
    is,
    make: async ({ channels, token }) => {
      const valid = await token(channels)
      const url = `${channels.wsUrl}/ws/v2/chat/{room}/`
      return { ...room, auth: () => valid, transmission: viaHeader(), url }
    },
  },
  {
    title: 'Channels by a cookie with the token, and members that hear each other',
    is,
    make: async ({ channels, token }) => {
      const valid = await token(channels)
      const url = `${channels.wsUrl}/ws/v2/chat/{room}/`
      const crowd = { message: (mark: string) => ({ message: mark }), sockets: 4 }
      return { ...room, auth: () => valid, transmission: viaCookie(), url, crowd }
    },
  },
  {
    title: 'Channels by the session cookie',
    is,
    make: async ({ channels }) => {
      const auth = cookieSession({ login: `${channels.url}/login/` })
      await auth.login({ username: 'alice', password: 'correct-horse' })
      return { ...room, auth, url: `${channels.wsUrl}/ws/session/{room}/` }
    },
  },
  {
    title: 'the rooms protocol, and members that hear each other',
    is,
    make: async ({ node, token }) => {
      const valid = await token(node)
      const crowd = { message: (mark: string) => ({ mark }), sockets: 3 }
      const url = `${node.wsUrl}/ws/rooms`
      const protocol = multiplexed()
      return { auth: () => valid, transmission: viaSubprotocol('bearer'), protocol, url, crowd }
    },
  },
  {
    title: 'TLS with an authority of one’s own',
    is,
    make: async ({ keep, trusted }) => {
      const { port } = await keep(web({ tls: trusted, upgrade: sockets() }))
      const webSocketOptions = { ca: trusted.cert }
      const url = `wss://127.0.0.1:${port}/ws`
      const auth = () => 'whatever-it-is'
      return { auth, transmission: query, protocol: plain(), url, webSocketOptions }
    },
  },
  {
    title: 'a token that is sent as the first frame',
    is,
    make: async ({ keep }) => {
      const upgrade = sockets((_request, socket) => {
        const late = setTimeout(() => socket.close(4003), 300)
        socket.once('message', (data) => {
          if (String(data) === 'first-of-all') clearTimeout(late)
        })
      })
      const { port } = await keep(web({ upgrade }))
      // What `viaFirstMessage` is made of.
      const transmission = {
        name: 'first-message',
        runtimes: 'any' as const,
        carry: (handshake: Handshake, token: string) => ({ ...handshake, firstFrame: token }),
      }
      const url = `ws://127.0.0.1:${port}/ws`
      return { auth: () => 'first-of-all', transmission, protocol: plain(), url }
    },
  },
  {
    title: 'a token that is sent as the first frame, in bytes',
    is,
    make: async ({ keep }) => {
      const upgrade = sockets((_request, socket) => {
        const late = setTimeout(() => socket.close(4003), 300)
        socket.once('message', (data, isBinary) => {
          if (isBinary && String(data) === 'first-of-all') clearTimeout(late)
        })
      })
      const { port } = await keep(web({ upgrade }))
      // What `viaFirstMessage` is made of.
      const transmission = {
        name: 'first-message',
        runtimes: 'any' as const,
        carry: (handshake: Handshake, token: string) => ({
          ...handshake,
          firstFrame: new TextEncoder().encode(token).buffer,
        }),
      }
      const url = `ws://127.0.0.1:${port}/ws`
      return { auth: () => 'first-of-all', transmission, protocol: plain(), url }
    },
  },
]
