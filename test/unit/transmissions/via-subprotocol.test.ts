import { describe, expect, it } from 'vitest'
import { TokenInvalidError } from '../../../src/errors.ts'
import {
  type SubprotocolFunction,
  type SubprotocolOptions,
  viaSubprotocol,
} from '../../../src/transmissions/via-subprotocol.ts'
import { handshake, JWT, quotes, textsOf, thrownBy } from './handshake.ts'

type Given = SubprotocolOptions | SubprotocolOptions['preset'] | SubprotocolFunction | undefined

const PREFIX = 'base64url.bearer.authorization.k8s.io.'
const encoded = PREFIX + Buffer.from(JWT).toString('base64url')
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
    ['a custom shape', (token) => ['jwt', `jwt.${token}`], ['v1'], ['v1', 'jwt', `jwt.${JWT}`]],
  ])('offers %s', (_name, given, own, expected) => {
    expect(offered(given, own)).toEqual(expected)
  })

  it('carries every text as bearer', () => {
    const token = 'é鍵🔑=/,;'
    const word = offered('bearer', [], token)[1] ?? ''
    expect(Buffer.from(word.slice(PREFIX.length), 'base64url').toString()).toBe(token)
  })

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
