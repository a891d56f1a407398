/** In Node every answer may renew a cookie, and what the user sends of his own stays. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocket as UndiciSocket } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import {
  AuthedSocket,
  type AuthedSocketOptions,
  cookieSession,
  fixedToken,
  plain,
  simpleJwt,
  ticket,
  viaCookie,
  viaHeader,
  viaQuery,
} from '../../../src/index.ts'
import { ALICE, hosts, setting, signedIn, withoutControl } from './cookie-world.ts'
import { deferred, rejection, serve } from './support.ts'

const APP = 'https://app.example.com'
const LOGIN = `${APP}/login`

describe('an answer renews the cookie', () => {
  it.each<[string, number, RequestInit | undefined]>([
    ['200', 200, undefined],
    ['a 401, before it is asked once more', 401, undefined],
    ['404', 404, undefined],
    ['500', 500, undefined],
    ['a redirect that is not followed', 302, { redirect: 'manual' }],
    ['200 of a POST', 200, { method: 'POST', body: 'x' }],
  ])('of session.fetch: %s', async (_, status, init) => {
    const { session, asked } = await signedIn(LOGIN, ['s=v1; Path=/'], {
      later: ({ headers }) => {
        const was = Number(headers.get('cookie')?.match(/s=v(\d)/)?.[1])
        return setting([`s=v${was + 1}; Path=/`], status)
      },
    })
    const sent = () => asked.slice(1).map(({ headers }) => withoutControl(headers.get('cookie')))
    await session.fetch(`${APP}/me`, init)
    await session.fetch(`${APP}/me`, init)
    expect(sent()).toEqual(['s=v1', 's=v2'])
  })

  it('of session.fetch, also where the first one was given', async () => {
    const { fetch, asked } = hosts(() => ['s=v2; Path=/'])
    const session = cookieSession({ cookie: 's=v1; lb=node-7', origins: [APP], fetch })
    await session.fetch(`${APP}/me`)
    await session.fetch(`${APP}/me`)
    expect(asked.map(({ headers }) => headers.get('cookie'))).toEqual([
      's=v1; lb=node-7',
      'lb=node-7; s=v2',
    ])
  })

  it('and a deletion deletes the given one', async () => {
    const { fetch, asked } = hosts(() => ['s=; Path=/; Max-Age=0'])
    const session = cookieSession({ cookie: 's=v1; lb=node-7', origins: [APP], fetch })
    await session.fetch(`${APP}/me`)
    await session.fetch(`${APP}/me`)
    expect(asked[1]?.headers.get('cookie')).toBe('lb=node-7')
  })

  it('of a function, until it gives another one', async () => {
    let given = 's=v1'
    const { fetch, asked } = hosts(() => ['s=renewed; Path=/'])
    const session = cookieSession({ cookie: () => given, origins: [APP], fetch })
    await session.fetch(`${APP}/me`)
    await session.fetch(`${APP}/me`)
    given = 's=v9'
    await session.fetch(`${APP}/me`)
    expect(asked.map(({ headers }) => headers.get('cookie'))).toEqual(['s=v1', 's=renewed', 's=v9'])
  })

  it('of the view that sets the CSRF cookie, and of the login', async () => {
    const { fetch, asked } = hosts(({ url }) =>
      url.endsWith('/csrf') ? ['csrftoken=one; Path=/'] : ['csrftoken=two; Path=/', 's=1; Path=/'],
    )
    const session = cookieSession({ login: LOGIN, csrf: { url: `${APP}/csrf` }, fetch })
    await session.login(ALICE)
    await session.fetch(`${APP}/write`, { method: 'POST' })
    expect(asked.map(({ headers }) => headers.get('x-csrftoken'))).toEqual([null, 'one', 'two'])
    expect(asked[2]?.headers.get('cookie')).toBe('csrftoken=two; s=1')
  })

  it.each([
    ['with its own fetch', true],
    ['with that of the session', false],
  ])('of a ticket, %s', async (_, own) => {
    let n = 0
    const { fetch, asked } = hosts(() => {
      const response = setting([`s=v${++n + 1}; Path=/`])
      return new Response(JSON.stringify({ ticket: `t${n}` }), response)
    })
    const session = cookieSession({ cookie: 's=v1', origins: [APP], fetch })
    const auth = ticket({ url: `${APP}/ticket`, session, ...(own && { fetch }) })
    const socket = new AuthedSocket({
      url: 'ws://127.0.0.1:9/',
      auth,
      transmission: viaQuery(),
      protocol: plain(),
      retry: { scale: 0.001 },
    })
    socket.connect().catch(() => {})
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1))
    await socket.disconnect()
    const [first, second] = asked.map(({ headers }) => headers.get('cookie'))
    expect([first, second]).toEqual(['s=v1', 's=v2'])
  })

  it('of a refresh, also of one that is no yes', async () => {
    const { fetch, asked } = hosts(({ url }) =>
      url.endsWith('/csrf')
        ? ['csrftoken=proof; Path=/', 'r=v0; Path=/']
        : setting([`r=v${asked.length}; Path=/; HttpOnly`], 503),
    )
    const at = { obtain: `${APP}/obtain`, refresh: `${APP}/refresh` }
    const csrf = { url: `${APP}/csrf` }
    const session = simpleJwt({ ...at, refreshToken: 'httpOnlyCookie', csrf, fetch })
    for (const _ of [1, 2]) await rejection(session.restore())
    const sent = asked.slice(1).map(({ headers }) => headers.get('cookie'))
    expect(sent).toEqual(['csrftoken=proof; r=v0', 'csrftoken=proof; r=v2'])
  })

  it('of session.fetch, beside a token', async () => {
    const { fetch, asked } = hosts(({ url }) => {
      if (url.endsWith('/obtain'))
        return new Response('{"access":"a"}', setting(['r=v1; Path=/', 'p=1; Path=/refresh']))
      return [`r=v${asked.length}; Path=/`]
    })
    const at = { obtain: `${APP}/obtain`, refresh: `${APP}/refresh` }
    const session = simpleJwt({ ...at, refreshToken: 'httpOnlyCookie', fetch })
    await session.login(ALICE)
    await session.fetch(`${APP}/me`)
    await session.fetch(`${APP}/me`)
    const sent = asked.slice(1).map(({ headers }) => headers.get('cookie'))
    expect(sent).toEqual(['r=v1', 'r=v2'])
    expect(asked[1]?.headers.get('authorization')).toBe('Bearer a')
  })

  it('of a handshake, accepted or refused, where ws shows it', async () => {
    let n = 1
    const seen: (string | undefined)[] = []
    const sockets = new WebSocketServer({ noServer: true })
    sockets.on('headers', (headers) => headers.push(`Set-Cookie: s=v${++n}; Path=/`))
    const server = createServer()
    server.on('upgrade', (request, stream, head) => {
      seen.push(request.headers.cookie)
      if (seen.length > 1) return sockets.handleUpgrade(request, stream, head, () => {})
      stream.end(`HTTP/1.1 503 X\r\nSet-Cookie: s=v${++n}; Path=/\r\nContent-Length: 0\r\n\r\n`)
    })
    const origin = await listen(server)
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate()
      server.close()
    })
    const session = cookieSession({ cookie: 's=v1' })
    const options = { url: origin.replace('http', 'ws'), auth: session, protocol: plain() }
    await using socket = new AuthedSocket({ ...options, retry: { scale: 0.001 } })
    await socket.connect()
    await socket.disconnect()
    await socket.connect()
    expect(seen).toEqual(['s=v1', 's=v2', 's=v3'])
  })

  it('of a probe, which carries the cookie as the socket does', async () => {
    const { origin, received } = await serve(({ path }) =>
      path === '/whoami'
        ? { headers: { 'set-cookie': `s=v${received.length + 1}; Path=/` } }
        : { status: 403 },
    )
    const session = cookieSession({ cookie: 's=v1' })
    const socket = new AuthedSocket({
      url: origin.replace('http', 'ws'),
      auth: session,
      protocol: plain(),
      // As in a browser, the status of a refused handshake is hidden.
      WebSocket: UndiciSocket,
      probe: '/whoami',
      retry: { scale: 0.01 },
    })
    socket.connect().catch(() => {})
    const probes = () => received.filter(({ path }) => path === '/whoami')
    // One that a dial cuts short brings nothing.
    const sent = () => probes().map(({ headers }) => headers.cookie)
    await vi.waitFor(() => expect(sent().at(-1)).toMatch(/^s=v([2-9]|\d\d)/))
    expect(sent()[0]).toBe('s=v1')
    expect(socket.state).not.toBe('failed')
    await socket.disconnect()
  })
})

describe('an answer that comes late', () => {
  it.each<[string, (session: ReturnType<typeof cookieSession>) => Promise<unknown>]>([
    ['after a logout is kept nowhere', (session) => session.logout()],
    ['after another login is not of that one', (session) => session.login(ALICE)],
  ])('%s', async (_, leave) => {
    const gate = deferred()
    const { session, asked } = await signedIn(LOGIN, ['s=alice; Path=/'], {
      later: async ({ url }) => {
        if (!url.endsWith('/slow')) return setting([])
        await gate.promise
        return setting(['s=late; Path=/'])
      },
    })
    const slow = session.fetch(`${APP}/slow`)
    await vi.waitFor(() => expect(asked.at(-1)?.url).toContain('/slow'))
    await leave(session)
    gate.resolve()
    await slow
    await session.login(ALICE)
    await session.fetch(`${APP}/me`)
    expect(asked.at(-1)?.headers.get('cookie')).toContain('s=alice')
  })
})

describe('the user’s own', () => {
  const cookies = async (options: Partial<AuthedSocketOptions>) => {
    const seen: Record<string, string | string[] | undefined>[] = []
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    sockets.on('connection', (_, { headers }) => seen.push(headers))
    await new Promise((done) => sockets.once('listening', done))
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
    })
    const { port } = sockets.address() as AddressInfo
    await using socket = new AuthedSocket({
      url: `ws://127.0.0.1:${port}/`,
      auth: fixedToken('tok'),
      protocol: plain(),
      ...options,
    })
    await socket.connect()
    return seen[0] ?? {}
  }

  const WAYS: [string, Partial<AuthedSocketOptions>, string][] = [
    ['viaCookie', { transmission: viaCookie() }, 'access_token=tok'],
    ['cookieSession', { auth: cookieSession({ cookie: 's=1' }) }, 's=1'],
    ['viaHeader', { transmission: viaHeader() }, ''],
  ]
  const SPELLINGS: [string, (cookie: string) => object][] = [
    ['Cookie', (cookie) => ({ Cookie: cookie, 'X-Tenant': 't1' })],
    ['cookie', (cookie) => ({ cookie, 'X-Tenant': 't1' })],
    ['COOKIE', (cookie) => ({ COOKIE: cookie, 'X-Tenant': 't1' })],
    ['an array', (cookie) => ({ Cookie: cookie.split('; '), 'X-Tenant': ['t1'] })],
    ['Headers', (cookie) => new Headers({ cookie, 'X-Tenant': 't1' })],
    ['pairs', (cookie) => Object.entries({ cookie, 'X-Tenant': 't1' })],
  ]

  describe.each(WAYS)('beside %s', (_, options, own) => {
    it.each(SPELLINGS)('stays: %s', async (_name, headers) => {
      const webSocketOptions = { headers: headers('AWSALB=node-7; lang=de') }
      const seen = await cookies({ ...options, webSocketOptions })
      const expected = ['AWSALB=node-7', 'lang=de', own].filter((part) => part !== '').join('; ')
      expect([seen['cookie'], seen['x-tenant']]).toEqual([expected, 't1'])
    })

    it.each(['ws', 'undici'])('of the same name gives way, on %s', async (runtime) => {
      const webSocketOptions = { headers: { cookie: 'a=1; s=old; access_token=old' } }
      const WebSocket = runtime === 'undici' ? { WebSocket: UndiciSocket } : {}
      const seen = await cookies({ ...options, webSocketOptions, ...WebSocket })
      const rest = ['a=1', 's=old', 'access_token=old'].filter(
        (pair) => pair.split('=')[0] !== own.split('=')[0],
      )
      expect(seen['cookie']).toBe([...rest, own].filter((part) => part !== '').join('; '))
    })
  })

  it.each<[string, object, string]>([
    ['replaced', { authorization: 'Basic x' }, 'Bearer tok'],
    ['replaced, in Headers', new Headers({ authorization: 'Basic x' }), 'Bearer tok'],
  ])('header that carries the token is %s', async (_, headers, expected) => {
    for (const WebSocket of [undefined, UndiciSocket]) {
      const seen = await cookies({
        transmission: viaHeader(),
        webSocketOptions: { headers },
        ...(WebSocket && { WebSocket }),
      })
      expect(seen['authorization']).toBe(expected)
    }
  })

  it.each<[string, HeadersInit]>([
    ['an object', { cookie: 'lang=de; s=old', 'x-tenant': 't1' }],
    ['Headers', new Headers({ Cookie: 'lang=de; s=old', 'x-tenant': 't1' })],
    ['pairs', [...Object.entries({ COOKIE: 'lang=de; s=old', 'x-tenant': 't1' })]],
  ])('in session.fetch stays: %s', async (_, headers) => {
    const { session, asked } = await signedIn(LOGIN, ['s=new; Path=/'])
    await session.fetch(`${APP}/me`, { headers })
    const sent = asked.at(-1)?.headers
    expect(sent?.get('cookie')).toBe('lang=de; control=1; s=new')
    expect(sent?.get('x-tenant')).toBe('t1')
  })

  it('is sent where the session has none for that host, and nothing where there is none', async () => {
    const other = 'https://other.example'
    const { session, asked } = await signedIn(LOGIN, [], { origins: [other] })
    await session.fetch(`${other}/me`, { headers: { cookie: 'lang=de' } })
    await session.fetch(`${other}/me`)
    expect(asked.slice(1).map(({ headers }) => headers.get('cookie'))).toEqual(['lang=de', null])
  })
})

it('a given cookie stays beside those of a login, and one of the same name goes', async () => {
  const { session, asked } = await signedIn(LOGIN, ['s=bob; Path=/accounts'], {
    cookie: 's=alice; lb=node-7',
  })
  await session.fetch(`${APP}/me`)
  expect(asked.at(-1)?.headers.get('cookie')).toBe('lb=node-7; control=1')
})

const listen = async (server: ReturnType<typeof createServer>): Promise<string> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  // A server that listens on TCP has an address of this kind.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
