import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TokenRefusedError, TokenUnavailableError } from '../../../src/errors.ts'
import { fixedToken } from '../../../src/sessions/fixed-token.ts'
import { holderOf } from '../../../src/sessions/registry.ts'
import { isSession } from '../../../src/sessions/session.ts'
import { simpleJwt } from '../../../src/sessions/simple-jwt.ts'
import { ALICE, rotatingBackend } from './backend.ts'
import { deferred, expectNoSecret, rejection, serve } from './support.ts'

const unhandled: unknown[] = []
const note = (error: unknown) => unhandled.push(error)

beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 5))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

const start = async (options: Record<string, unknown> = {}) => {
  const backend = await rotatingBackend()
  const session = simpleJwt({ ...backend.options, ...options })
  const events: string[] = []
  session.on('signedin', () => events.push('in'))
  session.on('signedout', () => events.push('out'))
  return { backend, session, events }
}

describe('login and logout', () => {
  it('signs in, and out with a revocation', async () => {
    const { session, backend, events } = await start()
    expect(session.signedIn).toBe(false)
    await session.login(ALICE)
    expect(session.signedIn).toBe(true)
    await session.logout()
    expect(session.signedIn).toBe(false)
    expect(events).toEqual(['in', 'out'])
    expect(backend.alive).toEqual([])
  })

  it('a wrong password is refused, and signs nobody out', async () => {
    const { session } = await start()
    const wrong = { ...ALICE, password: 'canary-4711' }
    const error = await rejection(session.login(wrong))
    expect(error).toBeInstanceOf(TokenRefusedError)
    expectNoSecret(error, 'canary-4711')
    expect(session.signedIn).toBe(false)
    await session.login(ALICE)
    await rejection(session.login(wrong))
    expect(session.signedIn).toBe(true)
  })

  it.each([
    ['nothing', undefined],
    ['a string', 'canary-4711'],
    ['no password', { username: 'canary-4711' }],
    ['an empty name', { username: '', password: 'canary-4711' }],
    ['an unknown part', { ...ALICE, otp: 'canary-4711' }],
    ['a wrong extra', { ...ALICE, extra: { otp: 5 } }],
  ])('%s as credentials is misuse', async (_name, credentials) => {
    const { session, backend } = await start()
    // Wrong on purpose.
    const error = await rejection(session.login(credentials as typeof ALICE))
    expect(error).toBeInstanceOf(TypeError)
    expectNoSecret(error, 'canary-4711')
    expect(backend.received).toEqual([])
  })

  it('uses stored credentials', async () => {
    const { session } = await start({ credentials: ALICE })
    await session.login()
    expect(session.signedIn).toBe(true)
  })

  it('the last login counts; an overtaken one rejects and can be ignored', async () => {
    const { session, backend } = await start()
    const release = backend.holdAnswer()
    const first = session.login(ALICE)
    session.login(ALICE)
    backend.control.after = undefined
    const last = session.login(ALICE)
    expect(await rejection(first)).toMatchObject({ name: 'AbortError' })
    release()
    await last
    expect(session.signedIn).toBe(true)
  })

  it('logout ends a login that is under way, for good', async () => {
    const { session, backend } = await start()
    const release = backend.holdAnswer()
    const login = session.login(ALICE)
    await session.logout()
    expect(await rejection(login)).toMatchObject({ name: 'AbortError' })
    release()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(session.signedIn).toBe(false)
  })

  it('a signal ends a login', async () => {
    const { session } = await start()
    const gone = AbortSignal.abort(new Error('gone'))
    await expect(session.login(ALICE, { signal: gone })).rejects.toThrow('gone')
    const controller = new AbortController()
    const login = session.login(ALICE, { signal: controller.signal })
    controller.abort(new Error('left'))
    await expect(login).rejects.toThrow('left')
    expect(session.signedIn).toBe(false)
  })

  it('logout ends a login whose fetch hears no signal', async () => {
    const deaf: typeof fetch = () => new Promise(() => {})
    const { session } = await start({ fetch: deaf })
    const login = session.login(ALICE)
    await session.logout()
    expect(await rejection(login)).toMatchObject({ name: 'AbortError' })
  })

  it('logout works offline, and need not revoke', async () => {
    const { session, backend } = await start()
    await session.login(ALICE)
    backend.control.before = async () => ({ status: 500 })
    await session.logout()
    expect(session.signedIn).toBe(false)
    backend.control.before = undefined
    await session.login(ALICE)
    const before = backend.received.length
    await session.logout({ revoke: false })
    expect(backend.received.length).toBe(before)
  })

  it('logout revokes the token of a refresh that is on the wire', async () => {
    const { session, backend } = await start()
    await session.login(ALICE)
    const release = backend.holdAnswer()
    const refresh = holderOf(session).refresh()
    refresh.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 30))
    const logout = session.logout()
    expect(session.signedIn).toBe(false)
    release()
    await logout
    expect(backend.used).toHaveLength(1)
    expect(backend.alive).toEqual([])
  })
})

describe('restore', () => {
  it('finds nothing in memory', async () => {
    const { session } = await start()
    expect(await session.restore()).toBe(false)
  })

  it('from a store; twice at once is one request', async () => {
    let value: string | null = 'refresh-canary-1'
    const store = {
      get: () => value,
      set: (next: string | null) => {
        value = next
      },
    }
    const backend = await rotatingBackend()
    await simpleJwt(backend.options).login(ALICE)
    const session = simpleJwt({ ...backend.options, refreshToken: store })
    expect(await Promise.all([session.restore(), session.restore()])).toEqual([true, true])
    expect(backend.used).toHaveLength(1)
    expect(await session.restore()).toBe(true)
    expect(backend.used).toHaveLength(1)
    await session.logout()
    expect(value).toBeNull()
    expect(await session.restore()).toBe(false)
  })

  it('refused is false, an outage rejects', async () => {
    const { session, backend } = await start({ refreshToken: { get: () => 'r', set() {} } })
    expect(await session.restore()).toBe(false)
    backend.control.before = async () => ({ status: 503 })
    expect(await rejection(session.restore())).toBeInstanceOf(TokenUnavailableError)
  })

  it('joins a login', async () => {
    const { session } = await start()
    const login = session.login(ALICE)
    expect(await session.restore()).toBe(true)
    await login
  })
})

describe('fetch', () => {
  const rest = async (options: Record<string, unknown> = {}) => {
    const refused = new Set<string>()
    const api = await serve(({ headers }) =>
      refused.has(headers.authorization ?? '') ? { status: 401 } : { body: { ok: true } },
    )
    const made = await start({ origins: [api.origin], ...options })
    await made.session.login(ALICE)
    const refuseAll = () => {
      for (const { headers } of api.received) refused.add(headers.authorization ?? '')
    }
    return { ...made, api, refuseAll }
  }

  it('sends the token, detached as well', async () => {
    const { session, api } = await rest()
    const { fetch } = session
    expect(await (await fetch(`${api.origin}/x`, { headers: { 'x-a': 'b' } })).json()).toEqual({
      ok: true,
    })
    await fetch(new URL(api.origin))
    await fetch(new Request(api.origin, { method: 'POST', body: 'hi', headers: { 'x-a': 'c' } }))
    const tokens = new Set(api.received.map(({ headers }) => headers.authorization))
    expect([...tokens]).toEqual([expect.stringMatching(/^Bearer e/)])
    expect(api.received.map(({ headers, body }) => [headers['x-a'], body])).toEqual([
      ['b', ''],
      [undefined, ''],
      ['c', 'hi'],
    ])
  })

  it('refuses another origin before any I/O', async () => {
    const evil = await serve(() => ({}))
    const { session } = await rest()
    const lookalike = `${evil.origin}/x`
    for (const input of [lookalike, new URL(lookalike), new Request(lookalike)]) {
      const error = await rejection(session.fetch(input))
      expect(error).toBeInstanceOf(TypeError)
      expect(error.message).toContain(evil.origin)
    }
    session.fetch(lookalike)
    expect(evil.received).toEqual([])
  })

  it.each([302, 307])('does not follow a %i', async (status) => {
    const evil = await serve(() => ({}))
    const api = await serve(() => ({ status, headers: { location: evil.origin } }))
    const { session } = await rest({ origins: [api.origin] })
    await rejection(session.fetch(api.origin))
    await rejection(session.fetch(api.origin, { redirect: 'follow' }))
    const response = await session.fetch(api.origin, { redirect: 'manual' })
    expect(response.status).toBe(status)
    expect(evil.received).toEqual([])
  })

  it('a 401 costs one refresh and one retry, for all at once', async () => {
    const { session, api, refuseAll, backend } = await rest()
    await session.fetch(api.origin)
    refuseAll()
    const bodies = ['x', new URLSearchParams('a=b'), new Blob(['y']), new Uint8Array([1])]
    const all = bodies.map((body) => session.fetch(api.origin, { method: 'POST', body }))
    const statuses = (await Promise.all(all)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 200, 200])
    expect(backend.used).toHaveLength(1)
    expect(api.received).toHaveLength(9)
  })

  it('a stream is not sent again', async () => {
    const { session, api, refuseAll, backend } = await rest()
    await session.fetch(api.origin)
    refuseAll()
    const body = new Blob(['x']).stream()
    // `duplex` is missing in the types of the DOM.
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    expect((await session.fetch(api.origin, init)).status).toBe(401)
    const request = new Request(api.origin, { method: 'POST', body: 'x' })
    expect((await session.fetch(request)).status).toBe(401)
    expect(backend.used).toHaveLength(0)
  })

  it('a 401 that a refresh does not mend is given to the caller', async () => {
    const { session, api, refuseAll, backend } = await rest()
    await session.fetch(api.origin)
    refuseAll()
    backend.revokeAll()
    expect((await session.fetch(api.origin)).status).toBe(401)
    expect(api.received).toHaveLength(2)
  })

  it('signed out, it rejects without I/O, and can be ignored', async () => {
    const { session, api } = await rest()
    await session.logout()
    await rejection(session.fetch(api.origin))
    session.fetch(api.origin)
    expect(api.received).toEqual([])
  })

  it('a signal ends the wait for a token', async () => {
    const { session, api, backend } = await rest()
    const gate = deferred()
    backend.control.before = async () => {
      await gate.promise
      return undefined
    }
    const refresh = holderOf(session).refresh()
    const controller = new AbortController()
    const response = session.fetch(api.origin, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(response).rejects.toThrow('enough')
    gate.resolve()
    await refresh
  })
})

describe('secrets', () => {
  it('nothing that prints a session prints a token', async () => {
    const { session, backend } = await start({ credentials: ALICE })
    await session.login()
    await holderOf(session).refresh()
    const token = await holderOf(session).token()
    for (const secret of ['canary', 'correct-horse', token ?? '']) expectNoSecret(session, secret)
    backend.revokeAll()
    const error = await rejection(holderOf(session).refresh())
    expectNoSecret(error, 'canary')
    expectNoSecret(fixedToken('canary-4711'), 'canary-4711')
  })

  it('nothing on a session leads to its holder', () => {
    expect(Reflect.ownKeys(fixedToken('abc'))).toEqual(['fetch'])
  })

  it('a token that no header can carry is not quoted', async () => {
    const session = fixedToken('canary\n4711', { origins: ['https://a.example'] })
    const error = await rejection(session.fetch('https://a.example/'))
    expect(error).toMatchObject({ code: 'TOKEN_INVALID' })
    expectNoSecret(error, 'canary')
  })
})

describe('fixedToken', () => {
  it('is signed in, cannot sign in, and stays signed out', async () => {
    const api = await serve(({ headers }) => ({ status: 401, body: headers }))
    const session = fixedToken('abc', { expiresInMs: 60_000, origins: [api.origin] })
    expect(session.signedIn).toBe(true)
    expect(await session.restore()).toBe(true)
    const response = await session.fetch(api.origin)
    expect(await response.json()).toMatchObject({ authorization: 'Bearer abc' })
    expect(api.received).toHaveLength(1)
    expect(await rejection(session.login())).toBeInstanceOf(TypeError)
    await session.logout()
    expect(session.signedIn).toBe(false)
    expect(await session.restore()).toBe(false)
  })
})

it('isSession and holderOf know sessions only', () => {
  const session = fixedToken('abc')
  expect(isSession(session)).toBe(true)
  for (const other of [undefined, null, 'x', {}, Object.create(session)]) {
    expect(isSession(other)).toBe(false)
  }
  expect(() => holderOf({})).toThrow(TypeError)
})
