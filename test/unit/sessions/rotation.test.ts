import { afterEach, expect, it, vi } from 'vitest'
import { TokenRefusedError, TokenUnavailableError } from '../../../src/errors.ts'
import { simpleJwtParts } from '../../../src/sessions/simple-jwt.ts'
import type { TokenAnswer } from '../../../src/sessions/source.ts'
import type { TokenStore } from '../../../src/sessions/token-store.ts'
import { ALICE, rotatingBackend } from './backend.ts'
import { ask, jwt, rejection } from './support.ts'

const REFRESH = '/api/token/refresh/'

afterEach(() => {
  vi.useRealTimers()
})

const memoryStore = (value: string | null = null) => {
  const store = {
    value,
    get: () => store.value,
    set: (next: string | null) => {
      store.value = next
    },
  }
  return store
}

const tokenOf = (answer: TokenAnswer) => {
  if (answer.kind !== 'token') throw new Error(`no token, but ${answer.kind}`)
  return answer.token
}

type Options = Omit<Parameters<typeof simpleJwtParts>[0], 'obtain' | 'refresh'>

const start = async (options: Options = {}, backendOptions = {}) => {
  const backend = await rotatingBackend(backendOptions)
  const parts = simpleJwtParts({ ...backend.options, ...options })
  const signIn = async () => {
    const entry = await parts.signIn?.(ALICE, new AbortController().signal)
    entry?.commit()
    return entry?.answer
  }
  return { backend, parts, source: parts.source, signIn }
}

it('asks nobody before a login', async () => {
  const { source, backend } = await start()
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
  expect([source.canRenew, source.canAsk]).toEqual([false, false])
  expect(backend.received).toEqual([])
})

it('rotates: each refresh token is sent once', async () => {
  const { source, backend, signIn } = await start()
  await signIn()
  expect(source.canRenew).toBe(true)
  const tokens = [await ask(source), await ask(source), await ask(source)].map(tokenOf)
  expect(new Set(tokens).size).toBe(3)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-2', 'refresh-canary-3'])
})

it('keeps the old refresh token where none comes', async () => {
  const { source, backend, signIn } = await start({}, { keepRefresh: true })
  await signIn()
  await ask(source)
  await ask(source)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-1'])
})

it('50 at once are one request', async () => {
  const { source, backend, signIn } = await start()
  await signIn()
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(source)))
  expect(new Set(answers.map(tokenOf)).size).toBe(1)
  expect(backend.used).toEqual(['refresh-canary-1'])
})

it('without force, gives what it holds', async () => {
  const { source, backend, signIn } = await start()
  const first = await signIn()
  expect(await ask(source, false)).toEqual(first)
  expect(backend.used).toEqual([])
})

it('an answer that comes 12 s late is kept and given to the next asker', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { source, backend, signIn } = await start()
  await signIn()
  const release = backend.holdAnswer()
  const impatient = new AbortController()
  const lost = source.request({ reason: 'renewal', fresh: true, signal: impatient.signal })
  await vi.waitFor(() => expect(backend.used).toHaveLength(1))
  impatient.abort()
  vi.setSystemTime(Date.now() + 12_000)
  release()
  const late = tokenOf(await lost)
  expect(tokenOf(await ask(source))).toBe(late)
  expect(backend.used).toEqual(['refresh-canary-1'])
  await ask(source)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-2'])
})

it('joins a refresh on the wire for 30 s, then may send again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { source, backend, signIn } = await start()
  await signIn()
  const release = backend.holdAnswer()
  const first = ask(source)
  await vi.waitFor(() => expect(backend.used).toHaveLength(1))
  vi.setSystemTime(Date.now() + 29_000)
  const second = ask(source)
  release()
  expect(tokenOf(await first)).toBe(tokenOf(await second))
  const releaseAgain = backend.holdAnswer()
  const third = ask(source)
  await vi.waitFor(() => expect(backend.used).toHaveLength(2))
  vi.setSystemTime(Date.now() + 30_001)
  const fourth = ask(source)
  await vi.waitFor(() => expect(backend.used).toHaveLength(3))
  expect(backend.used.slice(1)).toEqual(['refresh-canary-2', 'refresh-canary-2'])
  releaseAgain()
  await Promise.allSettled([third, fourth])
})

it('a refusal is final, an outage is not', async () => {
  const { source, backend, signIn } = await start()
  await signIn()
  backend.control.before = async () => ({ status: 502, body: '<html>' })
  expect(await rejection(ask(source))).toBeInstanceOf(TokenUnavailableError)
  backend.control.before = undefined
  await ask(source)
  backend.revokeAll()
  expect(await rejection(ask(source))).toBeInstanceOf(TokenRefusedError)
  expect(backend.requestsTo('/api/token/')).toHaveLength(1)
})

it('a late answer of an earlier login does not reach the next one', async () => {
  const { source, backend, signIn } = await start()
  await signIn()
  const release = backend.holdAnswer()
  const late = ask(source)
  await vi.waitFor(() => expect(backend.used).toHaveLength(1))
  source.clear()
  backend.control.after = undefined
  const second = await signIn()
  release()
  await late
  expect(await ask(source, false)).toEqual(second)
  await ask(source)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-3'])
})

it('after clear, signed out', async () => {
  const { source, signIn } = await start({ refreshToken: memoryStore() })
  await signIn()
  source.clear()
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
  expect([source.canRenew, source.canAsk]).toEqual([false, false])
})

it('stored credentials: at the start, and again only with reobtain', async () => {
  for (const reobtain of [false, true]) {
    const { source, backend } = await start({ credentials: async () => ALICE, reobtain })
    await ask(source)
    await ask(source)
    backend.revokeAll()
    const last = ask(source)
    if (reobtain) await last
    else expect(await rejection(last)).toBeInstanceOf(TokenRefusedError)
    expect(backend.requestsTo('/api/token/')).toHaveLength(reobtain ? 2 : 1)
  }
})

it.each([
  ['an answer without access', { body: { token: 'canary' } }],
  ['an access token that is no string', { body: { access: 5 } }],
])('%s is unavailable', async (_name, reply) => {
  const { source, backend, signIn } = await start()
  await signIn()
  backend.control.before = async () => reply
  const error = await rejection(ask(source))
  expect(error).toBeInstanceOf(TokenUnavailableError)
  expect(error.message).toContain('fields.access')
})

it('takes names and the lifetime from fields', async () => {
  const { source, backend } = await start({
    credentials: { ...ALICE, extra: { otp: '123' } },
    fields: { username: 'email', access: 'jwt', expiresIn: 'ttl' },
  })
  backend.control.before = async () => ({ body: { jwt: 'abc', ttl: '60' } })
  expect(await ask(source)).toMatchObject({ token: 'abc', expiresInMs: 60_000 })
  expect(JSON.parse(backend.received[0]?.body ?? '')).toEqual({
    email: 'alice',
    password: 'correct-horse',
    otp: '123',
  })
})

it('the same value keeps the instant of its first receipt', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { source, backend, signIn } = await start()
  await signIn()
  backend.control.before = async () => ({ body: { access: 'same' } })
  const first = await ask(source)
  vi.setSystemTime(Date.now() + 5_000)
  expect(await ask(source)).toEqual(first)
})

it('a store survives a page: no request while the access token lives', async () => {
  const store = memoryStore()
  const { backend, signIn } = await start({ refreshToken: store })
  const first = await signIn()
  await vi.waitFor(() => expect(store.value).not.toBeNull())
  const next = simpleJwtParts({ ...backend.options, refreshToken: store })
  expect((await next.restore?.())?.answer).toEqual(first)
  expect(backend.used).toEqual([])
})

it('a store with an expired access token costs one refresh', async () => {
  const now = Date.now()
  const access = jwt({ iat: now / 1_000 - 600, exp: now / 1_000 - 300 })
  const old = JSON.stringify({ refresh: 'r', access, receivedAt: now - 600_000 })
  for (const value of [old, 'r']) {
    const { parts, backend } = await start({ refreshToken: memoryStore(value) })
    backend.control.before = async () => ({ body: { access: 'next' } })
    expect((await parts.restore?.())?.answer).toMatchObject({ token: 'next' })
    expect(JSON.parse(backend.received[0]?.body ?? '')).toEqual({ refresh: 'r' })
  }
})

it.each([
  ['empty', null],
  ['refused', 'unknown'],
  ['strange', '[1]'],
])('restore from a store that is %s finds nothing', async (_name, value) => {
  const { parts } = await start({ refreshToken: memoryStore(value) })
  expect(await parts.restore?.()).toBeUndefined()
})

it('a store whose get fails is unavailable, one whose set fails is no harm', async () => {
  const fail = () => {
    throw new Error('canary')
  }
  const deaf = await start({ refreshToken: { get: fail, set: () => {} } })
  const error = await rejection(deaf.parts.restore?.() ?? Promise.resolve())
  expect(error).toBeInstanceOf(TokenUnavailableError)
  expect(error.message).not.toContain('canary')
  const mute = await start({ refreshToken: { get: () => 'old', set: async () => fail() } })
  await mute.signIn()
  await ask(mute.source)
  await ask(mute.source)
  expect(mute.backend.used).toEqual(['refresh-canary-1', 'refresh-canary-2'])
})

it('two tabs with one store share one rotation', async () => {
  const store = memoryStore()
  const { backend, source, signIn } = await start({ refreshToken: store })
  await signIn()
  await vi.waitFor(() => expect(store.value).not.toBeNull())
  const other = simpleJwtParts({ ...backend.options, refreshToken: store })
  await other.restore?.()
  const renewed = await ask(source)
  expect(await ask(other.source)).toEqual(renewed)
  await ask(other.source)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-2'])
  other.source.clear()
  await vi.waitFor(() => expect(store.value).toBeNull())
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
})

it('a refused token that another tab has replaced meanwhile is no refusal', async () => {
  const store = memoryStore('refresh-canary-lost')
  const { source, backend } = await start({ refreshToken: store as TokenStore })
  backend.control.before = async () => {
    store.value = JSON.stringify({ refresh: 'new', access: 'theirs', receivedAt: Date.now() })
    return { status: 401, body: { detail: 'Token is blacklisted' } }
  }
  expect(await ask(source)).toMatchObject({ token: 'theirs' })
  expect(backend.requestsTo(REFRESH)).toHaveLength(1)
})

it('a refused token that another tab has replaced meanwhile is replaced by theirs', async () => {
  const store = memoryStore('spent')
  const { source, backend } = await start({ refreshToken: store as TokenStore })
  backend.control.before = async () => {
    if (store.value !== 'spent') return { body: { access: 'next' } }
    store.value = 'newer'
    return { status: 401, body: { detail: 'Token is blacklisted' } }
  }
  expect(await ask(source)).toMatchObject({ token: 'next' })
  const sent = backend.requestsTo(REFRESH).map(({ body }) => JSON.parse(body).refresh)
  expect(sent).toEqual(['spent', 'newer'])
})

it('a late answer is not stored after the session was left', async () => {
  const store = memoryStore()
  const { source, backend, signIn } = await start({ refreshToken: store })
  await signIn()
  const release = backend.holdAnswer()
  const late = ask(source)
  await vi.waitFor(() => expect(backend.used).toHaveLength(1))
  source.clear()
  release()
  await late
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(store.value).toBeNull()
})

it('httpOnlyCookie: cookie and CSRF header, no token in the body', async () => {
  const { source, backend, signIn, parts } = await start(
    { refreshToken: 'httpOnlyCookie' },
    { cookie: true },
  )
  await signIn()
  await ask(source)
  await ask(source)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-2'])
  expect(backend.requestsTo(REFRESH).map(({ body }) => body)).toEqual(['', ''])
  const revoke = parts.revoker?.()
  source.clear()
  await revoke?.()
  expect(backend.alive).toEqual([])
  expect(await ask(source)).toEqual({ kind: 'signed-out' })
})

it('httpOnlyCookie in a browser: credentials included, CSRF from document.cookie or csrf.token', async () => {
  const sent: Array<[string, RequestInit | undefined]> = []
  const spy: typeof fetch = async (url, init) => {
    sent.push([String(url), init])
    return new Response('{"access":"a"}')
  }
  vi.stubGlobal('document', { cookie: 'a=b; csrftoken=from-page' })
  const urls = { obtain: 'https://a.example/o', refresh: 'https://a.example/r' }
  const cases = [
    [undefined, 'x-csrftoken', 'from-page'],
    [{ cookie: 'a', header: 'X-Own' }, 'x-own', 'b'],
    [{ token: () => 'given' }, 'x-csrftoken', 'given'],
  ] as const
  for (const [csrf, header, value] of cases) {
    const { restore } = simpleJwtParts({
      ...urls,
      fetch: spy,
      refreshToken: 'httpOnlyCookie',
      ...(csrf && { csrf }),
    })
    await restore?.()
    const [url, init] = sent.at(-1) ?? []
    expect(url).toBe(urls.refresh)
    expect(init).toMatchObject({ credentials: 'include', redirect: 'manual', body: null })
    expect(new Headers(init?.headers).get(header)).toBe(value)
  }
})

it('httpOnlyCookie with stored credentials: a new bot obtains first', async () => {
  const { source, backend } = await start(
    { refreshToken: 'httpOnlyCookie', credentials: ALICE, reobtain: true },
    { cookie: true },
  )
  await ask(source)
  await ask(source)
  backend.revokeAll()
  await ask(source)
  expect(backend.requestsTo('/api/token/')).toHaveLength(2)
  expect(backend.used).toEqual(['refresh-canary-1', 'refresh-canary-2'])
})
