import { describe, expect, it, vi } from 'vitest'
import { TokenInvalidError, TokenRefusedError, TokenUnavailableError } from '../../../src/errors.ts'
import { cookieSession, cookieSessionParts } from '../../../src/sessions/cookie-session.ts'
import { ask, expectNoSecret, rejection, serve } from './support.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }

const django = () =>
  serve(({ path, body }) => {
    if (path !== '/login/') return {}
    if (!body.includes('correct-horse')) return { status: 401, body: { detail: 'No' } }
    const cookies = ['sessionid=canary; HttpOnly; Path=/', 'csrftoken=proof; Path=/']
    return { headers: { 'set-cookie': cookies } }
  })

it('a cookie string is the header, until logout', async () => {
  const { source } = cookieSessionParts({ cookie: 'sessionid=abc' })
  expect(await ask(source)).toMatchObject({ kind: 'cookie', value: 'sessionid=abc' })
  expect([source.canRenew, source.canAsk, source.everyDial]).toEqual([false, true, false])
  source.clear()
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
  expect(source.canAsk).toBe(false)
})

it('a function is asked before every dial', async () => {
  let n = 0
  const { source } = cookieSessionParts({ cookie: async () => `s=${++n}` })
  expect([source.canRenew, source.canAsk, source.everyDial]).toEqual([true, true, true])
  await ask(source)
  expect(await ask(source)).toMatchObject({ kind: 'cookie', value: 's=2' })
})

it.each([
  ['nothing', () => undefined, TokenInvalidError],
  ['a line break', () => 'canary\r\nx: y', TokenInvalidError],
  ['an error', () => Promise.reject(new Error('canary')), TokenUnavailableError],
])('a function that gives %s', async (_name, cookie, kind) => {
  // Wrong on purpose.
  const { source } = cookieSessionParts({ cookie: cookie as () => string })
  const error = await rejection(ask(source))
  expect(error).toBeInstanceOf(kind)
  expectNoSecret(error, 'canary')
})

it('without a cookie, signed out in Node and the browser’s own in a browser', async () => {
  const { source } = cookieSessionParts()
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
  vi.stubGlobal('document', { cookie: '' })
  expect(await ask(source)).toEqual({ kind: 'cookie' })
  expect(() => cookieSession({ cookie: 'a=b' })).toThrow(/cookie is for Node/)
})

it('the browser’s own in a worker too, which has no document', async () => {
  const { source } = cookieSessionParts()
  vi.stubGlobal('location', new URL('https://page.example/worker.js'))
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
  vi.stubGlobal('process', { ...process, versions: {} })
  expect(await ask(source)).toEqual({ kind: 'cookie' })
})

it('login takes the cookies, fetch sends them with the CSRF header, logout forgets and tells', async () => {
  const { origin, received } = await django()
  const session = cookieSession({ login: `${origin}/login/`, logout: `${origin}/logout/` })
  expect(await rejection(session.login({ ...ALICE, password: 'no' }))).toBeInstanceOf(
    TokenRefusedError,
  )
  await session.login(ALICE)
  expect(session.signedIn).toBe(true)
  expectNoSecret(session, 'canary')
  await session.fetch(`${origin}/read`)
  await session.fetch(`${origin}/write`, { method: 'post', body: 'x' })
  await session.logout()
  expect(session.signedIn).toBe(false)
  const seen = received
    .slice(2)
    .map(({ path, headers }) => [
      path,
      headers.cookie,
      headers['x-csrftoken'],
      headers.authorization,
    ])
  const cookie = 'sessionid=canary; csrftoken=proof'
  expect(seen).toEqual([
    ['/read', cookie, undefined, undefined],
    ['/write', cookie, 'proof', undefined],
    ['/logout/', cookie, 'proof', undefined],
  ])
  expect(await session.restore()).toBe(false)
})

it('a login that sets no cookie is unavailable', async () => {
  const { origin } = await serve(() => ({}))
  const session = cookieSession({ login: origin })
  expect(await rejection(session.login(ALICE))).toBeInstanceOf(TokenUnavailableError)
})

it('without a login URL there is no login', async () => {
  expect(await rejection(cookieSession().login(ALICE))).toBeInstanceOf(TypeError)
})

it('restore with a cookie signs in, and logout tells with it', async () => {
  const { origin, received } = await django()
  const session = cookieSession({ cookie: 'sessionid=abc', logout: `${origin}/logout/` })
  expect(await session.restore()).toBe(true)
  await session.logout()
  expect(received.map(({ headers }) => headers.cookie)).toEqual(['sessionid=abc'])
})

it('in Node the CSRF header repeats the cookie that was given', async () => {
  const { origin, received } = await serve(() => ({}))
  const session = cookieSession({ cookie: 'sessionid=abc; csrftoken=proof', origins: [origin] })
  await session.fetch(`${origin}/read`)
  await session.fetch(`${origin}/write`, { method: 'PUT' })
  expect(received.map(({ headers }) => [headers.cookie, headers['x-csrftoken'], headers.origin]))
    // Django wants to know over https from where a request comes; a browser says it by itself.
    .toEqual([
      ['sessionid=abc; csrftoken=proof', undefined, undefined],
      ['sessionid=abc; csrftoken=proof', 'proof', origin],
    ])
})

describe('csrf.url', () => {
  /** As Django does: the view sets the cookie, and whoever posts without the header is refused in HTML. */
  const strict = () =>
    serve(({ method, path, headers }) => {
      if (path === '/csrf/')
        return { headers: { 'set-cookie': 'csrftoken=proof; Path=/; SameSite=Lax' } }
      if (method !== 'GET' && headers['x-csrftoken'] !== 'proof')
        return { status: 403, body: '<h1>CSRF verification failed</h1>' }
      if (path === '/login/') return { headers: { 'set-cookie': 'sessionid=canary; HttpOnly' } }
      return {}
    })

  it('is asked first where there is no cookie yet', async () => {
    const { origin, received } = await strict()
    const at = { login: `${origin}/login/`, logout: `${origin}/logout/` }
    const without = cookieSession(at)
    expect(await rejection(without.login(ALICE))).toBeInstanceOf(TokenUnavailableError)
    const session = cookieSession({ ...at, csrf: { url: `${origin}/csrf/` } })
    await session.login(ALICE)
    await session.logout()
    expect(received.slice(1).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /csrf/',
      'POST /login/',
      'POST /logout/',
    ])
    expect(received[2]?.headers.cookie).toBe('csrftoken=proof')
  })

  it('is asked by a browser, which keeps what it says', async () => {
    const { origin, received } = await strict()
    const page = { cookie: '' }
    vi.stubGlobal('document', page)
    vi.stubGlobal('location', new URL(`${origin}/page`))
    const session = cookieSession({
      login: '/login/',
      csrf: { url: '/csrf/' },
      fetch: async (input, init) => {
        expect(init?.credentials).toBe('include')
        const response = await fetch(input, init)
        if (String(input).endsWith('/csrf/')) page.cookie = 'csrftoken=proof'
        return response
      },
    })
    await session.login(ALICE)
    await session.login(ALICE)
    expect(received.map(({ path }) => path)).toEqual(['/csrf/', '/login/', '/login/'])
    // A page says by itself where it is from.
    expect(received[1]?.headers.origin).toBeUndefined()
  })

  it('that fails leaves the decision to the server', async () => {
    const { origin } = await strict()
    const session = cookieSession({
      login: `${origin}/login/`,
      csrf: { url: 'http://127.0.0.1:9/csrf/' },
    })
    expect(await rejection(session.login(ALICE))).toMatchObject({ code: 'TOKEN_UNAVAILABLE' })
  })

  it('must be encrypted like every other', async () => {
    const session = cookieSession({
      login: 'https://a.example/login/',
      csrf: { url: 'http://a.example/csrf/' },
      fetch: () => Promise.reject(new Error('asked')),
    })
    expect(await rejection(session.login(ALICE))).toMatchObject({ code: 'INSECURE_URL' })
  })
})
