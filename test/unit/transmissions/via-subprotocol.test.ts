import { describe, expect, it } from 'vitest'
import { TokenInvalidError } from '../../../src/errors.ts'
import {
  type SubprotocolFunction,
  type SubprotocolOptions,
  type SubprotocolPreset,
  viaSubprotocol,
} from '../../../src/transmissions/via-subprotocol.ts'
import { handshake, JWT, quotes, textsOf, thrownBy } from './handshake.ts'

type Given = SubprotocolOptions | SubprotocolPreset | SubprotocolFunction | undefined

const PREFIX = 'base64url.bearer.authorization.k8s.io.'
const encoded = PREFIX + Buffer.from(JWT).toString('base64url')
/** In plain base64, whatever the prefix says: that is what the server decodes. */
const phoenix = `base64url.bearer.phx.${Buffer.from(JWT).toString('base64').replaceAll('=', '')}`
const KERNEL = 'v1.kernel.websocket.jupyter.org'
const JUPYTER = 'v1.token.websocket.jupyter.org'
const JUPYTER_APP = 'my.app'
const offered = (given: Given, own: string[] = [], token = JWT) =>
  viaSubprotocol(given).carry(handshake({ protocols: own }), token).protocols

/** A function of the wrong type, as JavaScript writes it: so it is asserted to be right. */
const untyped = (value: unknown) => value as SubprotocolFunction

describe('viaSubprotocol', () => {
  it.each<[string, Given, string[], string[]]>([
    ['the pair by default', undefined, [], ['token', JWT]],
    ['the pair by name', 'pair', [], ['token', JWT]],
    ['the pair by option', { preset: 'pair' }, [], ['token', JWT]],
    ['the pair after the own ones', 'pair', ['a', 'b'], ['a', 'b', 'token', JWT]],
    ['the bearer behind an app', 'bearer', [], ['authed-socket', encoded]],
    ['the bearer behind a named app', { preset: 'bearer', app: 'chat' }, [], ['chat', encoded]],
    ['the bearer behind the own one', { preset: 'bearer', app: 'chat' }, ['v1'], ['v1', encoded]],
    ['a pair of another word', { preset: 'pair', word: 'bearer' }, [], ['bearer', JWT]],
    [
      'the same after the own ones',
      { preset: 'pair', word: 'Bearer' },
      ['v1'],
      ['v1', 'Bearer', JWT],
    ],
    [
      'Kubernetes beside the protocol of exec',
      { preset: 'kubernetes', app: 'v5.channel.k8s.io' },
      [],
      ['v5.channel.k8s.io', encoded],
    ],
    ['Kubernetes beside the own one', { preset: 'kubernetes', app: 'x' }, ['v1'], ['v1', encoded]],
    ['Phoenix', 'phoenix', [], ['phoenix', phoenix]],
    ['Phoenix beside the own one', { preset: 'phoenix' }, ['v1'], ['v1', 'phoenix', phoenix]],
    ['Phoenix where it is the own one', 'phoenix', ['phoenix'], ['phoenix', phoenix]],
    ['Jupyter', 'jupyter', [], [KERNEL, JUPYTER, `${JUPYTER}.${JWT}`]],
    [
      'Jupyter with other kernels',
      { preset: 'jupyter', app: 'k' },
      [],
      ['k', JUPYTER, `${JUPYTER}.${JWT}`],
    ],
    ['Jupyter beside the own one', 'jupyter', ['v1'], ['v1', JUPYTER, `${JUPYTER}.${JWT}`]],
    ['a custom shape', (token) => ['jwt', `jwt.${token}`], ['v1'], ['v1', 'jwt', `jwt.${JWT}`]],
  ])('offers %s', (_name, given, own, expected) => {
    expect(offered(given, own)).toEqual(expected)
  })

  it('carries every text as bearer', () => {
    const token = 'é鍵🔑=/,;'
    const word = offered('bearer', [], token)[1] ?? ''
    expect(Buffer.from(word.slice(PREFIX.length), 'base64url').toString()).toBe(token)
  })

  it('writes the examples of the published texts', () => {
    // kubernetes/kubernetes#47740; phoenix, assets/test/channel_test.js; JEP 121.
    expect(offered({ preset: 'kubernetes', app: 'base64.binary.k8s.io' }, [], 'mytoken')).toEqual([
      'base64.binary.k8s.io',
      'base64url.bearer.authorization.k8s.io.bXl0b2tlbg',
    ])
    expect(offered('phoenix', [], '1234')).toEqual(['phoenix', 'base64url.bearer.phx.MTIzNA'])
    expect(offered('jupyter', [JUPYTER_APP], 'abc123').slice(1)).toEqual([
      'v1.token.websocket.jupyter.org',
      'v1.token.websocket.jupyter.org.abc123',
    ])
  })

  it('carries every text for Jupyter, percent-encoded', () => {
    const token = "a (b)/é%,!'*=\u{1f511}"
    const word = offered('jupyter', [], token)[2] ?? ''
    expect(decodeURIComponent(word.slice(JUPYTER.length + 1))).toBe(token)
  })

  it('refuses for Phoenix what base64 would write with a slash', () => {
    expect(offered('phoenix', [], 'ab>')).toEqual(['phoenix', 'base64url.bearer.phx.YWI+'])
    const error = thrownBy(() => offered('phoenix', [], 'ab?'))
    expect(error).toBeInstanceOf(TokenInvalidError)
    expect(quotes(textsOf(error), 'YWI/', 4)).toBe(false)
  })

  it.each<Given>(['bearer', 'phoenix', 'jupyter', { preset: 'kubernetes', app: 'x' }])(
    'refuses a token that is empty or holds a line break (%j)',
    (given) => {
      for (const token of ['', `${JWT}\n`, '\ud800'])
        expect(() => offered(given, [], token)).toThrow(TokenInvalidError)
    },
  )

  it.each<[string, Given, string[], string]>([
    ['the word of the pair', 'pair', ['token'], JWT],
    ['it in another case', 'pair', ['Token'], JWT],
    ['a token that is the word', 'pair', [], 'token'],
    ['a custom word', (token) => ['v1', token], ['v1'], JWT],
    ['custom words', (token) => [token, token], [], JWT],
  ])('refuses to offer twice: %s', (_name, given, own, token) => {
    const error = thrownBy(() => offered(given, own, token))
    expect(error).toBeInstanceOf(TokenInvalidError)
    expect(error.message).toContain('twice')
    expect(quotes(textsOf(error), token)).toBe(false)
  })

  it.each<[string, unknown]>([
    ['a string', 'token,x'],
    ['nothing', undefined],
    ['null', null],
    ['a promise', Promise.resolve(['a'])],
    ['a number inside', ['a', 1]],
    ['undefined inside', [undefined, 'a']],
    ['an empty array', []],
  ])('refuses a function that returns %s', (_name, value) => {
    const error = thrownBy(() => offered(untyped(() => value)))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('array of strings')
  })

  it.each([
    ['an empty word', ''],
    ['the seed of the article', `token,${JWT}`],
    ['a line break', `${JWT}\n`],
  ])('refuses a function that gives %s', (_name, word) => {
    const error = thrownBy(() => offered(() => [word]))
    expect(error).toBeInstanceOf(TokenInvalidError)
    expect(quotes(textsOf(error), JWT)).toBe(false)
  })

  it('withholds what a function throws, as it may quote the token', () => {
    const error = thrownBy(() =>
      offered((token) => {
        throw new Error(`bad token ${token}`)
      }),
    )
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toContain('your function threw')
    expect(error.cause).toBeUndefined()
    expect(quotes(textsOf(error), JWT)).toBe(false)
  })
})
