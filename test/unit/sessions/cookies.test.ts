/** Which cookies Node keeps, and where they go, asked of a session as a bot has it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cookieSession } from '../../../src/index.ts'
import { ALICE, dialOf, hosts, setting, signedIn } from './cookie-world.ts'
import { rejection } from './support.ts'

const APP = 'https://app.example.com'
const LOGIN = `${APP}/accounts/login/`
const SOON = new Date(Date.now() + 300_000).toUTCString()
const PAST = new Date(Date.now() - 300_000).toUTCString()

afterEach(() => {
  vi.useRealTimers()
})

/** What a request to `to` carries once the login at `at` has set these. */
const sentOf = async (set: readonly string[], to = `${APP}/ws/`, at = LOGIN) => {
  const { sent } = await signedIn(at, set, { origins: [new URL(to).origin] })
  return sent(to)
}

describe('how long a cookie lives (RFC 6265 §5.2.1, §5.2.2, §5.3 step 3)', () => {
  it.each<[string, string, string | undefined]>([
    ['no age', 's=1', 's=1'],
    ['Max-Age', 's=1; Max-Age=300', 's=1'],
    ['a Max-Age beside a past Expires', `s=1; Max-Age=300; Expires=${PAST}`, 's=1'],
    ['a past Expires beside a Max-Age', `s=1; Expires=${PAST}; Max-Age=300`, 's=1'],
    ['Max-Age=0 beside a later Expires', `s=1; Max-Age=0; Expires=${SOON}`, undefined],
    ['a later Expires beside Max-Age=-1', `s=1; Expires=${SOON}; max-age=-1`, undefined],
    ['the last of two Max-Age', 's=1; Max-Age=0; Max-Age=300', 's=1'],
    ['the last of two Max-Age, which ends it', 's=1; Max-Age=300; Max-Age=0', undefined],
    ['a Max-Age that is none beside a past Expires', `s=1; Max-Age=5m; Expires=${PAST}`, undefined],
    ['a Max-Age that is none, alone', 's=1; Max-Age=soon', 's=1'],
    ['a Max-Age in quotes, which is none', 's=1; Max-Age="0"', 's=1'],
    ['an empty Max-Age', 's=1; Max-Age=', 's=1'],
    ['a Max-Age of a thousand years', 's=1; Max-Age=31536000000', 's=1'],
    ['a Max-Age with spaces', 's=1;  Max-Age =  0 ', undefined],
    ['an Expires that is none', 's=1; Expires=tomorrow', 's=1'],
    ['a date of Django and Express', `s=1; Expires=${PAST}`, undefined],
    ['a date of PHP 7 and ASP.NET', 's=1; Expires=Thu, 01-Jan-1970 00:00:01 GMT', undefined],
    [
      'a date of Netscape with two digits',
      's=1; Expires=Thursday, 01-Jan-70 00:00:01 GMT',
      undefined,
    ],
    ['two digits that are of this century', 's=1; Expires=Monday, 01-Jan-68 00:00:01 GMT', 's=1'],
    ['a date of Rails', 's=1; path=/; expires=Thu, 01 Jan 1970 00:00:00 -0000', undefined],
    ['a date of asctime', 's=1; Expires=Thu Jan  1 00:00:01 1970', undefined],
    ['a date to come of asctime', 's=1; Expires=Thu Jan  1 00:00:01 2099', 's=1'],
    ['a date to come of PHP 7', 's=1; Expires=Thu, 01-Jan-2099 00:00:01 GMT', 's=1'],
    ['a day that does not exist', 's=1; Expires=Thu, 31 Feb 1970 00:00:01 GMT', 's=1'],
  ])('%s', async (_, line, sent) => {
    expect(await sentOf([line], `${LOGIN}x`)).toBe(sent)
  })

  it('ends when its time has come', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { sent } = await signedIn(LOGIN, ['a=1; Path=/; Max-Age=10', 'b=2; Path=/; Max-Age=20'])
    expect(await sent(`${APP}/`)).toBe('a=1; b=2')
    vi.setSystemTime(Date.now() + 10_000)
    expect(await sent(`${APP}/`)).toBe('b=2')
    vi.setSystemTime(Date.now() + 10_000)
    expect(await sent(`${APP}/`)).toBeUndefined()
  })
})

describe('to which host a cookie goes (§5.1.3, §5.2.3, §5.3 steps 4 to 6)', () => {
  it.each<[string, string, string, string | undefined]>([
    ['without Domain to its own host', 's=1; Path=/', `${APP}/`, 's=1'],
    ['without Domain to another port', 's=1; Path=/', `${APP}:8443/`, 's=1'],
    ['without Domain to no sibling', 's=1; Path=/', 'https://api.example.com/', undefined],
    ['without Domain to no parent', 's=1; Path=/', 'https://example.com/', undefined],
    ['without Domain to no child', 's=1; Path=/', 'https://x.app.example.com/', undefined],
    [
      'with Domain to a sibling',
      's=1; Path=/; Domain=example.com',
      'https://api.example.com/',
      's=1',
    ],
    [
      'with a dot to a sibling',
      's=1; Path=/; Domain=.example.com',
      'https://api.example.com/',
      's=1',
    ],
    [
      'with Domain in capitals',
      's=1; Path=/; DOMAIN=Example.COM',
      'https://api.example.com/',
      's=1',
    ],
    [
      'with Domain to the host of that name',
      's=1; Path=/; Domain=example.com',
      'https://example.com/',
      's=1',
    ],
    [
      'with Domain to nobody who ends alike',
      's=1; Path=/; Domain=example.com',
      'https://badexample.com/',
      undefined,
    ],
    [
      'with its own name as Domain to a child',
      's=1; Path=/; Domain=app.example.com',
      'https://x.app.example.com/',
      's=1',
    ],
    ['of another host: refused', 's=1; Path=/; Domain=auth.example', `${APP}/`, undefined],
    [
      'of another host: refused there too',
      's=1; Path=/; Domain=auth.example',
      'https://auth.example/',
      undefined,
    ],
    ['of a child: refused', 's=1; Path=/; Domain=x.app.example.com', `${APP}/`, undefined],
    ['of one label: refused', 's=1; Path=/; Domain=com', `${APP}/`, undefined],
    ['of one label with a dot: refused', 's=1; Path=/; Domain=.com', `${APP}/`, undefined],
    ['of one label with a dot behind: refused', 's=1; Path=/; Domain=com.', `${APP}/`, undefined],
    ['with an empty Domain as without', 's=1; Path=/; Domain=', `${APP}/`, 's=1'],
    [
      'with an empty Domain to no sibling',
      's=1; Path=/; Domain=',
      'https://api.example.com/',
      undefined,
    ],
    [
      'the last of two Domains counts',
      's=1; Path=/; Domain=auth.example; Domain=example.com',
      'https://api.example.com/',
      's=1',
    ],
    [
      'the last of two Domains is refused',
      's=1; Path=/; Domain=example.com; Domain=auth.example',
      `${APP}/`,
      undefined,
    ],
  ])('%s', async (_, line, to, sent) => {
    expect(await sentOf([line], to)).toBe(sent)
  })

  it.each<[string, string, string, string, string | undefined]>([
    [
      'localhost may name itself',
      'http://localhost/login',
      's=1; Path=/; Domain=localhost',
      'http://localhost:8000/',
      's=1',
    ],
    [
      'and keeps it',
      'http://localhost/login',
      's=1; Path=/; Domain=localhost',
      'http://app.localhost/',
      undefined,
    ],
    [
      'its child may not',
      'http://app.localhost/login',
      's=1; Path=/; Domain=localhost',
      'http://app.localhost/',
      undefined,
    ],
    [
      '127.0.0.1 is not localhost',
      'http://127.0.0.1/login',
      's=1; Path=/',
      'http://localhost/',
      undefined,
    ],
    [
      'an address may name itself',
      'http://127.0.0.1/login',
      's=1; Path=/; Domain=127.0.0.1',
      'http://127.0.0.1/',
      's=1',
    ],
    [
      'an address has no parent',
      'http://127.0.0.1/login',
      's=1; Path=/; Domain=0.0.1',
      'http://127.0.0.1/',
      undefined,
    ],
    ['an address of IPv6', 'http://[::1]/login', 's=1; Path=/', 'http://[::1]:81/', 's=1'],
  ])('%s', async (_, at, line, to, sent) => {
    expect(await sentOf([line], to, at)).toBe(sent)
  })

  it.each<[string, string, string | undefined]>([
    ['its own', 'wss://app.example.com/ws/', 's=1'],
    ['its own in the clear', 'ws://app.example.com/ws/', 's=1'],
    ['its own on another port', 'wss://app.example.com:8443/ws/', 's=1'],
    ['another', 'wss://chat.example.com/ws/', undefined],
  ])('a socket to %s host', async (_, url, sent) => {
    const { dialed } = await signedIn(LOGIN, ['s=1; Path=/'])
    expect(await dialed(url)).toBe(sent)
  })
})

describe('to which path a cookie goes (§5.1.4)', () => {
  it.each<[string, string, string, string | undefined]>([
    ['the path itself', 's=1; Path=/ws', '/ws', 's=1'],
    ['below it', 's=1; Path=/ws', '/ws/chat/', 's=1'],
    ['not beside it', 's=1; Path=/ws', '/wsx', undefined],
    ['below one that ends with a slash', 's=1; Path=/ws/', '/ws/chat', 's=1'],
    ['not above it', 's=1; Path=/ws/', '/ws', undefined],
    ['everywhere', 's=1; Path=/', '/x', 's=1'],
    ['without Path: the folder of the login', 's=1', '/accounts/login/x', 's=1'],
    ['without Path: nowhere else', 's=1', '/accounts/', undefined],
    ['an empty Path as without', 's=1; Path=', '/ws', undefined],
    ['a relative Path as without', 's=1; Path=ws', '/accounts/login/x', 's=1'],
    ['the last of two', 's=1; Path=/x; Path=/ws', '/ws', 's=1'],
    ['the last of two, which is none', 's=1; Path=/ws; Path=', '/ws', undefined],
    ['a query is no path', 's=1; Path=/ws', '/ws?token=/', 's=1'],
  ])('%s', async (_, line, path, sent) => {
    expect(await sentOf([line], APP + path)).toBe(sent)
  })

  it('of a login at the root is everywhere', async () => {
    expect(await sentOf(['s=1'], `${APP}/ws/`, `${APP}/login`)).toBe('s=1')
  })

  it('of a socket too', async () => {
    const { dialed } = await signedIn(LOGIN, ['s=1; Path=/ws', 't=1; Path=/accounts'])
    expect(await dialed('wss://app.example.com/ws/chat/')).toBe('s=1')
  })
})

describe('Secure', () => {
  it.each<[string, string, string, string | undefined]>([
    ['goes by https', LOGIN, `${APP}/`, 's=1'],
    ['not in the clear', LOGIN, 'http://app.example.com/', undefined],
    ['is not taken from the clear', 'http://app.example.com/login', `${APP}/`, undefined],
    // What never leaves the machine is as good as encrypted, as in Chrome and Firefox.
    ['goes to loopback', 'http://localhost:8000/login', 'http://localhost:8000/', 's=1'],
    ['goes to a loopback address', 'http://127.0.0.1:8000/login', 'http://127.0.0.1:8000/', 's=1'],
  ])('%s', async (_, at, to, sent) => {
    expect(await sentOf(['s=1; Path=/; secure'], to, at)).toBe(sent)
  })

  it.each<[string, string | undefined]>([
    ['wss://app.example.com/ws', 's=1'],
    ['ws://app.example.com/ws', undefined],
  ])('to %s', async (url, sent) => {
    const { dialed } = await signedIn(LOGIN, ['s=1; Path=/; Secure'])
    expect(await dialed(url)).toBe(sent)
  })

  it('is not replaced from the clear', async () => {
    const { session, sent } = await signedIn(LOGIN, ['s=1; Path=/; Secure'], {
      origins: ['http://app.example.com'],
      later: ({ url }) => (url.startsWith('http:') ? ['s=evil; Path=/'] : []),
    })
    await session.fetch('http://app.example.com/')
    expect(await sent(`${APP}/`)).toBe('s=1')
  })

  it.each<[string, string, string | undefined]>([
    ['__Secure- with it', '__Secure-s=1; Path=/; Secure', '__Secure-s=1'],
    ['__Secure- without it', '__Secure-s=1; Path=/', undefined],
    ['__Host- as it must be', '__Host-s=1; Path=/; Secure', '__Host-s=1'],
    ['__Host- with a Domain', '__Host-s=1; Path=/; Secure; Domain=app.example.com', undefined],
    ['__Host- without a Path', '__Host-s=1; Secure', undefined],
    ['__Host- of a folder', '__Host-s=1; Path=/accounts; Secure', undefined],
    ['__host- in small letters', '__host-s=1; Path=/', undefined],
  ])('%s', async (_, line, sent) => {
    expect(await sentOf([line], `${APP}/accounts/login/x`)).toBe(sent)
  })
})

describe('what a cookie is (§5.2)', () => {
  it.each<[string, string, string | undefined]>([
    ['name and value', 's=1', 's=1'],
    ['spaces about them', '  s = 1  ; Path=/', 's=1'],
    ['a value with =', 's=a=b==', 's=a=b=='],
    ['a value in quotes, which stay', 's="a b"', 's="a b"'],
    ['an empty value', 's=', 's='],
    ['no =', 's', undefined],
    ['no name', '=1', undefined],
    ['nothing', '', undefined],
    ['attributes that nobody knows', 's=1; SameSite=None; Priority=High; Partitioned; x', 's=1'],
    ['a control character', 's=1\u0001', undefined],
    ['more than 4 KiB', `s=${'x'.repeat(4096)}`, undefined],
    ['as much as 4 KiB', `s=${'x'.repeat(4095)}`, `s=${'x'.repeat(4095)}`],
  ])('%s', async (_, line, sent) => {
    // Headers trims and refuses by itself, so the lines come as a runtime hands them over.
    const { session, asked } = await signedInRaw([line])
    await session.fetch(`${LOGIN}x`)
    expect(withoutControl(asked.at(-1)?.headers.get('cookie'))).toBe(sent)
  })

  it.each<[string, string, string]>([
    ['are told from the comma of a date', `a=1; Expires=${SOON}; Path=/, b=2; Path=/`, 'a=1; b=2'],
    ['and from a comma in a value', 'a=1,2; Path=/, b=3,x; Path=/', 'a=1,2; b=3,x'],
    ['alone', 'a=1; Path=/', 'a=1'],
  ])('several in one line, where a fetch has no getSetCookie, %s', async (_, line, sent) => {
    const { session, asked } = await signedInRaw(undefined, `control=1; Path=/, ${line}`)
    await session.fetch(`${APP}/`)
    expect(withoutControl(asked.at(-1)?.headers.get('cookie'))).toBe(sent)
  })
})

describe('several cookies', () => {
  it('of one name, host and path are one, in the place of the first', async () => {
    const set = ['a=1; Path=/', 'b=2; Path=/', 'a=3; Path=/']
    expect(await sentOf(set)).toBe('a=3; b=2')
  })

  it('of one name and two paths are two, the longer path first (§5.4)', async () => {
    const set = ['a=1; Path=/', 'b=2; Path=/', 'a=3; Path=/ws/']
    expect(await sentOf(set)).toBe('a=3; a=1; b=2')
  })

  it('a deletion deletes that of its path, and no other', async () => {
    const set = ['a=1; Path=/', 'a=2; Path=/ws/', 'a=; Path=/ws/; Max-Age=0']
    expect(await sentOf(set)).toBe('a=1')
  })

  it('are bounded: of a host the latest 50', async () => {
    const set = Array.from({ length: 120 }, (_, i) => `n${i}=1; Path=/`)
    const sent = (await sentOf(set))?.split('; ') ?? []
    expect(sent.length).toBeLessThanOrEqual(50)
    expect(sent.at(-1)).toBe('n119=1')
  })
})

it('a login all of whose cookies are for others has failed, and says why', async () => {
  const { fetch } = hosts(() => ['s=1; Domain=auth.example'])
  const session = cookieSession({ login: LOGIN, fetch })
  const error = await rejection(session.login(ALICE))
  expect(error).toMatchObject({ code: 'TOKEN_UNAVAILABLE' })
  expect(error.message).toMatch(/no cookie.*Domain/)
  expect(session.signedIn).toBe(false)
})

const withoutControl = (cookie: string | null | undefined) =>
  cookie
    ?.split('; ')
    .filter((pair) => pair !== 'control=1')
    .join('; ') || undefined

/** The lines as they are; or one line, as a fetch without `getSetCookie` has it. */
async function signedInRaw(lines: readonly string[] | undefined, joined = '') {
  const { fetch: answer, asked } = hosts(() => setting([]))
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await answer(input, init)
    if (init?.method !== 'POST') return response
    const headers = {
      get: (name: string) => (name.toLowerCase() === 'set-cookie' ? joined : null),
      ...(lines && { getSetCookie: () => ['control=1; Path=/', ...lines] }),
    }
    return Object.defineProperty(response, 'headers', { value: headers })
  }
  const session = cookieSession({ login: LOGIN, fetch })
  await session.login(ALICE)
  return { session, asked }
}

it('no cookie of a login goes to a socket of another host', async () => {
  const { session } = await signedIn('http://127.0.0.1:8000/accounts/login', [
    'sessionid=SECRET; HttpOnly; Secure; SameSite=Strict; Path=/accounts; Domain=auth.example',
    'csrftoken=CSRF; Path=/',
  ])
  const headers = await dialOf('ws://localhost:8000/other-site/ws', session)
  expect(headers.get('cookie')).toBeNull()
})
