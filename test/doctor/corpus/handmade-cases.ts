/** What else answers, or opens and does not stay. */
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { multiplexed, plain, roomPerSocket, viaQuery, viaSubprotocol } from '../../../src/index.ts'
import type { Case } from './case.ts'
import { accept, freePort, plainProxy, refuse, sockets, tokenOf, tunnel, web } from './handmade.ts'
import { inSeconds, isValid, mint } from './jwt.ts'

const TOKEN = mint({ sub: 'alice' })
const LONG = `${TOKEN}${'x'.repeat(20_000)}`
const query = viaQuery({ acceptLogging: true })
const to = (port: number, path = '/ws') => ({
  url: `ws://127.0.0.1:${port}${path}`,
  auth: () => TOKEN,
  transmission: query,
  protocol: plain(),
})

/** A server that answers each upgrade with one status, and each request with a page. */
const answering = (
  title: string,
  is: Case['is'],
  status: number,
  headers: Record<string, string> = {},
  body = '',
): Case => ({
  title,
  is,
  make: async ({ keep }) => {
    const { port } = await keep(web({ upgrade: refuse(() => ({ status, headers, body })) }))
    return to(port)
  },
})

const html = { 'Content-Type': 'text/html' }

export const handmadeCases: readonly Case[] = [
  answering('401 with JSON', 'token-refused', 401, {}, '{"detail":"bad token"}'),
  answering('401 of a password prompt', 'proxy-login', 401, {
    'WWW-Authenticate': 'Basic realm="staging"',
    Server: 'nginx',
  }),
  answering('403 of a firewall', 'handshake-refused', 403, html, '<h1>403 Forbidden</h1>'),
  answering('426, while requests get a page', 'handshake-refused', 426),
  answering('426 for another version of the protocol', 'handshake-refused', 426, {
    'Sec-WebSocket-Version': '8',
  }),
  answering('400 from the application', 'handshake-refused', 400, {}, 'no such tenant'),
  answering('503 from a load balancer', 'bad-gateway', 503, { Server: 'awselb/2.0' }),
  answering('429', 'rate-limited', 429, { 'Retry-After': '30' }),
  answering('511 of a network with a sign-in', 'captive-portal', 511, html, '<h1>Sign in</h1>'),
  {
    title: '404 where no socket is, beside a web application',
    is: 'wrong-path',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: refuse(() => ({ status: 404 })) }))
      return to(port, '/nowhere')
    },
  },
  {
    title: '404 where no socket is, answered like every request',
    is: 'wrong-path',
    make: async ({ node }) => ({ ...to(node.port, '/nowhere') }),
  },
  {
    title: 'a proxy in front of FastAPI that does not forward Upgrade',
    is: 'upgrade-lost',
    names: 'proxy_set_header Upgrade',
    make: async ({ keep, fastapi, token }) => {
      const { port } = await keep(plainProxy(fastapi.port))
      const valid = await token(fastapi)
      return { ...to(port, '/ws/chat/lobby'), auth: () => valid }
    },
  },
  {
    title: 'a proxy in front of daphne that does not forward Upgrade',
    is: 'upgrade-lost',
    make: async ({ keep, daphne, token }) => {
      const { port } = await keep(plainProxy(daphne.port))
      const valid = await token(daphne)
      return { ...to(port, '/ws/chat/lobby/'), auth: () => valid }
    },
  },
  {
    title: 'a proxy in front of `ws` that does not forward Upgrade',
    is: 'upgrade-lost',
    make: async ({ keep }) => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
      await once(server, 'listening')
      const { port: inner } = server.address() as { port: number }
      await keep({ port: inner, close: async () => server.close() })
      const { port } = await keep(plainProxy(inner))
      return to(port)
    },
  },
  {
    title: 'a proxy whose application is not running',
    is: 'bad-gateway',
    make: async ({ keep }) => {
      const { port } = await keep(plainProxy(await freePort()))
      return to(port)
    },
  },
  {
    title: 'a single-page application answers every path',
    is: 'web-page',
    make: async ({ keep }) => {
      const body = '<!doctype html><div id="root"></div><script src="/app.js"></script>'
      const { port } = await keep(web({ page: () => ({ status: 200, headers: html, body }) }))
      return to(port)
    },
  },
  {
    title: 'a captive portal answers everything with its sign-in',
    is: 'captive-portal',
    make: async ({ keep }) => {
      const body = '<html><h1>Hotel Wi-Fi</h1><form><input type="password"></form></html>'
      const { port } = await keep(web({ page: () => ({ status: 200, headers: html, body }) }))
      return to(port)
    },
  },
  {
    title: 'a captive portal redirects everything to its own host',
    is: 'captive-portal',
    make: async ({ keep }) => {
      const answer = { status: 302, headers: { Location: 'http://portal.hotel.example/login' } }
      const { port } = await keep(web({ page: () => answer, upgrade: refuse(() => answer) }))
      return to(port)
    },
  },
  {
    title: 'the server redirects to TLS',
    is: 'redirect',
    names: 'wss://',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({
          upgrade: refuse(({ headers, url }) => ({
            status: 301,
            headers: { Location: `https://${headers.host}${url}` },
          })),
        }),
      )
      return to(port)
    },
  },
  {
    title: 'the server redirects to the path with a slash',
    is: 'wrong-slash',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({
          upgrade: refuse(({ url = '/' }) => ({
            status: 301,
            headers: { Location: `${url.split('?', 1)[0]}/` },
          })),
        }),
      )
      return to(port)
    },
  },
  {
    title: 'Node answers 431 to a long token',
    is: 'header-too-large',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: sockets() }))
      return { ...to(port), auth: () => LONG }
    },
  },
  {
    title: 'nginx answers 400 to a long header',
    is: 'header-too-large',
    make: async ({ keep }) => {
      const body = '<title>400 Request Header Or Cookie Too Large</title>'
      const { port } = await keep(
        web({
          options: { maxHeaderSize: 2 ** 20 },
          upgrade: (request, socket, head) =>
            (request.url?.length ?? 0) > 8_192
              ? refuse(() => ({ status: 400, headers: html, body }))(request, socket)
              : sockets()(request, socket, head),
        }),
      )
      return { ...to(port), auth: () => LONG }
    },
  },
  {
    title: 'the switch of protocols has another key',
    is: 'broken-upgrade',
    make: async ({ keep }) => {
      const key = 'of an earlier answer'
      const { port } = await keep(
        web({ upgrade: (request, socket) => accept(request, socket, { key }) }),
      )
      return to(port)
    },
  },
  {
    title: 'an extension is switched on that was not offered',
    is: 'broken-upgrade',
    make: async ({ keep }) => {
      const headers = { 'Sec-WebSocket-Extensions': 'permessage-deflate' }
      const { port } = await keep(
        web({ upgrade: (request, socket) => accept(request, socket, { headers }) }),
      )
      return to(port)
    },
  },
  {
    title: 'the subprotocol that holds the token is echoed',
    is: 'token-echoed',
    make: async ({ keep }) => {
      const handleProtocols = (offered: Set<string>) => [...offered].at(-1) ?? false
      const { port } = await keep(web({ upgrade: sockets(undefined, { handleProtocols }) }))
      return { ...to(port), transmission: viaSubprotocol() }
    },
  },
  {
    title: 'no subprotocol is echoed (ws)',
    is: 'subprotocol-not-echoed',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({ upgrade: sockets(() => {}, { handleProtocols: () => false }) }),
      )
      return { ...to(port), transmission: viaSubprotocol('bearer') }
    },
  },
  {
    title: 'an Origin that is not in the list',
    is: 'origin-refused',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({
          upgrade: (request, socket, head) =>
            request.headers.origin === undefined
              ? sockets()(request, socket, head)
              : refuse(() => ({ status: 403 }))(request, socket),
        }),
      )
      return { ...to(port), webSocketOptions: { origin: 'https://elsewhere.example' } }
    },
  },
  {
    title: 'an Origin that is not in the list, where each token is good for one dial',
    is: 'origin-refused',
    make: async ({ keep }) => {
      let made = 0
      const spent = new Set<string | null>()
      const isGood = (token: string | null) =>
        token?.startsWith('ticket-number-') === true && !spent.has(token)
      const { port } = await keep(
        web({
          upgrade: (request, socket, head) => {
            const token = tokenOf(request)
            const isWelcome = isGood(token) && request.headers.origin !== undefined
            spent.add(token)
            if (isWelcome) sockets()(request, socket, head)
            else refuse(() => ({ status: 403 }))(request, socket)
          },
        }),
      )
      return { ...to(port), auth: () => `ticket-number-${made++}` }
    },
  },
  {
    title: 'the clock of the server is an hour ahead: the token is over there',
    is: 'wrong-clock',
    make: async ({ keep }) => {
      const ahead = 3_600_000
      const { port } = await keep(
        web({ upgrade: checking((token) => isValid(token, Date.now() + ahead), ahead) }),
      )
      const token = mint({ sub: 'alice', iat: inSeconds(-60), exp: inSeconds(600) })
      return { ...to(port), auth: () => token }
    },
  },
  {
    title: 'the clock of the issuer is ahead: the token is not valid yet',
    is: 'wrong-clock',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: checking(isValid) }))
      const token = mint({ sub: 'alice', nbf: inSeconds(300), exp: inSeconds(900) })
      return { ...to(port), auth: () => token }
    },
  },
  {
    title: 'a proxy that cuts silent sockets',
    is: 'idle-cut',
    names: 'proxy_read_timeout',
    make: async ({ keep, node, token }) => {
      const { port } = await keep(
        tunnel(node.port, (client) => {
          client.setTimeout(1_000, () => client.destroy())
        }),
      )
      const valid = await token(node)
      return { ...to(port, '/ws/plain'), auth: () => valid }
    },
  },
  {
    title: 'a proxy that cuts every socket after a while',
    is: 'cut-while-open',
    slow: true,
    make: async ({ keep, node, token }) => {
      const { port } = await keep(
        tunnel(node.port, (client) => {
          setTimeout(() => client.destroy(), 2_500).unref()
        }),
      )
      const valid = await token(node)
      return { ...to(port, '/ws/plain'), auth: () => valid, watchMs: 4_000 }
    },
  },
  {
    title: 'a proxy that passes the upgrade and nothing behind it',
    is: 'no-pong',
    make: async ({ keep }) => {
      const { port } = await keep(web({ upgrade: (request, socket) => accept(request, socket) }))
      return to(port)
    },
  },
  {
    title: 'a server that takes nobody now (1013)',
    is: 'server-restarting',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({ upgrade: sockets((_request, socket) => socket.close(1013)) }),
      )
      return to(port)
    },
  },
  {
    title: 'a room that is closed with 4403',
    is: 'room-refused',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({
          upgrade: sockets((request, socket) => {
            if (request.url?.includes('secret')) socket.close(4403)
          }),
        }),
      )
      const protocol = roomPerSocket()
      return { ...to(port, '/ws/{room}'), protocol, room: 'secret' }
    },
  },
  {
    title: 'a close code of the application’s own (4290)',
    is: 'closed-after-accept',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({ upgrade: sockets((_request, socket) => socket.close(4290)) }),
      )
      return to(port)
    },
  },
  {
    title: 'the rooms protocol with a server that speaks another',
    is: 'no-welcome',
    make: async ({ keep }) => {
      const { port } = await keep(
        web({ upgrade: sockets((_request, socket) => socket.send('hi')) }),
      )
      return { ...to(port), protocol: multiplexed() }
    },
  },
  {
    title: 'a server that was not ready at first',
    is: 'came-back',
    make: async ({ keep }) => {
      let dials = 0
      const { port } = await keep(
        web({
          upgrade: (request, socket, head) =>
            dials++ === 0
              ? refuse(() => ({ status: 403 }))(request, socket)
              : sockets()(request, socket, head),
        }),
      )
      return to(port)
    },
  },
  {
    title: 'a server that passes no message on',
    is: 'no-broadcast',
    make: async ({ keep }) => {
      const echo = sockets((_request, socket) => {
        socket.on('message', (data) => socket.send(String(data)))
      })
      const { port } = await keep(web({ upgrade: echo }))
      return { ...to(port), crowd: { message: (mark: string) => ({ mark }), sockets: 3 } }
    },
  },
]

/** Checks the token before the accept, by a clock that is `ahead`, and shows that clock as servers do. */
const checking =
  (isGood: (token: string | null) => boolean, ahead = 0) =>
  (...[request, socket, head]: Parameters<ReturnType<typeof sockets>>): void => {
    const Date_ = new Date(Date.now() + ahead).toUTCString()
    if (isGood(tokenOf(request))) sockets()(request, socket, head)
    else refuse(() => ({ status: 403, headers: { Date: Date_ } }))(request, socket)
  }
