/** Who writes the `Authorization` header of a request, and what stands in it. */
import { describe, expect, it } from 'vitest'
import {
  cookieSession,
  fixedToken,
  passwordGrant,
  refreshGrant,
  simpleJwt,
} from '../../../src/index.ts'
import { rejection, serve } from './support.ts'

const ALICE = { username: 'alice', password: 'correct-horse' }
const OWN = 'Token of-the-caller'

/** Signed in; `/api` answers with `status`, and what it was asked with is in `asked`. */
const party = async (status = 200) => {
  let n = 0
  const { origin, received } = await serve(({ path }) =>
    path === '/token' ? { body: { access: `a${++n}`, refresh: 'r' } } : { status },
  )
  const url = `${origin}/token`
  const session = simpleJwt({ obtain: url, refresh: url })
  await session.login(ALICE)
  const asked = () =>
    received.filter(({ path }) => path === '/api').map(({ headers }) => headers.authorization)
  const refreshes = () => received.filter(({ path }) => path === '/token').length - 1
  return { session, origin, at: `${origin}/api`, asked, refreshes, received }
}

describe("session.fetch with the caller's own Authorization", () => {
  const ways: Array<[string, (at: string) => [RequestInfo, RequestInit?]]> = [
    ['an object', (at) => [at, { headers: { Authorization: OWN } }]],
    ['in small letters', (at) => [at, { headers: { authorization: OWN } }]],
    ['in capitals', (at) => [at, { headers: { AUTHORIZATION: OWN } }]],
    ['pairs', (at) => [at, { headers: [['Authorization', OWN]] }]],
    ['Headers', (at) => [at, { headers: new Headers({ Authorization: OWN }) }]],
    ['a Request', (at) => [new Request(at, { headers: { Authorization: OWN } })]],
    [
      'a Request, and an init with other parts',
      (at) => [new Request(at, { headers: { Authorization: OWN } }), { cache: 'no-store' }],
    ],
    [
      'an init beside a Request that has another',
      (at) => [
        new Request(at, { headers: { Authorization: 'Token other' } }),
        { headers: { Authorization: OWN } },
      ],
    ],
  ]
  it.each(ways)('sends it: %s', async (_name, way) => {
    const { session, at, asked } = await party()
    await session.fetch(...way(at))
    expect(asked()).toEqual([OWN])
  })

  it.each(ways)('leaves its 401 to the caller: %s', async (_name, way) => {
    const { session, at, asked, refreshes } = await party(401)
    expect((await session.fetch(...way(at))).status).toBe(401)
    expect(asked()).toEqual([OWN])
    expect(refreshes()).toBe(0)
  })

  it('needs nobody to be signed in', async () => {
    const { session, at, asked } = await party()
    await session.logout()
    expect((await session.fetch(at, { headers: { Authorization: OWN } })).status).toBe(200)
    expect(asked()).toEqual([OWN])
    expect(await rejection(session.fetch(at))).toMatchObject({ code: 'TOKEN_REFUSED' })
  })

  it('still goes to the origins of the session only', async () => {
    const { session } = await party()
    const fetched = session.fetch('https://elsewhere.example/', { headers: { Authorization: OWN } })
    await expect(fetched).rejects.toThrow(/elsewhere\.example/)
  })

  it('goes beside the cookies of a cookie session', async () => {
    const { origin, received } = await party()
    const session = cookieSession({ cookie: 'sessionid=abc', origins: [origin] })
    await session.fetch(`${origin}/api`, { headers: { Authorization: OWN } })
    expect(received.at(-1)?.headers).toMatchObject({ authorization: OWN, cookie: 'sessionid=abc' })
  })

  it.each<[string, RequestInit | undefined]>([
    ['no headers', undefined],
    ['other headers', { headers: { 'x-trace': '1' } }],
    ['a header of a like name', { headers: { 'x-authorization': OWN } }],
  ])(
    'is a case of its own: with %s the token travels, and a 401 renews it',
    async (_name, init) => {
      const { session, at, asked, refreshes } = await party(401)
      expect((await session.fetch(at, init)).status).toBe(401)
      expect(asked()).toEqual(['Bearer a1', 'Bearer a2'])
      expect(refreshes()).toBe(1)
    },
  )
})

describe('scheme', () => {
  const tokens = { access: 'a', access_token: 'a', refresh: 'r' }
  it.each([
    ['fixedToken', (at: string) => fixedToken('a', { origins: [at], scheme: 'Token' })],
    ['simpleJwt', (at: string) => simpleJwt({ obtain: at, refresh: at, scheme: 'Token' })],
    ['passwordGrant', (at: string) => passwordGrant({ url: at, scheme: 'Token' })],
    ['refreshGrant', (at: string) => refreshGrant({ url: at, refreshToken: 'r', scheme: 'Token' })],
  ] as const)('is the word before the token in session.fetch: %s', async (_name, make) => {
    const { origin, received } = await serve(() => ({ body: tokens }))
    const session = make(origin)
    if (!(await session.restore())) await (session as ReturnType<typeof simpleJwt>).login(ALICE)
    await session.fetch(`${origin}/whoami`)
    expect(received.at(-1)?.headers.authorization).toBe('Token a')
  })

  it.each(['', 'Bearer ', 'a b', 'a:b', 'Bearer\r\nx', 'Schlüssel', 5, null])(
    'is one word: %j is none',
    (scheme) => {
      const make = () => fixedToken('a', { scheme: scheme as string })
      expect(make).toThrow(/fixedToken: scheme must be one word/)
    },
  )

  it('goes nowhere where no token travels', () => {
    expect(() => cookieSession({ scheme: 'Token' } as object)).toThrow(/no option 'scheme'/)
  })
})

it('a 401 of the caller is no reason to forget a body', async () => {
  const { session, at } = await party(401)
  const response = await session.fetch(at, { headers: { Authorization: OWN } })
  expect(await response.json()).toEqual({})
})
