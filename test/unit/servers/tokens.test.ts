import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import type { JsonAnswer } from './raw-client.ts'
import { post } from './raw-client.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }
let server: ReferenceServer

beforeAll(async () => {
  server = await createReferenceServer()
})
beforeEach(() => server.reset())
afterAll(() => server.close())

const obtain = (body: unknown = ALICE): Promise<JsonAnswer> =>
  post(`${server.url}/api/token/`, body)
const refresh = (token: string | undefined): Promise<JsonAnswer> =>
  post(`${server.url}/api/token/refresh/`, { refresh: token })

function claimsOf(token: string | undefined): { exp: number; iat: number; sub: string } {
  const payload = Buffer.from((token ?? '').split('.')[1] ?? '', 'base64url').toString()
  return JSON.parse(payload) as { exp: number; iat: number; sub: string }
}

async function whoAmI(token: string | undefined): Promise<number> {
  const response = await fetch(`${server.url}/whoami`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return response.status
}

describe('token endpoints', () => {
  it('gives a pair for the right password only', async () => {
    const good = await obtain()
    expect(good.status).toBe(200)
    expect(claimsOf(good.body['access']).sub).toBe('alice')
    const bad = await obtain({ ...ALICE, password: 'wrong' })
    expect(bad.status).toBe(401)
    expect(bad.body).toEqual({ detail: expect.any(String), code: 'no_active_account' })
    expect((await obtain({ username: 'alice' })).body).toEqual({
      password: ['This field is required.'],
    })
  })

  it('rotates: the new refresh token works', async () => {
    const first = await obtain()
    const second = await refresh(first.body['refresh'])
    expect(second.status).toBe(200)
    expect((await refresh(second.body['refresh'])).status).toBe(200)
    expect(server.counts()).toMatchObject({ tokenRequests: 3, refreshRequests: 2 })
  })

  it('takes a used refresh token for theft and ends its family', async () => {
    const first = await obtain()
    const other = await obtain()
    const second = await refresh(first.body['refresh'])
    const reused = await refresh(first.body['refresh'])
    expect([reused.status, reused.body['code']]).toEqual([401, 'token_not_valid'])
    expect((await refresh(second.body['refresh'])).status).toBe(401)
    expect((await refresh(other.body['refresh'])).status).toBe(200)
  })

  it('takes a used refresh token again within the grace, and ends its family after it', async () => {
    server.settings({ refreshGraceMs: 10_000 })
    const { body } = await obtain()
    await refresh(body['refresh'])
    const again = await refresh(body['refresh'])
    expect(again.status).toBe(200)
    server.settings({ refreshGraceMs: 0 })
    expect((await refresh(body['refresh'])).status).toBe(401)
    expect((await refresh(again.body['refresh'])).status).toBe(401)
    expect(server.refreshes().map(({ outcome }) => outcome)).toEqual([
      'rotated',
      'again',
      'refused',
      'refused',
    ])
    expect(server.families().revoked).toBeGreaterThan(0)
  })

  it('lets one of two simultaneous refreshes win', async () => {
    const { body } = await obtain()
    const answers = await Promise.all([refresh(body['refresh']), refresh(body['refresh'])])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
  })

  it('revokes a family', async () => {
    const { body } = await obtain()
    expect(
      (await post(`${server.url}/api/token/revoke/`, { refresh: body['refresh'] })).status,
    ).toBe(200)
    expect((await refresh(body['refresh'])).status).toBe(401)
    expect((await refresh('garbage')).status).toBe(401)
    expect((await refresh(body['access'])).status).toBe(401)
  })

  it('writes whole seconds unless told to be exact', async () => {
    server.settings({ accessLifetimeMs: 2500 })
    expect(Number.isInteger(claimsOf((await obtain()).body['access']).exp)).toBe(true)
    server.settings({ exactExp: true })
    const { exp, iat } = claimsOf((await obtain()).body['access'])
    expect(exp - iat).toBeCloseTo(2.5, 3)
  })

  it('ends an exact token within its second', async () => {
    server.settings({ exactExp: true })
    const { access } = await server.mint({ user: 'alice', lifetimeMs: 80 })
    expect(await whoAmI(access)).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await whoAmI(access)).toBe(401)
  })
})

describe('cookie variant', () => {
  it('keeps the refresh token in an httpOnly cookie and wants the CSRF header', async () => {
    const first = await post(`${server.url}/api/cookie/token/`, ALICE)
    expect(Object.keys(first.body)).toEqual(['access'])
    const cookies = first.headers.getSetCookie()
    expect(cookies.find((cookie) => cookie.startsWith('refresh_token='))).toContain('HttpOnly')
    const cookie = cookies.map((line) => line.split(';')[0]).join('; ')
    const csrf = /csrftoken=(\w+)/.exec(cookie)?.[1] ?? ''
    const url = `${server.url}/api/cookie/refresh/`
    expect((await post(url, {}, { cookie })).status).toBe(403)
    expect((await post(url, {}, { cookie, 'x-csrftoken': csrf })).status).toBe(200)
    expect((await post(url, {}, { cookie, 'x-csrftoken': csrf })).status).toBe(401)
  })
})

describe('control', () => {
  it('mints every kind', async () => {
    const valid = await server.mint({ user: 'alice' })
    expect(await whoAmI(valid.access)).toBe(200)
    const expired = await server.mint({ user: 'alice', kind: 'expired' })
    expect(Date.now() / 1000 - claimsOf(expired.access).exp).toBeGreaterThanOrEqual(10)
    expect(await whoAmI(expired.access)).toBe(401)
    expect(await whoAmI((await server.mint({ user: 'alice', kind: 'refresh' })).access)).toBe(401)
    const opaque = await server.mint({ user: 'alice', kind: 'opaque', lifetimeMs: 60 })
    expect(opaque.access).not.toContain('.')
    expect(await whoAmI(opaque.access)).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(await whoAmI(opaque.access)).toBe(401)
  })

  it('refuses tokens, revoked users and deleted users, until reset', async () => {
    const { body } = await obtain()
    server.settings({ refuseTokens: true })
    expect((await obtain()).status).toBe(401)
    expect((await refresh(body['refresh'])).status).toBe(401)
    server.settings({ refuseTokens: false })
    server.revoke('alice')
    expect((await refresh(body['refresh'])).status).toBe(401)
    expect(await whoAmI(body['access'])).toBe(401)
    server.reset()
    server.deleteUser('alice')
    expect((await obtain()).status).toBe(401)
    expect(await whoAmI(body['access'])).toBe(401)
    server.reset()
    expect((await refresh(body['refresh'])).status).toBe(200)
  })

  it('answers over HTTP like in process', async () => {
    const door = (path: string, body: unknown): Promise<JsonAnswer> =>
      post(`${server.url}/_control/${path}`, body)
    expect((await door('mint', { user: 'alice' })).body).toEqual({
      access: expect.any(String),
      refresh: expect.any(String),
    })
    expect((await door('sockets', {})).body).toEqual({ open: 0 })
    expect((await door('settings', { nonsense: 1 })).status).toBe(400)
    expect((await door('fault', { kind: 'nonsense' })).status).toBe(400)
    expect(
      (await door('fault', [{ kind: 'hang' }, { on: 'token', kind: 'drop', times: 2 }])).body,
    ).toEqual({ waiting: 3 })
    expect((await door('reset', {})).status).toBe(200)
    expect((await door('counts', {})).body).toEqual({
      dials: 0,
      tokenRequests: 0,
      refreshRequests: 0,
      ticketRequests: 0,
      accepted: 0,
    })
  })
})

describe('HTTP around it', () => {
  it('answers HEAD / and preflights of any origin', async () => {
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200)
    const preflight = await fetch(`${server.url}/api/token/`, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:5173', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('X-CSRFToken')
  })
})

describe('token faults', () => {
  it('answers with the status, headers and body of the rule, once', async () => {
    server.fault({
      on: 'token',
      kind: 'status',
      status: 503,
      body: '{"detail":"later"}',
      headers: { 'Retry-After': '7' },
    })
    const answer = await obtain()
    expect([answer.status, answer.headers.get('retry-after'), answer.body['detail']]).toEqual([
      503,
      '7',
      'later',
    ])
    expect((await obtain()).status).toBe(200)
  })

  it('loses the answer of a refresh that was carried out', async () => {
    const { body } = await obtain()
    server.fault({ on: 'token', kind: 'drop', processed: true })
    await expect(refresh(body['refresh'])).rejects.toThrow()
    expect((await refresh(body['refresh'])).status).toBe(401)
  })

  it('drops, hangs, is late, redirects', async () => {
    server.fault([
      { on: 'token', kind: 'drop' },
      { on: 'token', kind: 'late', ms: 60 },
      { on: 'token', kind: 'redirect', to: 'http://127.0.0.1:9/' },
      { on: 'token', kind: 'hang' },
    ])
    await expect(obtain()).rejects.toThrow()
    const startedAt = Date.now()
    expect((await obtain()).status).toBe(200)
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(55)
    const redirect = await obtain()
    expect([redirect.status, redirect.headers.get('location')]).toEqual([
      307,
      'http://127.0.0.1:9/',
    ])
    const hanging = fetch(`${server.url}/api/token/`, {
      method: 'POST',
      body: '{}',
      signal: AbortSignal.timeout(80),
    })
    await expect(hanging).rejects.toThrow(/timeout/)
  })
})
