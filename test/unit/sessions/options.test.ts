import { expect, it, vi } from 'vitest'
import { cookieSession } from '../../../src/sessions/cookie-session.ts'
import { fixedToken } from '../../../src/sessions/fixed-token.ts'
import { passwordGrant } from '../../../src/sessions/password-grant.ts'
import { refreshGrant } from '../../../src/sessions/refresh-grant.ts'
import { simpleJwt } from '../../../src/sessions/simple-jwt.ts'
import { shareTabs } from '../../../src/sessions/tabs.ts'
import { ticket } from '../../../src/sessions/ticket.ts'

const SECRET = 'canary-4711'
const JWT = { obtain: 'https://a.example/o', refresh: 'https://a.example/r' }

type Maker = (options: unknown) => unknown
// Wrong on purpose: what JavaScript callers can pass.
const makers = {
  simpleJwt: simpleJwt as Maker,
  passwordGrant: passwordGrant as Maker,
  cookieSession: cookieSession as Maker,
  refreshGrant: refreshGrant as Maker,
  ticket: ticket as Maker,
  fixedToken: ((options: unknown) =>
    (fixedToken as (token: unknown, options: unknown) => unknown)('abc', options)) as Maker,
  shareTabs: shareTabs as Maker,
}

const base: Record<keyof typeof makers, object> = {
  simpleJwt: JWT,
  passwordGrant: { url: 'https://a.example/token' },
  cookieSession: {},
  refreshGrant: { url: 'https://a.example/token', refreshToken: 'r' },
  ticket: { url: 'https://a.example/ticket' },
  fixedToken: {},
  shareTabs: { key: 'shop', share: 'broadcast' },
}

const cases: Array<[keyof typeof makers, string, unknown]> = [
  ['simpleJwt', 'obtain', undefined],
  ['simpleJwt', 'obtain', ''],
  ['simpleJwt', 'obtain', 5],
  ['simpleJwt', 'refresh', null],
  ['simpleJwt', 'revoke', {}],
  ['simpleJwt', 'refreshToken', SECRET],
  ['simpleJwt', 'refreshToken', { get: () => SECRET }],
  ['simpleJwt', 'csrf', true],
  ['simpleJwt', 'csrf', { name: SECRET }],
  ['simpleJwt', 'csrf', { cookie: 5 }],
  ['simpleJwt', 'csrf', { token: SECRET }],
  ['simpleJwt', 'fields', { acces: 'x' }],
  ['simpleJwt', 'fields', { access: 5 }],
  ['simpleJwt', 'credentials', SECRET],
  ['simpleJwt', 'credentials', { username: SECRET }],
  ['simpleJwt', 'reobtain', 'yes'],
  ['simpleJwt', 'reobtain', true],
  ['simpleJwt', 'origins', 'https://a.example'],
  ['simpleJwt', 'origins', ['https://a.example/path']],
  ['simpleJwt', 'origins', ['a.example']],
  ['simpleJwt', 'origins', [5]],
  ['simpleJwt', 'origin', '/'],
  ['simpleJwt', 'fetch', {}],
  ['simpleJwt', 'allowInsecure', 1],
  ['simpleJwt', 'acess', SECRET],
  ['passwordGrant', 'url', undefined],
  ['passwordGrant', 'refreshUrl', 5],
  ['passwordGrant', 'revokeUrl', 5],
  ['passwordGrant', 'refreshAs', 'xml'],
  ['passwordGrant', 'clientId', ''],
  ['passwordGrant', 'scope', ['a']],
  ['passwordGrant', 'refreshToken', 'httpOnlyCookie'],
  ['passwordGrant', 'reobtain', true],
  ['passwordGrant', 'token', SECRET],
  ['cookieSession', 'cookie', 5],
  ['cookieSession', 'cookie', ''],
  ['cookieSession', 'login', 5],
  ['cookieSession', 'logout', []],
  ['cookieSession', 'csrf', 'x'],
  ['cookieSession', 'fields', { access: 'x' }],
  ['cookieSession', 'sessionid', SECRET],
  ['simpleJwt', 'csrf', { url: 5 }],
  ['refreshGrant', 'url', undefined],
  ['refreshGrant', 'refreshToken', undefined],
  ['refreshGrant', 'refreshToken', ''],
  ['refreshGrant', 'refreshToken', { get: () => SECRET }],
  ['refreshGrant', 'clientId', 5],
  ['refreshGrant', 'clientSecret', SECRET],
  ['refreshGrant', 'scope', ['a']],
  ['refreshGrant', 'revokeUrl', 5],
  ['refreshGrant', 'fields', { username: 'x' }],
  ['refreshGrant', 'token', SECRET],
  ['ticket', 'url', undefined],
  ['ticket', 'session', SECRET],
  ['ticket', 'session', {}],
  ['ticket', 'session', ticket({ url: 'https://a.example/t' })],
  ['ticket', 'csrf', { name: SECRET }],
  ['ticket', 'fields', { expiresIn: 'x' }],
  ['ticket', 'origins', ['https://a.example']],
  ['ticket', 'fetch', {}],
  ['ticket', 'ticket', SECRET],
  ['ticket', 'method', 'PUT'],
  ['ticket', 'method', 'get'],
  ['ticket', 'headers', [['a', SECRET]]],
  ['ticket', 'headers', { 'a b': SECRET }],
  ['ticket', 'headers', { a: `${SECRET}\n${SECRET}` }],
  ['ticket', 'scheme', 'Token'],
  ['ticket', 'isRefused', true],
  ['ticket', 'fields', { ticket: 5 }],
  ['simpleJwt', 'isRefused', SECRET],
  ['simpleJwt', 'refreshAs', 'form'],
  ['simpleJwt', 'scheme', 'a b'],
  ['simpleJwt', 'fields', { username: () => SECRET }],
  ['simpleJwt', 'fields', { access: {} }],
  ['passwordGrant', 'isRefused', null],
  ['refreshGrant', 'isRefused', 1],
  ['refreshGrant', 'fields', { access: '' }],
  ['cookieSession', 'isRefused', 1],
  ['fixedToken', 'isRefused', () => true],
  ['fixedToken', 'expiresInMs', '60'],
  ['fixedToken', 'expires', 5],
  ['simpleJwt', 'tabs', { key: 'shop', share: 'broadcast' }],
  ['passwordGrant', 'tabs', 'shop'],
  ['refreshGrant', 'tabs', {}],
  ['cookieSession', 'tabs', 'shop'],
  ['cookieSession', 'tabs', shareTabs({ key: 'shop', share: { get: () => '', set: () => {} } })],
  ['shareTabs', 'key', ''],
  ['shareTabs', 'key', undefined],
  ['shareTabs', 'share', undefined],
  ['shareTabs', 'share', SECRET],
  ['shareTabs', 'share', { get: () => SECRET }],
  ['shareTabs', 'keys', 5],
]

it.each(cases)('%s refuses %s: %j', (maker, name, value) => {
  const make = () => makers[maker]({ ...base[maker], [name]: value })
  expect(make).toThrow(TypeError)
  expect(make).toThrow(name)
  expect(make).toThrow(maker)
  expect(make).not.toThrow(SECRET)
})

it.each(Object.keys(makers))('%s refuses what is no object', (name) => {
  // The keys of the table above.
  const make = makers[name as keyof typeof makers]
  for (const options of [null, 5, SECRET, []]) {
    expect(() => make(options)).toThrow(TypeError)
    expect(() => make(options)).not.toThrow(SECRET)
  }
})

it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
  'expiresInMs %d is out of range',
  (value) => {
    expect(() => fixedToken('abc', { expiresInMs: value })).toThrow(RangeError)
  },
)

it.each(['', 5, null])('fixedToken refuses %j as the token', (token) => {
  // Wrong on purpose.
  expect(() => fixedToken(token as string)).toThrow(/token must be/)
})

it('insecure URLs are refused, save loopback and by consent', () => {
  const url = 'http://a.example/t'
  const insecure = expect.objectContaining({ code: 'INSECURE_URL' })
  expect(() => passwordGrant({ url })).toThrow(insecure)
  expect(() => cookieSession({ login: url })).toThrow(insecure)
  expect(() => simpleJwt({ ...JWT, revoke: url })).toThrow(insecure)
  expect(() => fixedToken('abc', { origins: ['http://a.example'] })).toThrow(insecure)
  expect(() => refreshGrant({ url, refreshToken: 'r' })).toThrow(insecure)
  expect(() => ticket({ url })).toThrow(insecure)
  passwordGrant({ url, allowInsecure: true })
  passwordGrant({ url: 'http://localhost:8000/t' })
})

it('relative URLs may be given where a page is rendered', async () => {
  const session = simpleJwt({ obtain: '/o', refresh: '/r' })
  await expect(session.login({ username: 'a', password: 'b' })).rejects.toThrow(
    /simpleJwt: obtain .* origin/,
  )
})

it('tabs that share a store need no other one', () => {
  const store = { get: () => null, set: () => {} }
  const tabs = shareTabs({ key: 'shop', share: store })
  expect(() => simpleJwt({ ...JWT, tabs, refreshToken: store })).toThrow(/refreshToken/)
  simpleJwt({ ...JWT, tabs, refreshToken: 'httpOnlyCookie' })
  passwordGrant({ url: 'https://a.example/token', tabs })
})

it('a session with tabs opens nothing before it is used', async () => {
  const opened = vi.fn()
  class Channel {
    constructor(name: string) {
      opened(name)
    }
    postMessage(): void {}
  }
  vi.stubGlobal('BroadcastChannel', Channel)
  const session = simpleJwt({ ...JWT, tabs: shareTabs({ key: 'shop', share: 'broadcast' }) })
  expect([session.signedIn, opened.mock.calls]).toEqual([false, []])
  await session.restore()
  expect(opened.mock.calls).toEqual([['authed-socket:shop']])
})

it('where there are no channels, each tab is on its own', async () => {
  vi.stubGlobal('BroadcastChannel', undefined)
  const session = simpleJwt({ ...JWT, tabs: shareTabs({ key: 'shop', share: 'broadcast' }) })
  expect(await session.restore()).toBe(false)
})

it.each([0, -1, Number.NaN, 2 ** 31])('a ticket within %d ms is out of range', (timeoutMs) => {
  expect(() => ticket({ url: 'https://a.example/t', timeoutMs })).toThrow(RangeError)
})
