/** What comes out of a run, and what does not: tokens. */
import { WebSocket as Undici } from 'undici'
import { describe, expect, it } from 'vitest'
import { SECTIONS } from '../../../src/conformance/check.ts'
import { checkConformance } from '../../../src/conformance/index.ts'
import { Secrets } from '../../../src/conformance/secrets.ts'
import { CHECKS, RULES } from '../../../src/conformance/suite.ts'
import type { WebSocketConstructor } from '../../../src/index.ts'
import { anchorsOf } from '../../docs/markdown.ts'
import { startTinyServer } from './tiny-server.ts'

const TOKENS = { a: () => 'token-of.alice', b: () => 'token-of.bob' }

describe('checks', () => {
  const all = [...CHECKS, ...RULES]

  it('are named once each, by their section or as frames', () => {
    const ids = all.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    expect(ids.filter((id) => !/^[a-z-]+\.[a-z0-9-]+$/.test(id))).toEqual([])
  })

  it('come behind those that they stand on', () => {
    const ids = CHECKS.map(({ id }) => id)
    for (const { id, after = [] } of CHECKS)
      for (const before of after) {
        expect(ids, `${id} stands on ${before}`).toContain(before)
        expect(ids.indexOf(before), `${before} before ${id}`).toBeLessThan(ids.indexOf(id))
      }
  })

  it('have their section in docs/protocol.md, and leave none of its frames out', () => {
    const anchors = anchorsOf('docs/protocol.md')
    expect(Object.keys(SECTIONS).filter((section) => !anchors.includes(section))).toEqual([])
    const used = new Set(all.map(({ section }) => section))
    expect(Object.keys(SECTIONS).filter((section) => !used.has(section as never))).toEqual([])
    // No check: the promise follows from the rest, and what a server may say by itself can only be right.
    expect(anchors.filter((anchor) => !(anchor in SECTIONS))).toEqual([
      ...['rooms-protocol-version-1-authed-roomsv1', 'the-promise', 'client--server'],
      ...['server--client', 'ok-reply-pong', 'expiring', 'drain'],
    ])
  })
})

describe('a run', () => {
  it('says what it was not told', async () => {
    const server = await startTinyServer()
    const { checks, conforms } = await checkConformance({
      url: server.url,
      tokens: { a: TOKENS.a },
      WebSocket: Undici as unknown as WebSocketConstructor,
      roomsUpTo: 3,
      quietMs: 30,
    })
    server.close()
    const open = checks.filter(({ outcome }) => outcome !== 'passed')
    expect(new Set(open.map(({ outcome }) => outcome))).toEqual(new Set(['not-checked']))
    expect(conforms).toBe(true)
    const details = open.map(({ id, detail = '' }) => [id, detail.slice(0, 34)])
    expect(details).toContainEqual(['send.user-of-id', 'needs a token of another user: tok'])
    expect(details).toContainEqual(['frames.not-utf8', 'needs a WebSocket that sends bytes'])
    expect(details).toContainEqual(['limits.rooms', 'the limit is 12, more than roomsUp'])
    expect(open.map(({ id }) => id).sort()).toEqual([
      ...['auth.expired', 'auth.lives-on', 'auth.other-user', 'call.reply', 'close-codes.expiry'],
      ...['frames.not-utf8', 'handshake.expired-token', 'handshake.fence-user', 'handshake.origin'],
      ...['handshake.rooms-of-url-refused', 'handshake.two-tokens', 'join.forbidden'],
      ...['limits.rooms', 'presence.lost', 'send.user-of-id', 'welcome.user'],
    ])
  })

  const refused = (options: object): Promise<unknown> =>
    checkConformance({ url: 'ws://localhost:1', tokens: TOKENS, ...options })

  const WRONG: readonly (readonly [options: object, says: RegExp])[] = [
    [{ url: 'ftp://localhost' }, /url must be ws:/],
    [{ tokens: {} }, /tokens: a must be a function/],
    [{ tokens: { a: 'token' } }, /tokens: a must be a function/],
    [{ tokens: { a: () => '' } }, /tokens\.a\(\) gave no token/],
    [{ tokens: { a: () => Promise.reject(new RangeError('secret')) } }, /a\(\) threw RangeError$/],
    [{ transmission: 'query' }, /transmission must be a transmission/],
    [{ rooms: { prefix: '' } }, /rooms: prefix must be/],
    [{ expect: ['calls'] }, /expect must be a list, each 'auth' or/],
    [{ only: ['nothing.like-it'] }, /only: no check is named 'nothing.like-it'/],
    [{ timeoutMs: 1 }, /timeoutMs must be a number from 50/],
    [{ timeout: 1 }, /no option 'timeout'/],
  ]

  it.each(WRONG)('refuses %j', async (options, says) => {
    await expect(refused(options)).rejects.toThrow(says)
  })

  it('says that nothing answers', async () => {
    await expect(refused({ url: 'ws://127.0.0.1:1/' })).rejects.toThrow(/nothing answers/)
  })
})

describe('secrets', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl+_/signature=='
  const secrets = new Secrets()
  secrets.add(jwt)

  it.each([
    ['whole', `token ${jwt}!`, 'token <token>!'],
    ['encoded for a URL', encodeURIComponent(jwt), '<token>'],
    [
      'in base64url',
      btoa(jwt).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
      '<token>',
    ],
    ['in parts', 'claims eyJzdWIiOiJhbGljZSJ9', 'claims <token>'],
    ['twice', `${jwt} ${jwt}`, '<token> <token>'],
  ])('are taken out %s', (_, text, clean) => {
    expect(secrets.isIn(text)).toBe(true)
    expect(secrets.redact(text)).toBe(clean)
  })

  it('leave other words alone', () => {
    expect(secrets.isIn('eyJhbGciOiJIUzI1')).toBe(false)
    expect(secrets.redact('no secret')).toBe('no secret')
  })

  it('are kept nowhere in RegExp', () => {
    secrets.redact(jwt)
    expect((RegExp as unknown as { $_: string }).$_).not.toContain('c2lnbmF0dXJl')
  })
})
