import { describe, expect, it, vi } from 'vitest'
import { TokenRefusedError, TokenUnavailableError } from '../../../src/errors.ts'
import { endpoint } from '../../../src/sessions/endpoint.ts'
import { postToken as postFor, type TokenPost } from '../../../src/sessions/token-endpoint.ts'
import { retryAfterMs } from '../../../src/shell/retry-after.ts'
import { deferred, expectNoSecret, type Reply, rejection, serve } from './support.ts'

/** Takes the answer as it is. */
const postToken = (request: TokenPost) => postFor(request, async (value) => ({ value }))

const SECRET = 'canary-4711'

const askWith = async (reply: Reply) => {
  const { origin } = await serve(() => reply)
  const url = new URL(`${origin}/api/token/?key=${SECRET}`)
  return rejection(postToken({ fetch, url, body: { json: { refresh: SECRET } } }))
}

describe('refused', () => {
  const dialects: Array<[string, unknown]> = [
    ['detail', { detail: 'No active account found with the given credentials' }],
    ['detail and code', { detail: 'Token is blacklisted', code: 'token_not_valid' }],
    ['OAuth', { error: 'invalid_grant', error_description: SECRET }],
    ['a field', { refresh: ['This field may not be blank.'] }],
    ['two fields', { username: ['Required.'], password: ['Required.'] }],
  ]
  const cases = [400, 401, 403].flatMap((status) =>
    dialects.map((one) => [status, ...one] as const),
  )
  it.each(cases)('%i with %s', async (status, _name, body) => {
    const error = await askWith({ status, body })
    expect(error).toBeInstanceOf(TokenRefusedError)
    expectNoSecret(error, SECRET)
  })
})

describe('unavailable', () => {
  const html = `<html>${SECRET}</html>`
  const cases: Array<[number, string, unknown]> = [
    [400, 'HTML', html],
    [401, 'HTML', html],
    [403, 'HTML (CSRF)', html],
    [401, 'null', 'null'],
    [401, 'an empty object', {}],
    [401, 'an array', [SECRET]],
    [403, 'another object', { message: SECRET }],
    [400, 'a detail array', { detail: [{ loc: ['body'], msg: SECRET }] }],
    [422, 'a detail array', { detail: [{ loc: ['body'], msg: SECRET }] }],
    [422, 'a detail', { detail: SECRET }],
    [404, 'detail', { detail: 'Not Found' }],
    [405, 'detail', { detail: 'Method not allowed' }],
    [415, 'detail', { detail: 'Unsupported' }],
    [429, 'detail', { detail: 'Throttled' }],
    [500, 'HTML', html],
    [502, 'HTML', html],
    [503, 'detail', { detail: 'down' }],
    [200, 'HTML', html],
    [200, 'nothing', ''],
    [200, 'null', 'null'],
    [200, 'an array', '[]'],
    [200, 'a string', '"x"'],
  ]
  it.each(cases)('%i with %s', async (status, _name, body) => {
    const error = await askWith({ status, body })
    expect(error).toBeInstanceOf(TokenUnavailableError)
    expect(error.message).toContain(`/api/token/ answered ${status}`)
    expectNoSecret(error, SECRET)
  })

  it('a dead server', async () => {
    const { origin } = await serve(() => ({}))
    const url = new URL(origin.replace(/\d+$/, '1'))
    const error = await rejection(postToken({ fetch, url, body: undefined }))
    expect(error).toBeInstanceOf(TokenUnavailableError)
  })

  it('a fetch whose error holds the token', async () => {
    const broken: typeof fetch = async () => {
      throw Object.assign(new Error(SECRET, { cause: { code: SECRET } }), { config: SECRET })
    }
    const url = new URL('https://a.example/t')
    const error = await rejection(postToken({ fetch: broken, url, body: undefined }))
    expect(error).toBeInstanceOf(TokenUnavailableError)
    expectNoSecret(error, SECRET)
  })
})

it.each([301, 302, 303, 307, 308])('a redirect (%i) carries nothing elsewhere', async (status) => {
  const evil = await serve(() => ({ body: { access: 'x' } }))
  const error = await askWith({ status, headers: { location: `${evil.origin}/take` } })
  expect(error).toBeInstanceOf(TokenUnavailableError)
  expect(evil.received).toEqual([])
  expectNoSecret(error, SECRET)
})

it('an abort rejects with its reason', async () => {
  const late = deferred()
  const { origin } = await serve(async () => {
    await late.promise
    return {}
  })
  const controller = new AbortController()
  const asked = postToken({
    fetch,
    url: new URL(origin),
    body: undefined,
    signal: controller.signal,
  })
  controller.abort(new Error('enough'))
  await expect(asked).rejects.toThrow('enough')
  late.resolve()
})

it.each([
  ['json', { json: { a: 'b' } }, 'application/json', '{"a":"b"}'],
  ['form', { form: { a: 'b c' } }, 'application/x-www-form-urlencoded;charset=UTF-8', 'a=b+c'],
  ['none', undefined, undefined, ''],
] as const)('sends %s', async (_name, body, type, text) => {
  const server = await serve(() => ({ body: { access: 'x' } }))
  const answer = await postToken({ fetch, url: new URL(server.origin), body })
  expect(answer).toEqual({ access: 'x' })
  expect(server.received).toMatchObject([{ method: 'POST', body: text }])
  expect(server.received[0]?.headers['content-type']).toBe(type)
})

describe('Retry-After', () => {
  it.each([
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['-1', undefined],
    ['0', 0],
    ['120', 120_000],
    ['1.5', 1_500],
    ['999999999999', 2 ** 31 - 1],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
  ])('%j is %j', (header, expected) => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
    expect(retryAfterMs(header)).toBe(expected)
    vi.useRealTimers()
  })

  it('comes with the error', async () => {
    const error = await askWith({ status: 429, headers: { 'retry-after': '7' } })
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE', retryAfterMs: 7_000 })
  })
})

describe('endpoint', () => {
  const wrong: Array<[string, Record<string, unknown>, string, string]> = [
    ['http://api.example/t', {}, 'InsecureUrlError', 'allowInsecure'],
    ['ftp://api.example/t', {}, 'TypeError', 'https'],
    ['https://user:pw@api.example/t', {}, 'TypeError', 'password'],
    ['https://', {}, 'TypeError', 'x: url'],
    ['//api.example/t', { origin: 'http://api.example' }, 'InsecureUrlError', 'allowInsecure'],
  ]
  it.each(wrong)('%s', (value, rules, name, part) => {
    expect(() => endpoint('x: url', value, rules)).toThrow(expect.objectContaining({ name }))
    expect(() => endpoint('x: url', value, rules)).toThrow(part)
  })

  it.each([
    ['https://api.example/t', {}, 'https://api.example/t'],
    ['http://localhost:8000/t', {}, 'http://localhost:8000/t'],
    ['http://api.example/t', { allowInsecure: true }, 'http://api.example/t'],
    ['/t', { origin: 'https://api.example' }, 'https://api.example/t'],
  ])('%s is resolved', (value, rules, href) => {
    expect(endpoint('x: url', value, rules)().href).toBe(href)
  })

  it('a relative URL is an error when used, not when made (SSR)', () => {
    const url = endpoint('x: url', '/t', {})
    expect(url).toThrow(/x: url .* origin/)
    vi.stubGlobal('location', new URL('https://page.example/a/b'))
    expect(url().href).toBe('https://page.example/t')
  })
})
