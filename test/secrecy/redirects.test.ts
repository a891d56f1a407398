/** A server that redirects everything to another origin: what arrives there? */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { WebSocket as UndiciWebSocket } from 'undici'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket as WsWebSocket } from 'ws'
import {
  AuthedSocket,
  fixedToken,
  passwordGrant,
  plain,
  refreshGrant,
  simpleJwt,
  ticket,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { Canaries } from './canaries.ts'
import { live } from './life.ts'
import { CANARIES, chance, eachOf } from './size.ts'
import { WAYS } from './ways.ts'

const STATUSES = [301, 302, 303, 307, 308]
/** Both constructors have what the SDK asks for; their own types say more than that. */
const RUNTIMES = { ws: WsWebSocket, undici: UndiciWebSocket } as unknown as Readonly<
  Record<'ws' | 'undici', WebSocketConstructor>
>
const EACH = Math.ceil(CANARIES / 500)

interface Site {
  readonly url: string
  readonly wsUrl: string
  /** All that came: request lines, headers, bodies. */
  readonly heard: string[]
  close(): void
}

async function openSite(
  locationOf: (request: IncomingMessage) => string | undefined,
): Promise<Site> {
  const heard: string[] = []
  const hear = (request: IncomingMessage) =>
    heard.push(`${request.method} ${request.url} ${request.rawHeaders.join(' ')}`)
  const statusOf = ({ url = '' }: IncomingMessage) => Number(/\/(30\d)/.exec(url)?.[1] ?? 404)
  const server = createServer((request, response) => {
    hear(request)
    const Location = locationOf(request)
    text(request).then((body) => {
      heard.push(body)
      response.writeHead(statusOf(request), { ...(Location && { Location }) }).end()
    })
  })
  server.on('upgrade', (request, socket) => {
    // Clients are gone before they have read to the end.
    socket.on('error', () => {})
    hear(request)
    const lines = [`HTTP/1.1 ${statusOf(request)} Elsewhere`, `Location: ${locationOf(request)}`]
    socket.end([...lines, 'Content-Length: 0', '', ''].join('\r\n'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    heard,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

let elsewhere: Site
let first: Site
beforeAll(async () => {
  elsewhere = await openSite(() => undefined)
  first = await openSite(({ url = '' }) => `${elsewhere.url}${url}`)
})
afterAll(() => {
  first?.close()
  elsewhere?.close()
})

const { garbage } = chance(3)

type Use = (at: (path: string) => string, secret: string) => Promise<unknown>

/** So long a runtime has to follow a redirect. */
const FOLLOWED_MS = 300

/** Aborts some time after the secret has come to this path. */
const afterItCame = (secret: string, path: string): AbortSignal => {
  const over = new AbortController()
  const isThere = (line: string) => line.includes(secret) && line.includes(path)
  vi.waitFor(() => expect(first.heard.some(isThere)).toBe(true))
    .then(() => new Promise((resolve) => setTimeout(resolve, FOLLOWED_MS)))
    .finally(() => over.abort())
    // Then it is not among what came, and the test says so.
    .catch(() => {})
  return over.signal
}

/** Each ends, one way or another. */
const ended = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => {})

const HTTP: Readonly<Record<string, Use>> = {
  'the login of simpleJwt': (at, password) =>
    simpleJwt({ obtain: at('/obtain'), refresh: at('/refresh') }).login({
      username: 'a',
      password,
    }),
  'the login of passwordGrant': (at, password) =>
    passwordGrant({ url: at('/token') }).login({ username: 'a', password }),
  'the refresh of refreshGrant': (at, refreshToken) =>
    refreshGrant({ url: at('/token'), clientId: 'bot', refreshToken }).restore(),
  'the refresh of simpleJwt': (at, refresh) => {
    const kept = JSON.stringify({ refresh })
    const refreshToken = { get: () => kept, set: () => {} }
    return simpleJwt({ obtain: at('/obtain'), refresh: at('/refresh'), refreshToken }).restore()
  },
  'a ticket': (at, token) =>
    new AuthedSocket({
      url: `${first.wsUrl}/ws`,
      auth: ticket({ url: at('/ticket'), session: fixedToken(token, { origins: [first.url] }) }),
      transmission: viaSubprotocol(),
      protocol: plain(),
    }).connect({ signal: afterItCame(token, '/ticket') }),
  'session.fetch': (at, token) => fixedToken(token, { origins: [first.url] }).fetch(at('/whoami')),
  'a probe': async (at, token) => {
    const socket = new AuthedSocket({
      url: `ws://${new URL(first.url).host}/ws/never`,
      auth: () => token,
      transmission: viaSubprotocol(),
      protocol: plain(),
      probe: at('/probe'),
      WebSocket: RUNTIMES.undici,
    })
    await ended(socket.connect({ signal: afterItCame(token, '/probe') }))
    await socket.disconnect()
  },
}

describe('0 tokens arrive elsewhere by a redirect', () => {
  it.each(Object.entries(RUNTIMES))('of the handshake (%s)', async (_, WebSocket) => {
    const canaries = new Canaries()
    const plans = WAYS.flatMap((way) => STATUSES.map((status) => ({ way, status })))
    const all = Array.from({ length: EACH }, () => plans).flat()
    await eachOf(all, 16, async ({ way, status }) => {
      const token = garbage()
      canaries.add({ token, label: way })
      const url = `${first.wsUrl}/ws/${status}`
      await live({ url, way, fate: 'refused', tokens: [token] }, { WebSocket })
    })
    expect([...canaries.in(elsewhere.heard.join('\n'))]).toEqual([])
    // In the first frame it does not travel before the open.
    const travelled = WAYS.filter((way) => way !== 'first-message')
    expect([...canaries.in(first.heard.join('\n'))].sort()).toEqual([...travelled].sort())
  })

  it.each(Object.entries(HTTP))('of %s', async (label, use) => {
    const canaries = new Canaries()
    const all = Array.from({ length: EACH }, () => STATUSES).flat()
    await eachOf(all, 5, async (status) => {
      const secret = garbage()
      canaries.add({ token: secret, label })
      await ended(use((path) => `${first.url}/${status}${path}`, secret))
    })
    // No request at all: what a runtime leaves out of one that it redirects is its own affair.
    expect(elsewhere.heard.filter((line) => line !== '' && !line.startsWith('HEAD '))).toEqual([])
    expect([...canaries.in(first.heard.join('\n'))]).toEqual([label])
  })
})
