import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenInvalidError } from '../../../src/errors.ts'
import { AS_SUBPROTOCOL } from '../../../src/transmissions/token-rules.ts'
import type { Transmission } from '../../../src/transmissions/transmission.ts'
import { viaCookie } from '../../../src/transmissions/via-cookie.ts'
import { viaHeader } from '../../../src/transmissions/via-header.ts'
import { viaQuery } from '../../../src/transmissions/via-query.ts'
import { viaSubprotocol } from '../../../src/transmissions/via-subprotocol.ts'
import { handshake, JWT, quotes, textsOf, thrownBy } from './handshake.ts'

const WAYS: Record<string, Transmission> = {
  query: viaQuery(),
  pair: viaSubprotocol(),
  bearer: viaSubprotocol('bearer'),
  custom: viaSubprotocol((token) => ['jwt', `jwt.${token}`]),
  header: viaHeader(),
  cookie: viaCookie(),
}
const names = Object.keys(WAYS)
const carry = (way: string, token: string) => WAYS[way]?.carry(handshake(), token)

const TRAVELS_NOWHERE: [name: string, token: string, cause: string][] = [
  ['nothing in it', '', 'empty'],
  ['CR', `${JWT}\r`, 'control character'],
  ['LF at the end, as a file has', `${JWT}\n`, 'control character'],
  ['CRLF and a header', `${JWT}\r\nX-Admin: 1`, 'control character'],
  ['NUL', `${JWT}\0`, 'control character'],
  ['tab', `a\t${JWT}`, 'control character'],
  ['DEL', `${JWT}\x7f`, 'control character'],
]

/** Which ways refuse a token that others carry, and what their errors name. */
const TRAVELS_SOMEWHERE: [name: string, token: string, refusals: Record<string, string>][] = [
  ['a JWT', JWT, {}],
  ['one letter', 'x', {}],
  ['all of RFC 6750 without /', 'aZ09-._~+', {}],
  ['64 KiB', 'a.b-c_d~'.repeat(8192), {}],
  ['=', 'abc==', { pair: '"="', custom: 'bearer preset' }],
  ['/', 'ab/c', { pair: '"/"', custom: 'bearer preset' }],
  ['comma', 'token,abc', { pair: '","', custom: '","', cookie: 'comma' }],
  ['semicolon', 'a;b', { pair: 'bearer', custom: 'bearer', cookie: 'semicolon' }],
  ['quote', 'a"b', { pair: 'bearer', custom: 'bearer', cookie: 'quote' }],
  ['backslash', 'a\\b', { pair: 'bearer', custom: 'bearer', cookie: 'backslash' }],
  [
    'Bearer before it',
    `Bearer ${JWT}`,
    { pair: 'space', custom: 'space', header: 'no space: give it bare', cookie: 'space' },
  ],
  ['Latin-1', 'clé', { pair: 'bearer', custom: 'bearer', cookie: 'ASCII' }],
  ['C1 control', 'a\x85b', { pair: 'be', custom: 'be', header: 'Latin-1', cookie: 'ASCII' }],
  ['no-break space', 'a\xa0b', { pair: 'be', custom: 'be', header: 'Latin-1', cookie: 'ASCII' }],
  ['beyond Latin-1', '鍵🔑', { pair: 'be', custom: 'be', header: 'Latin-1', cookie: 'ASCII' }],
  [
    'half a surrogate pair',
    'a\ud800b',
    {
      query: 'surrogate',
      pair: 'bearer',
      bearer: 'surrogate',
      custom: 'surrogate',
      header: 'Latin-1',
      cookie: 'ASCII',
    },
  ],
]

describe.each(names)('via %s', (way) => {
  it.each(TRAVELS_NOWHERE)('refuses a token with %s', (_name, token, cause) => {
    const error = thrownBy(() => carry(way, token))
    expect(error).toBeInstanceOf(TokenInvalidError)
    expect(error.message).toContain(cause)
    expect(quotes(textsOf(error), token)).toBe(false)
  })

  it.each(TRAVELS_SOMEWHERE)('with %s', (_name, token, refusals) => {
    const refusal = refusals[way]
    if (refusal === undefined) {
      expect(() => carry(way, token)).not.toThrow()
      return
    }
    const error = thrownBy(() => carry(way, token))
    expect(error).toBeInstanceOf(TokenInvalidError)
    expect(error.message).toContain(refusal)
    expect(quotes(textsOf(error), token)).toBe(false)
  })

  it('never quotes a token in an error, whatever it holds', () => {
    // In capitals, or fast-check's favourites (`property`) would be found in the stack.
    const anything = fc
      .string({ unit: 'binary', minLength: 8, maxLength: 80 })
      .map((text) => text.toUpperCase())
    const nearlyRight = fc
      .tuple(fc.stringMatching(/^[A-Z0-9_.-]{12,40}$/), fc.constantFrom(...'\r\n\0 ,=/;"\\é鍵'))
      .map(([word, bad]) => word + bad)
    fc.assert(
      fc.property(fc.oneof(anything, nearlyRight), (token) => {
        try {
          carry(way, token)
        } catch (error) {
          expect(error).toBeInstanceOf(TokenInvalidError)
          if (error instanceof Error) expect(quotes(textsOf(error), token)).toBe(false)
        }
      }),
    )
  })

  it('changes one part of the handshake, and only in a copy', () => {
    const before = handshake({ protocols: ['chat'], headers: { Origin: 'https://host.example' } })
    const href = before.url.href
    const after = WAYS[way]?.carry(before, JWT)
    expect(before).toEqual(
      handshake({ protocols: ['chat'], headers: { Origin: 'https://host.example' } }),
    )
    const changed = [
      after?.url.href !== href,
      after?.protocols !== before.protocols,
      after?.headers !== before.headers,
    ]
    expect(changed.filter(Boolean)).toHaveLength(1)
  })

  it('leaves no token in what RegExp remembers', () => {
    ;/x/.exec('x')
    carry(way, JWT)
    thrownBy(() => carry(way, `${JWT}\n`))
    // The deprecated statics of RegExp: every script can read the last string that was matched.
    const remembered = ['$_', '$&', '$`', "$'", '$+', '$1'].map((name) => Reflect.get(RegExp, name))
    expect(remembered.some((text) => quotes(String(text), JWT))).toBe(false)
  })

  it('holds no token afterwards', () => {
    carry(way, JWT)
    expect(JSON.stringify(WAYS[way])).not.toContain(JWT)
  })
})

describe('an HTTP token', () => {
  const TCHARS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/
  it('is what RFC 9110 §5.6.2 says, for every code unit', () => {
    for (let code = 0; code <= 0xffff; code += 1) {
      const char = String.fromCharCode(code)
      expect(AS_SUBPROTOCOL.allows(code, char) === TCHARS.test(char), `code ${code}`).toBe(true)
    }
  })
})
