import { expect, it, vi } from 'vitest'
import { TokenRefusedError, TokenUnavailableError } from '../../../src/errors.ts'
import { refreshGrant, refreshGrantParts } from '../../../src/sessions/refresh-grant.ts'
import { ask, expectNoSecret, rejection, serve } from './support.ts'

/** As RFC 6749 §5: a refresh token is good once, and brings the next. */
const start = async (options: Record<string, unknown> = {}) => {
  let n = 1
  const server = await serve(({ path, body }) => {
    if (path === '/revoke') return {}
    const form = new URLSearchParams(body)
    if (form.get('refresh_token') !== `refresh-canary-${n}`)
      return { status: 400, body: { error: 'invalid_grant' } }
    n++
    return {
      body: {
        access_token: `access-${n}`,
        token_type: 'Bearer',
        expires_in: 60,
        refresh_token: `refresh-canary-${n}`,
      },
    }
  })
  const given = {
    url: `${server.origin}/oauth/token`,
    revokeUrl: `${server.origin}/revoke`,
    refreshToken: 'refresh-canary-1',
    ...options,
  }
  return { ...server, given, parts: refreshGrantParts(given) }
}

const formOf = ({ body }: { body: string }) => Object.fromEntries(new URLSearchParams(body))

it('sends the form of RFC 6749 §6, and the refresh token that came with each answer', async () => {
  const { parts, received } = await start({ clientId: 'app', scope: 'chat read' })
  expect(await ask(parts.source)).toMatchObject({
    kind: 'token',
    token: 'access-2',
    expiresInMs: 60_000,
  })
  expect(await ask(parts.source)).toMatchObject({ token: 'access-3' })
  expect(received.map(formOf)).toEqual([
    {
      grant_type: 'refresh_token',
      refresh_token: 'refresh-canary-1',
      client_id: 'app',
      scope: 'chat read',
    },
    {
      grant_type: 'refresh_token',
      refresh_token: 'refresh-canary-2',
      client_id: 'app',
      scope: 'chat read',
    },
  ])
  expect(received[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/)
  expect(received[0]?.headers.authorization).toBeUndefined()
})

it('sends a secret in the header only, form-encoded (RFC 6749 §2.3.1)', async () => {
  const { parts, received } = await start({ clientId: 'app:1', clientSecret: 'é canary+/' })
  await ask(parts.source)
  const [, encoded = ''] = received[0]?.headers.authorization?.split(' ') ?? []
  expect(atob(encoded)).toBe('app%3A1:%C3%A9+canary%2B%2F')
  expect(received[0]?.body).not.toContain('canary%2B')
  expect(received[0]?.body).not.toContain('client_id')
})

it('without a client says nothing of one', async () => {
  const { parts, received } = await start()
  await ask(parts.source)
  expect(received.map(formOf)).toEqual([
    { grant_type: 'refresh_token', refresh_token: 'refresh-canary-1' },
  ])
})

it('starts by itself, and a refusal is final', async () => {
  const { parts, received } = await start({ refreshToken: 'refresh-canary-0' })
  expect([parts.source.canAsk, parts.source.rotates]).toEqual([true, true])
  expect(await rejection(ask(parts.source))).toBeInstanceOf(TokenRefusedError)
  expect(received).toHaveLength(1)
})

it('an endpoint that answers HTML is unavailable', async () => {
  const { origin } = await serve(() => ({ status: 502, body: '<h1>' }))
  const { source } = refreshGrantParts({ url: `${origin}/t`, refreshToken: 'refresh-canary-1' })
  expect(await rejection(ask(source))).toBeInstanceOf(TokenUnavailableError)
})

it('a store is read before each refresh and written after it: the next program goes on', async () => {
  let kept: string | null = 'refresh-canary-1'
  const store = {
    get: () => kept,
    set: (value: string | null) => {
      kept = value
    },
  }
  const { parts, given, received } = await start({ refreshToken: store })
  await ask(parts.source)
  await vi.waitFor(() => expect(kept).toContain('refresh-canary-2'))
  const next = refreshGrant(given)
  expect(await next.restore()).toBe(true)
  // The access token was still good: nothing was asked for.
  expect(received).toHaveLength(1)
  await next.logout()
  await vi.waitFor(() => expect(kept).toBeNull())
})

it('logout revokes the newest refresh token (RFC 7009), and nothing is left to ask with', async () => {
  const { given, received } = await start({ clientId: 'app' })
  const session = refreshGrant(given)
  expect(await session.restore()).toBe(true)
  expectNoSecret(session, 'canary')
  await session.logout()
  expect(received.map(({ path }) => path)).toEqual(['/oauth/token', '/revoke'])
  expect(formOf(received[1] ?? { body: '' })).toEqual({
    token: 'refresh-canary-2',
    token_type_hint: 'refresh_token',
    client_id: 'app',
  })
  expect(await session.restore()).toBe(false)
  expect(received).toHaveLength(2)
})

it('carries the token to its own origin, and has no login', async () => {
  const { given, origin, received } = await start()
  const session = refreshGrant(given)
  await session.fetch(`${origin}/revoke`, { method: 'POST' })
  expect(received.at(-1)?.headers.authorization).toBe('Bearer access-2')
  expect(await rejection(session.login())).toMatchObject({
    message: 'a session of refreshGrant has no login',
  })
})

it('takes the names that the server uses', async () => {
  const { origin, received } = await serve(() => ({ body: { jwt: 'a', next: 'r', ttl: '60' } }))
  const { source } = refreshGrantParts({
    url: origin,
    refreshToken: 'r0',
    fields: { access: 'jwt', refresh: 'next', expiresIn: 'ttl' },
  })
  expect(await ask(source)).toMatchObject({ token: 'a', expiresInMs: 60_000 })
  await ask(source)
  expect(formOf(received[1] ?? { body: '' })).toMatchObject({ refresh_token: 'r' })
})

it.each([
  ['a page', { document: {}, location: { href: 'https://a.example/' } }],
  ['a worker', { location: { href: 'https://a.example/worker.js' } }],
])('a secret is refused in %s', (_, globals) => {
  const options = {
    url: 'https://a.example/token',
    refreshToken: 'r',
    clientId: 'app',
    clientSecret: 'canary',
  }
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
  const { process } = globalThis
  // Only for this call: the test runner itself needs it.
  Reflect.set(globalThis, 'process', undefined)
  try {
    expect(() => refreshGrant(options)).toThrow(/clientSecret is no secret in a browser/)
    expect(() => refreshGrant({ ...options, clientSecret: undefined } as never)).not.toThrow()
  } finally {
    Reflect.set(globalThis, 'process', process)
  }
  expect(() => refreshGrant(options)).not.toThrow()
})
