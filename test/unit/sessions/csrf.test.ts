/** The value of a CSRF cookie, in the header that repeats it. */
import { describe, expect, it, vi } from 'vitest'
import { cookieSession, simpleJwt } from '../../../src/index.ts'
import { ALICE, hosts } from './cookie-world.ts'

const APP = 'https://app.example.com'
const NAMES = { cookie: 'XSRF-TOKEN', header: 'X-XSRF-TOKEN' }

const VALUES: [string, string, string | null][] = [
  ['one of Laravel', 'eyJpdiI6Ik1h%2Bb%2Fc%3D%3D', 'eyJpdiI6Ik1h+b/c=='],
  ['one of Django, which has nothing to decode', 'PqZ0aaAA11', 'PqZ0aaAA11'],
  ['one with =', 'a=b==', 'a=b=='],
  ['one with a plus, which is no space', 'a+b', 'a+b'],
  ['one that is no encoding', '100%', '100%'],
  ['one that is half an encoding', 'a%2', 'a%2'],
  ['one that is no UTF-8', '%FF%2B', '%FF%2B'],
  ['a line break, which no header can hold', 'a%0D%0AX-Evil:%201', 'a%0D%0AX-Evil:%201'],
  ['what no header can hold even encoded', 'h\u00e9', null],
  ['what is beyond ASCII once decoded', 'h%C3%A9', 'h%C3%A9'],
  ['one in quotes', '"a%20b"', '"a b"'],
]

describe.each<[string, (fetch: typeof globalThis.fetch) => () => Promise<void>]>([
  [
    'cookieSession',
    (fetch) => {
      const session = cookieSession({
        login: `${APP}/login`,
        csrf: { ...NAMES, url: `${APP}/csrf` },
        fetch,
      })
      return () => session.login(ALICE)
    },
  ],
  [
    'simpleJwt',
    (fetch) => {
      const session = simpleJwt({
        obtain: `${APP}/login`,
        refresh: `${APP}/refresh`,
        refreshToken: 'httpOnlyCookie',
        csrf: { ...NAMES, url: `${APP}/csrf` },
        fetch,
      })
      return () => session.login(ALICE)
    },
  ],
])('with %s', (_, make) => {
  it.each(VALUES)('in Node: %s', async (_name, value, header) => {
    const { fetch, asked } = hosts(({ url }) =>
      url.endsWith('/csrf')
        ? [`XSRF-TOKEN=${value}; Path=/`]
        : new Response('{"access":"a"}', { headers: { 'set-cookie': 's=1; Path=/' } }),
    )
    await make(fetch)()
    expect(asked.at(-1)?.headers.get('x-xsrf-token')).toBe(header)
  })

  it.each(VALUES)('in a page: %s', async (_name, value, header) => {
    vi.stubGlobal('document', { cookie: `other=1; XSRF-TOKEN=${value}` })
    const { fetch, asked } = hosts(() => new Response('{"access":"a"}'))
    await make(fetch)()
    expect(asked.at(-1)?.headers.get('x-xsrf-token')).toBe(header)
  })
})

it('what csrf.token gives is sent as it is', async () => {
  const { fetch, asked } = hosts(() => ['s=1; Path=/'])
  const csrf = { ...NAMES, token: () => 'a%2Bb' }
  await cookieSession({ login: `${APP}/login`, csrf, fetch }).login(ALICE)
  expect(asked.at(-1)?.headers.get('x-xsrf-token')).toBe('a%2Bb')
})
