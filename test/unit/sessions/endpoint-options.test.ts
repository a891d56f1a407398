/** What a user tells of an endpoint that no default can know. */
import { describe, expect, it, vi } from 'vitest'
import {
  cookieSession,
  passwordGrant,
  type RefreshGrantOptions,
  refreshGrant,
  simpleJwt,
} from '../../../src/index.ts'
import { passwordGrantParts } from '../../../src/sessions/password-grant.ts'
import { simpleJwtParts } from '../../../src/sessions/simple-jwt.ts'
import { ask, expectNoSecret, type Reply, rejection, serve } from './support.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }
const GONE: Reply = { status: 410, body: { reason: 'gone', refresh: 'r' } }
const REFUSED: Reply = { status: 401, body: { detail: 'no' } }

describe('isRefused', () => {
  const login = async (reply: Reply, isRefused: unknown) => {
    const { origin } = await serve(() => reply)
    // Wrong on purpose: what JavaScript callers can return.
    const options = { isRefused: isRefused as () => boolean }
    return Promise.all([
      rejection(simpleJwt({ obtain: origin, refresh: origin, ...options }).login(ALICE)),
      rejection(passwordGrant({ url: origin, ...options }).login(ALICE)),
      rejection(cookieSession({ login: origin, ...options }).login(ALICE)),
    ])
  }
  const decided: Array<[string, Reply, unknown, string]> = [
    ['true for what is none by default', GONE, () => true, 'TOKEN_REFUSED'],
    ['false for what is one by default', REFUSED, () => false, 'TOKEN_UNAVAILABLE'],
    ['undefined for what is one', REFUSED, () => undefined, 'TOKEN_REFUSED'],
    ['undefined for what is none', GONE, () => undefined, 'TOKEN_UNAVAILABLE'],
    ['a promise of true', GONE, async () => true, 'TOKEN_REFUSED'],
    ['true for a proxy', { status: 401, body: '<html>' }, () => true, 'TOKEN_REFUSED'],
  ]
  it.each(decided)('decides: %s', async (_name, reply, isRefused, code) => {
    for (const error of await login(reply, isRefused)) expect(error).toMatchObject({ code })
  })

  const nonsense: Array<[string, unknown, RegExp]> = [
    [
      'throws',
      () => {
        throw new RangeError(ALICE.password)
      },
      /isRefused threw RangeError/,
    ],
    ['rejects', () => Promise.reject(new Error(ALICE.password)), /isRefused threw Error/],
    ['gives null', () => null, /isRefused gave null: return true, false, or undefined/],
    ['gives a text', () => ALICE.password, /isRefused gave a value of type string/],
  ]
  it.each(nonsense)('%s: the error names it', async (_name, isRefused, message) => {
    for (const error of await login(REFUSED, isRefused)) {
      expect(error).toMatchObject({
        code: 'TOKEN_UNAVAILABLE',
        message: expect.stringMatching(message),
      })
      expectNoSecret(error, ALICE.password)
    }
  })

  it.each<[string, Reply, unknown]>([
    ['what the JSON says', GONE, GONE.body],
    ['the text where it is no JSON', { status: 401, body: 'no way' }, 'no way'],
    ['an empty text', { status: 503, body: '' }, ''],
  ])('gets status and body: %s', async (_name, reply, body) => {
    const isRefused = vi.fn(() => undefined)
    await login(reply, isRefused)
    expect(isRefused.mock.calls).toEqual(Array(3).fill([{ status: reply.status, body }]))
  })

  it('is asked of a 200 without a token, and of none that has one', async () => {
    const bodies = [
      { ok: false, error: 'invalid_auth' },
      { access: 'a', error: null },
    ]
    const { origin } = await serve(() => ({ body: bodies.shift() }))
    const isRefused = vi.fn(() => true)
    const session = simpleJwt({ obtain: origin, refresh: origin, isRefused })
    expect(await rejection(session.login(ALICE))).toMatchObject({
      code: 'TOKEN_REFUSED',
      status: 200,
      serverCode: 'invalid_auth',
    })
    await session.login(ALICE)
    expect(isRefused).toHaveBeenCalledOnce()
  })

  it('ends a session at its refresh', async () => {
    const { origin } = await serve(() => GONE)
    const grant = (more: Partial<RefreshGrantOptions>) =>
      refreshGrant({ url: origin, refreshToken: 'r', ...more }).restore()
    expect(await rejection(grant({}))).toMatchObject({ code: 'TOKEN_UNAVAILABLE', status: 410 })
    expect(await grant({ isRefused: ({ status }) => status === 410 })).toBe(false)
  })
})

describe('fields', () => {
  const answers = async (body: unknown) => (await serve(() => ({ body }))).origin
  const signIn = async (body: unknown, fields: object) => {
    const origin = await answers(body)
    const { source, signIn } = simpleJwtParts({ obtain: origin, refresh: origin, fields })
    const entry = await signIn?.(ALICE, new AbortController().signal)
    entry?.commit()
    return { ...entry?.answer, canRenew: source.canRenew }
  }

  it.each<[string, unknown, object]>([
    [
      'paths (Directus)',
      { data: { access_token: 'a', refresh_token: 'r', expires: 9 } },
      {
        access: 'data.access_token',
        refresh: 'data.refresh_token',
        expiresIn: 'data.expires',
      },
    ],
    [
      'functions',
      { data: { tokens: ['a', 'r'], ms: 9_000 } },
      {
        access: ({ data }: { data: { tokens: string[] } }) => data.tokens[0],
        refresh: async ({ data }: { data: { tokens: string[] } }) => data.tokens[1],
        expiresIn: ({ data }: { data: { ms: number } }) => data.ms / 1_000,
      },
    ],
    [
      'paths into lists',
      { tokens: [{ v: 'a' }, { v: 'r' }], life: '9' },
      { access: 'tokens.0.v', refresh: 'tokens.1.v', expiresIn: 'life' },
    ],
    [
      'names that hold a dot, which win over paths',
      { 'x.access': 'a', x: { access: 'wrong', refresh: 'r' }, 'x.life': 9 },
      { access: 'x.access', refresh: 'x.refresh', expiresIn: 'x.life' },
    ],
    [
      'names',
      { token: 'a', renew: 'r', life: 9 },
      { access: 'token', refresh: 'renew', expiresIn: 'life' },
    ],
  ])('are read by %s', async (_name, body, fields) => {
    expect(await signIn(body, fields)).toEqual({
      kind: 'token',
      token: 'a',
      expiresInMs: 9_000,
      receivedAt: expect.any(Number),
      canRenew: true,
    })
  })

  it.each<[string, object, RegExp]>([
    ['inherited', { access: 'constructor.name' }, /undefined as 'constructor\.name'/],
    ['under __proto__', { access: '__proto__.x' }, /undefined as '__proto__\.x'/],
    ['of a text', { access: 'a.length' }, /undefined as 'a\.length'/],
    ['no text', { access: 'n' }, /a value of type number as 'n'/],
    [
      'given by a function, and no text',
      { access: () => 7 },
      /a value of type number as 'fields\.access\(\)'/,
    ],
    [
      'of a function that throws',
      {
        access: () => {
          throw new TypeError('canary')
        },
      },
      /fields\.access threw TypeError/,
    ],
  ])('are nothing where they are %s', async (_name, fields, message) => {
    const error = await rejection(signIn({ a: 'text', n: 7 }, fields))
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE' })
    expect(error.message).toMatch(message)
    expectNoSecret(error, 'canary')
  })

  const wrapped = { data: { access_token: 'canary', refresh_token: 'canary' } }
  it.each<[string, 'passwordGrant' | 'simpleJwt', unknown, string]>([
    [
      'passwordGrant at simplejwt',
      'passwordGrant',
      { access: 'canary', refresh: 'canary' },
      "undefined as 'access_token': set fields.access to 'access', or use simpleJwt()",
    ],
    [
      'simpleJwt at an OAuth endpoint',
      'simpleJwt',
      { access_token: 'canary', token_type: 'bearer' },
      "undefined as 'access': set fields.access to 'access_token', or use passwordGrant()",
    ],
    [
      'a wrapped answer',
      'simpleJwt',
      wrapped,
      "undefined as 'access': set fields.access to 'data.access_token'",
    ],
    [
      'one that is wrapped twice',
      'passwordGrant',
      { result: wrapped },
      "set fields.access to 'result.data.access_token'",
    ],
    ['Knox', 'simpleJwt', { expiry: 'x', token: 'canary' }, "set fields.access to 'token'"],
    ['another name', 'simpleJwt', { nonce: 'canary' }, "undefined as 'access': set fields.access"],
    [
      'names that are no words',
      'simpleJwt',
      { 'canary-4711 ': { access: 'a' } },
      "undefined as 'access': set fields.access",
    ],
  ])('that are missing are looked for: %s', async (_name, maker, body, text) => {
    const url = await answers(body)
    const session =
      maker === 'simpleJwt' ? simpleJwt({ obtain: url, refresh: url }) : passwordGrant({ url })
    const error = await rejection(session.login(ALICE))
    expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE', status: 200 })
    expect(error.message.endsWith(text)).toBe(true)
    expectNoSecret(error, 'canary')
  })
})

describe('the refresh token', () => {
  const flask = () => {
    let n = 0
    return serve(({ path, headers }) => {
      if (path === '/login') return { body: { access_token: 'a0', refresh_token: 'r1' } }
      return headers.authorization?.endsWith(' r1')
        ? { body: { access_token: `a${++n}` } }
        : { status: 401, body: { msg: 'Missing Authorization Header' } }
    })
  }
  const makers = (origin: string, more: object) => ({
    simpleJwt: () =>
      simpleJwtParts({
        obtain: `${origin}/login`,
        refresh: `${origin}/refresh`,
        revoke: `${origin}/logout`,
        fields: { access: 'access_token', refresh: 'refresh_token' },
        refreshAs: 'header',
        ...more,
      }),
    passwordGrant: () =>
      passwordGrantParts({
        url: `${origin}/login`,
        refreshUrl: `${origin}/refresh`,
        revokeUrl: `${origin}/logout`,
        refreshAs: 'header',
        ...more,
      }),
  })

  it.each([
    ['simpleJwt', {}, 'Bearer r1'],
    ['passwordGrant', {}, 'Bearer r1'],
    ['simpleJwt', { scheme: 'JWT' }, 'JWT r1'],
    ['passwordGrant', { scheme: 'JWT' }, 'JWT r1'],
  ] as const)('travels in a header: %s %j', async (maker, more, authorization) => {
    const { origin, received } = await flask()
    const { source, signIn, revoker } = makers(origin, more)[maker]()
    const entry = await signIn?.(ALICE, new AbortController().signal)
    entry?.commit()
    expect(await ask(source)).toMatchObject({ token: 'a1' })
    await revoker?.()()
    expect(received.slice(1)).toMatchObject([
      { path: '/refresh', body: '', headers: { authorization } },
      { path: '/logout', body: '', headers: { authorization } },
    ])
  })

  it('that no header carries is not sent', async () => {
    const { origin, received } = await serve(() => ({
      body: { access_token: 'a', refresh_token: 'r\nx' },
    }))
    const { source, signIn } = makers(origin, {}).simpleJwt()
    const entry = await signIn?.(ALICE, new AbortController().signal)
    entry?.commit()
    const error = await rejection(ask(source))
    expect(error).toMatchObject({ code: 'TOKEN_INVALID' })
    expectNoSecret(error, 'r\nx')
    expect(received).toHaveLength(1)
  })

  it.each([
    ['data.refresh_token', 'refresh_token'],
    ['renew', 'renew'],
    [({ data }: { data: { refresh_token: string } }) => data.refresh_token, 'refresh'],
  ])('is sent under the last name of its path: %s', async (refresh, name) => {
    const { origin, received } = await serve(() => ({
      body: { data: { a: 'a', refresh_token: 'r' }, renew: 'r' },
    }))
    const { source, signIn } = simpleJwtParts({
      obtain: origin,
      refresh: origin,
      fields: { access: 'data.a', refresh: refresh as string },
    })
    const entry = await signIn?.(ALICE, new AbortController().signal)
    entry?.commit()
    await ask(source)
    expect(received[1]?.body).toBe(JSON.stringify({ [name]: 'r' }))
  })
})
