import { describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import {
  type AuthedSocketOptions,
  cookieSession,
  fixedToken,
  multiplexed,
  type PasswordCredentials,
  roomPerSocket,
  simpleJwt,
  type TicketOptions,
  ticket,
  viaFirstMessage,
  viaHeader,
  viaQuery,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { type Received, type Reply, serve } from '../unit/sessions/support.ts'
import { everythingSaid, pause, referenceServer, watched } from './bad-input-support.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }

/** The reference server, alice's session on it, and tickets for that session. */
const party = async (options: Partial<TicketOptions<PasswordCredentials>> = {}) => {
  const server = await referenceServer()
  const session = simpleJwt({
    obtain: `${server.url}/api/token/`,
    refresh: `${server.url}/api/token/refresh/`,
  })
  const auth = ticket({ url: `${server.url}/api/ticket/`, session, ...options })
  await auth.login(ALICE)
  const url = `${server.wsUrl}/ws/plain`
  const watch = (more: Partial<AuthedSocketOptions> = {}) =>
    watched({ url, auth, transmission: viaSubprotocol(), ...more })
  return { server, session, auth, url, watch }
}

/** An endpoint of tickets that answers as the test says, before a server that takes every one of them. */
const endpoint = async (answer: (request: Received, nth: number) => Reply | Promise<Reply>) => {
  const server = await referenceServer()
  let nth = 0
  const tickets = await serve((request) => answer(request, ++nth))
  const asked: boolean[] = []
  const session = ({ fresh }: { fresh: boolean }) => {
    asked.push(fresh)
    return `token-${asked.filter(Boolean).length}`
  }
  const { access } = await server.mint({ user: 'alice' })
  const watch = (options: Partial<TicketOptions> = {}, more: Partial<AuthedSocketOptions> = {}) =>
    watched({
      url: `${server.wsUrl}/ws/plain`,
      auth: ticket({ url: `${tickets.origin}/ticket`, session, ...options }),
      transmission: viaSubprotocol(),
      ...more,
    })
  return { server, asked, access, watch, ...tickets }
}

const REFUSED: Reply = { status: 401, body: { detail: 'no' } }
const CHALLENGED: Reply = { status: 401, headers: { 'www-authenticate': 'Basic' }, body: 'no' }

const isWaiting = (payload: unknown): boolean =>
  (payload as { status: { state: string } }).status.state === 'waiting'

describe('a ticket', () => {
  it.each<[string, string, Partial<AuthedSocketOptions>]>([
    ['query', '/ws/plain', { transmission: viaQuery() }],
    ['subprotocol-pair', '/ws/plain', { transmission: viaSubprotocol() }],
    ['header', '/ws/plain', { transmission: viaHeader() }],
    [
      'first-message',
      '/ws/rooms',
      { transmission: viaFirstMessage('rooms'), protocol: multiplexed() },
    ],
  ])('travels in place of the token: %s', async (place, path, options) => {
    const { server, watch } = await party()
    const { socket } = watch({ url: server.wsUrl + path, ...options })
    await socket.connect()
    expect(server.dials()).toMatchObject([{ transmissions: [place], outcome: 'admitted' }])
    expect(server.counts()).toMatchObject({ ticketRequests: 1, tokenRequests: 1 })
  })

  it('is another one for each dial, and for each socket', async () => {
    const { server, watch } = await party()
    const { socket } = watch({ url: `${server.wsUrl}/ws/chat/{room}/`, protocol: roomPerSocket() })
    const rooms = await Promise.all(['a', 'b', 'c'].map((name) => socket.join(name)))
    expect(server.counts()).toMatchObject({ ticketRequests: 3, dials: 3 })
    server.closeSockets({ code: 1012 })
    await vi.waitFor(() => expect(server.counts().accepted).toBe(6))
    expect(server.counts()).toMatchObject({ ticketRequests: 6, dials: 6, tokenRequests: 1 })
    expect(rooms.map(({ state }) => state)).not.toContain('refused')
  })

  it('is nothing to warn of in a URL', async () => {
    const { session, watch } = await party()
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await watch({ transmission: viaQuery() }).socket.connect()
    expect(warned).not.toHaveBeenCalled()
    await watch({ transmission: viaQuery(), auth: session }).socket.connect()
    expect(warned).toHaveBeenCalledOnce()
  })

  it('is never sent twice, nor is the token in its place; the confirming dial has its own', async () => {
    const given: string[] = []
    const { server, session, auth, watch } = await party({
      fetch: async (...args) => {
        const response = await fetch(...args)
        const { ticket: value } = (await response.clone().json()) as { ticket: string }
        given.push(value)
        return response
      },
    })
    const sent: string[] = []
    const watching = watch({
      transmission: viaSubprotocol((token) => {
        sent.push(token)
        return ['token', token]
      }),
    })
    const said = everythingSaid(watching, session, auth)
    await server.settings({ refuseSockets: { when: 'after-accept', code: 4003 } })
    await expect(watching.socket.connect()).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    // The token, a fresh one, and that one after a pause: each was exchanged for a ticket of its own.
    expect(server.counts()).toMatchObject({ ticketRequests: 3, dials: 3, tokenRequests: 2 })
    expect(sent).toEqual(given)
    expect(new Set(sent).size).toBe(3)
    for (const value of sent) expect(said()).not.toContain(value.slice(7, 27))
  })

  it('leaves the socket what it knows of the session: who it is, and when its token ends', async () => {
    const { watch } = await party()
    const { socket } = watch()
    await socket.connect()
    expect(socket.identity).toBe('alice')
    expect(socket.status).toMatchObject({ tokenExpiresAt: expect.any(Number) })
  })

  it.each<[string, typeof fetch]>([
    ['that is dropped', fetch],
    ['that cannot be dropped', (input, init) => fetch(input, { ...init, signal: null })],
  ])('is dialed with by nobody who left meanwhile: a request %s', async (_, asking) => {
    let answered = () => {}
    const { server, watch, received } = await endpoint(
      () =>
        new Promise((resolve) => {
          answered = () => resolve({ body: { ticket: 'late' } })
        }),
    )
    const { socket } = watch({ fetch: asking })
    socket.connect().catch(() => {})
    await vi.waitFor(() => expect(received).toHaveLength(1))
    await socket.disconnect()
    answered()
    await pause(50)
    expect(server.counts().dials).toBe(0)
  })
})

describe('a socket that a ticket let in', () => {
  /** With tokens of 1.5 s; `told` are the tokens that it is told on the live socket. */
  const renewing = async (options: Partial<TicketOptions<PasswordCredentials>> = {}) => {
    const { server, auth, watch } = await party(options)
    await server.settings({ accessLifetimeMs: 1_500, exactExp: true })
    await auth.login(ALICE)
    const told: string[] = []
    class Listening extends WebSocket {
      override send(data: string, ...more: unknown[]): void {
        const { type, token } = JSON.parse(data)
        if (type === 'auth') told.push(token)
        super.send(data, ...(more as []))
      }
    }
    const { socket, errors } = watch({
      url: `${server.wsUrl}/ws/rooms`,
      protocol: multiplexed(),
      WebSocket: Listening as unknown as WebSocketConstructor,
    })
    await socket.connect()
    return { server, socket, errors, told }
  }

  it('is told of a younger token by another ticket, and stays over many lifetimes', async () => {
    const { server, socket, errors, told } = await renewing()
    await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(3))
    await pause(100)
    expect(server.counts()).toMatchObject({ dials: 1, ticketRequests: told.length + 1 })
    expect(socket.state).toBe('connected')
    expect(errors).toEqual([])
    expect(new Set(told).size).toBe(told.length)
    expect(told.filter((token) => !token.startsWith('ticket-'))).toEqual([])
  })

  it('is told nothing where no ticket is to be had, and dials when the server closes it', async () => {
    let asked = 0
    const { server, errors, told } = await renewing({
      fetch: (...args) => (++asked === 2 ? Promise.reject(new Error('offline')) : fetch(...args)),
    })
    await vi.waitFor(() => expect(server.counts().accepted).toBe(2))
    expect(told).toEqual([])
    expect(server.counts().dials).toBe(2)
    expect(errors).toEqual([])
  })
})

describe('somebody else who signs in while a ticket is under way', () => {
  /** The answer to the nth ticket request of alice is kept back; her requests may ignore that they are given up. */
  const held = async (nth: number, isDropped: boolean) => {
    let asked = 0
    const answers: (() => void)[] = []
    const made = await party({
      fetch: async (input, init) => {
        if (++asked !== nth) return fetch(input, init)
        const answer = await fetch(input, { ...init, signal: null })
        const { signal } = init ?? {}
        await new Promise<void>((resolve, reject) => {
          answers.push(resolve)
          if (isDropped) signal?.addEventListener('abort', () => reject(signal.reason))
        })
        return answer
      },
    })
    return { ...made, answers }
  }
  const BOB = { ...ALICE, username: 'bob' }

  it.each([
    ['a request that is dropped', true],
    ['a request that cannot be dropped', false],
  ])('dials with a ticket of their own, and with no other: %s', async (_, isDropped) => {
    const { server, auth, watch, answers } = await held(1, isDropped)
    const { socket, errors } = watch({ url: `${server.wsUrl}/ws/rooms`, protocol: multiplexed() })
    const connected = socket.connect()
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    await auth.switch(BOB)
    answers[0]?.()
    await connected
    await (await socket.join('lobby')).send('hello')
    expect(server.joins().map(({ user }) => user)).toEqual(['bob'])
    expect([server.counts().dials, errors]).toEqual([1, []])
  })

  it('tells the live socket of the first one nothing', async () => {
    const { server, auth, watch, answers } = await held(2, false)
    await server.settings({ accessLifetimeMs: 1_500, exactExp: true })
    await auth.login(ALICE)
    await server.settings({ accessLifetimeMs: 60_000 })
    const told: string[] = []
    class Listening extends WebSocket {
      override send(data: string, ...more: unknown[]): void {
        told.push(JSON.parse(data).type)
        super.send(data, ...(more as []))
      }
    }
    const { socket, errors } = watch({
      url: `${server.wsUrl}/ws/rooms`,
      protocol: multiplexed(),
      WebSocket: Listening as unknown as WebSocketConstructor,
    })
    await socket.connect()
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    await auth.switch(BOB)
    answers[0]?.()
    await vi.waitFor(() => expect(socket.identity).toBe('bob'))
    await (await socket.join('lobby')).send('hello')
    expect(server.joins().map(({ user }) => user)).toEqual(['bob'])
    expect([server.counts().dials, told, errors]).toEqual([2, ['join', 'send'], []])
  })
})

describe('the session of a ticket', () => {
  it('is the one given: its login, its fetch, its events, its logout', async () => {
    const { server, session, auth, watch } = await party()
    expect([auth.signedIn, session.signedIn]).toEqual([true, true])
    expect(await auth.restore()).toBe(true)
    const { socket } = watch()
    const other = watch({ auth: session }).socket
    await Promise.all([socket.connect(), other.connect()])
    expect(await (await auth.fetch(`${server.url}/whoami`)).json()).toEqual({ user: 'alice' })
    const heard = vi.fn()
    auth.on('signedout', heard)
    await auth.logout()
    expect(heard).toHaveBeenCalledOnce()
    expect(session.signedIn).toBe(false)
    expect([socket.state, other.state]).toEqual(['idle', 'idle'])
  })

  it('has no login where a function gives the token', async () => {
    const auth = ticket({ url: 'https://a.example/ticket', session: () => 'token' })
    await expect(auth.login()).rejects.toThrow(/ticket has no login/)
  })

  it('may be the cookies of the page, with the CSRF header that goes with them', async () => {
    const { access, received, ...site } = await endpoint(() => ({ body: { ticket: access } }))
    vi.stubGlobal('document', { cookie: 'csrftoken=proof; theme=dark' })
    vi.stubGlobal('location', new URL(`${site.origin}/page`))
    const calls: RequestInit[] = []
    const auth = ticket({
      url: '/ticket',
      fetch: (input, init) => {
        calls.push(init ?? {})
        return fetch(input, init)
      },
    })
    const { socket } = watched({
      url: `${site.server.wsUrl}/ws/plain`,
      auth,
      transmission: viaSubprotocol(),
    })
    await socket.connect()
    expect(calls).toMatchObject([{ method: 'POST', credentials: 'include', redirect: 'manual' }])
    expect(received).toMatchObject([{ path: '/ticket', headers: { 'x-csrftoken': 'proof' } }])
    expect(received[0]?.headers.authorization).toBeUndefined()
  })

  it('may be the cookies of Node', async () => {
    const { access, origin, received, watch } = await endpoint(() => ({ body: { ticket: access } }))
    const session = cookieSession({ cookie: 'sessionid=abc; csrftoken=proof', origins: [origin] })
    const { socket } = watch({ session })
    await socket.connect()
    expect(received).toMatchObject([
      { headers: { cookie: 'sessionid=abc; csrftoken=proof', 'x-csrftoken': 'proof' } },
    ])
  })

  it('gives its token to its own origins only', async () => {
    const { received, watch } = await endpoint(() => ({ body: { ticket: 'x' } }))
    const { socket } = watch({
      session: fixedToken('canary', { origins: ['https://elsewhere.example'] }),
    })
    await expect(socket.connect()).rejects.toThrow(/ticket: url is on .* list it in .* origins/)
    expect(socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect(received).toEqual([])
  })

  it('is told to no other place by a redirect', async () => {
    const elsewhere = await serve(() => ({ body: { ticket: 'x' } }))
    const { watch } = await endpoint(() => ({
      status: 307,
      headers: { location: `${elsewhere.origin}/` },
    }))
    const { socket } = watch()
    socket.connect().catch(() => {})
    await vi.waitFor(() => expect(socket.state).toBe('waiting'))
    expect(elsewhere.received).toEqual([])
  })
})

describe('a refusal by the endpoint of tickets', () => {
  it.each([
    ['401, whatever its body', { status: 401, body: '<h1>Unauthorized</h1>' }],
    ['403, with the JSON of an API', { status: 403, body: { detail: 'Not authenticated' } }],
  ])('asks for a fresh token, once, and the dial goes on: %s', async (_, reply) => {
    const { access, asked, received, server, watch } = await endpoint((_request, nth) =>
      nth === 1 ? reply : { body: { ticket: access } },
    )
    const { socket, states } = watch()
    await socket.connect()
    expect(asked).toEqual([false, true])
    expect(received.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-0',
      'Bearer token-1',
    ])
    expect(states).not.toContain('waiting')
    expect(server.counts().dials).toBe(1)
  })

  it('for ever ends the session as every rejection does: 2 tokens, 3 requests, no dial', async () => {
    const { asked, received, server, watch } = await endpoint(() => ({
      status: 401,
      body: { detail: 'no' },
    }))
    const { socket } = watch()
    await expect(socket.connect()).rejects.toMatchObject({
      code: 'CREDENTIAL_REJECTED',
      cause: { code: 'TOKEN_REFUSED', message: expect.stringContaining('/ticket answered 401') },
    })
    await pause(100)
    expect(asked).toEqual([false, true])
    expect(received).toHaveLength(3)
    expect(server.counts().dials).toBe(0)
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
  })

  it('speaks of the token, and not of the room, where other sockets are open', async () => {
    const { server, watch } = await party()
    const { socket } = watch({
      url: `${server.wsUrl}/ws/chat/{room}/`,
      protocol: roomPerSocket(),
      settleMs: 1,
    })
    await socket.join('a')
    await pause(50)
    server.fault({ on: 'token', kind: 'status', status: 401 })
    await socket.join('b')
    expect(server.counts()).toMatchObject({ refreshRequests: 1, ticketRequests: 3 })
  })
})

describe('a request for a ticket', () => {
  it.each(['GET', 'POST'] as const)('is made by %s where that is said', async (method) => {
    const { access, received, watch } = await endpoint(() => ({ body: { ticket: access } }))
    await watch({ method }).socket.connect()
    expect(received).toMatchObject([{ method, body: '', path: '/ticket' }])
  })

  it('by GET sends no CSRF header, and names its method in errors', async () => {
    const { received, watch, origin } = await endpoint(() => ({ status: 405 }))
    const session = cookieSession({ cookie: 'sessionid=abc; csrftoken=proof', origins: [origin] })
    const { socket } = watch({ method: 'GET', session })
    socket.connect().catch(() => {})
    await vi.waitFor(() =>
      expect(socket.status).toMatchObject({
        error: { message: expect.stringMatching(/GET .*405: another method \(ticket: method\)/) },
      }),
    )
    expect(received[0]?.headers['x-csrftoken']).toBeUndefined()
  })

  it.each<[string, Partial<TicketOptions>, string | undefined]>([
    ['the token of the session', {}, 'Bearer token-0'],
    ['the scheme of Knox', { scheme: 'Token' }, 'Token token-0'],
    ['headers beside it', { headers: { 'X-App': '1' } }, 'Bearer token-0'],
    ['an own Authorization', { headers: { Authorization: 'Token mine' } }, 'Token mine'],
    ['one in small letters', { headers: { authorization: 'Token mine' } }, 'Token mine'],
  ])('carries %s', async (_name, options, authorization) => {
    const { access, received, watch } = await endpoint(() => ({ body: { ticket: access } }))
    await watch(options).socket.connect()
    expect(received.map(({ headers }) => headers.authorization)).toEqual([authorization])
  })

  it('takes the scheme of its session', async () => {
    const { access, received, watch, origin } = await endpoint(() => ({ body: { ticket: access } }))
    const session = fixedToken('key1', { origins: [origin], scheme: 'Token' })
    await watch({ session }).socket.connect()
    expect(received[0]?.headers.authorization).toBe('Token key1')
    expect(() => ticket({ url: `${origin}/ticket`, session, scheme: 'Token' })).toThrow(/scheme/)
  })

  it('with an Authorization of its own says nothing of the token where that is refused', async () => {
    const { asked, received, watch } = await endpoint(() => REFUSED)
    const { socket, states } = watch({ headers: { Authorization: 'Token mine' } })
    socket.connect().catch(() => {})
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(3))
    expect(asked).not.toContain(true)
    expect(states).not.toContain('failed')
  })

  it.each<[string, Partial<TicketOptions>, (access: string) => unknown]>([
    ['a path', { fields: { ticket: 'data.ticket' } }, (ticket) => ({ data: { ticket } })],
    ['a function', { fields: { ticket: ({ t }) => t } }, (t) => ({ t })],
  ])('finds the ticket by %s', async (_name, options, body) => {
    const { access, watch } = await endpoint(() => ({ body: body(access) }))
    await watch(options).socket.connect()
  })

  it.each<[string, Reply, TicketOptions['isRefused'], boolean[]]>([
    ['a proxy asks who it is', CHALLENGED, undefined, [false]],
    ['a proxy asks, and the user says it is a no', CHALLENGED, () => true, [false, true]],
    ['the user says it is none', REFUSED, () => false, [false]],
    ['the user says it is a no', { status: 410 }, () => true, [false, true]],
  ])('that fails is judged: %s', async (_name, reply, isRefused, expected) => {
    const { access, asked, watch } = await endpoint((_request, nth) =>
      nth === 1 ? reply : { body: { ticket: access } },
    )
    await watch(isRefused ? { isRefused } : {}).socket.connect()
    expect([...new Set(asked)]).toEqual(expected)
  })
})

describe('an endpoint of tickets that gives none', () => {
  it.each<[string, (access: string) => Reply, RegExp]>([
    ['is down', () => ({ status: 503 }), /answered 503/],
    ['has a proxy before it', () => ({ status: 403, body: '<h1>no</h1>' }), /answered 403/],
    ['was called wrong', () => ({ status: 400, body: { detail: 'room?' } }), /answered 400/],
    [
      'names it otherwise',
      () => ({ body: { nonce: 'x' } }),
      /undefined as 'ticket'.*fields\.ticket/,
    ],
    ['gives an empty one', () => ({ body: { ticket: '' } }), /as 'ticket'/],
    ['answers no JSON', () => ({ body: 'ticket' }), /without a JSON object/],
    ['gives the same one again', () => ({ body: { ticket: 'same' } }), /before once more/],
  ])('is asked again, without another token: it %s', async (_, reply, text) => {
    const { access, asked, received, server, watch } = await endpoint(() => reply(access))
    const sent: string[] = []
    const { socket, states } = watch(
      {},
      {
        transmission: viaSubprotocol((token) => {
          sent.push(token)
          return ['token', token]
        }),
        closePolicy: { 4003: 'retry' },
      },
    )
    socket.connect().catch(() => {})
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(4))
    await vi.waitFor(() => {
      expect(socket.status).toMatchObject({
        state: 'waiting',
        error: { code: 'TOKEN_UNAVAILABLE' },
      })
      expect((socket.status as { error: Error }).error.message).toMatch(text)
    })
    expect(states).not.toContain('failed')
    expect(asked).not.toContain(true)
    expect(sent).toHaveLength(text.source.includes('once more') ? 1 : 0)
    expect(server.counts().dials).toBe(sent.length)
  })

  it('is obeyed when it advises to come later', async () => {
    const { access, received, watch } = await endpoint((_request, nth) =>
      nth === 1 ? { status: 429, headers: { 'retry-after': '1' } } : { body: { ticket: access } },
    )
    const { socket } = watch()
    const connected = socket.connect()
    await vi.waitFor(() => expect(socket.state).toBe('waiting'))
    const { retryAt } = socket.status as { retryAt: number }
    expect(retryAt - Date.now()).toBeGreaterThan(500)
    await connected
    expect(received).toHaveLength(2)
  })

  it('in time has said nothing of the token', async () => {
    const { access, asked, watch } = await endpoint(async (_request, nth) => {
      if (nth === 1) await pause(300)
      return { body: { ticket: access } }
    })
    const { socket, events } = watch({ timeoutMs: 50 })
    await socket.connect()
    const waits = events.filter(([name, payload]) => name === 'statechange' && isWaiting(payload))
    expect(waits).toMatchObject([
      [
        'statechange',
        {
          status: {
            error: { code: 'TOKEN_UNAVAILABLE', message: expect.stringMatching(/in time/) },
          },
        },
      ],
    ])
    expect(asked).not.toContain(true)
  })

  it('under that name gives it under another', async () => {
    const { access, watch } = await endpoint(() => ({ body: { nonce: access } }))
    await watch({ fields: { ticket: 'nonce' } }).socket.connect()
  })
})
