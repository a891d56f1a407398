import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { viaQuery } from '../../../src/transmissions/via-query.ts'
import { handshake, JWT } from './handshake.ts'

const hrefOf = (url: string, token = JWT, param = 'token') =>
  viaQuery({ param }).carry(handshake({ url: new URL(url) }), token).url.href

/** The article's middleware: `dict(qp.split("=") for qp in query.split("&") if "=" in qp)`, or nothing. */
function readByTheArticle(query: string): string | undefined {
  const pairs = query.split('&').filter((part) => part.includes('='))
  const split = pairs.map((part) => part.split('='))
  if (split.some((pair) => pair.length !== 2)) return undefined
  return split.filter(([name]) => name === 'token').at(-1)?.[1]
}

describe('viaQuery', () => {
  it.each([
    ['no query', 'ws://h/ws/', `ws://h/ws/?token=${JWT}`],
    ['an empty query', 'ws://h/ws/?', `ws://h/ws/?token=${JWT}`],
    ['other parameters', 'ws://h/ws/?v=1&w', `ws://h/ws/?v=1&w&token=${JWT}`],
    ['the same parameter', 'ws://h/?token=old&v=1', `ws://h/?v=1&token=${JWT}`],
    ['it twice', 'ws://h/?token=a&v=1&token=b', `ws://h/?v=1&token=${JWT}`],
    ['it without a value', 'ws://h/?token', `ws://h/?token=${JWT}`],
    ['it in escapes', 'ws://h/?%74oken=old', `ws://h/?token=${JWT}`],
    [
      'its name in another case, which is another one',
      'ws://h/?Token=x',
      `ws://h/?Token=x&token=${JWT}`,
    ],
    [
      'escapes elsewhere, kept as they are',
      'ws://h/?q=a%20b+c%2F',
      `ws://h/?q=a%20b+c%2F&token=${JWT}`,
    ],
    ['a broken escape elsewhere', 'ws://h/?q=%zz', `ws://h/?q=%zz&token=${JWT}`],
    [
      'a second = elsewhere, escaped',
      'ws://h/?next=a=b==',
      `ws://h/?next=a%3Db%3D%3D&token=${JWT}`,
    ],
    ['a name that begins with ?', 'ws://h/??token=1', `ws://h/??token=1&token=${JWT}`],
    ['empty parts', 'ws://h/?&&a=1&', `ws://h/?a=1&token=${JWT}`],
    ['__proto__ as a parameter', 'ws://h/?__proto__=1', `ws://h/?__proto__=1&token=${JWT}`],
  ])('into a URL with %s', (_name, url, expected) => {
    expect(hrefOf(url)).toBe(expected)
    expect(readByTheArticle(new URL(expected).search.slice(1))).toBe(JWT)
  })

  it.each([
    ['RFC 6750 b64token', 'aZ09-._~', 'aZ09-._~'],
    ['= and +', 'a+b/c==', 'a%2Bb%2Fc%3D%3D'],
    ['delimiters', 'a&b#c?d=e', 'a%26b%23c%3Fd%3De'],
    ['percent', '%41', '%2541'],
    ['space', 'a b', 'a%20b'],
    ['beyond ASCII', 'é🔑', '%C3%A9%F0%9F%94%91'],
  ])('escapes %s', (_name, token, escaped) => {
    expect(hrefOf('ws://h/', token)).toBe(`ws://h/?token=${escaped}`)
  })

  it('arrives as it was, beside any other query', () => {
    const anyText = fc.string({ unit: 'grapheme', minLength: 1 })
    const anyQuery = fc.array(fc.webQueryParameters(), { maxLength: 3 })
    fc.assert(
      fc.property(anyText, anyQuery, (token, parts) => {
        const url = new URL(hrefOf(`ws://h/ws/?${parts.join('&')}`, token))
        expect(url.searchParams.getAll('token')).toEqual([token])
        expect(url.pathname).toBe('/ws/')
        for (const part of url.search.slice(1).split('&')) {
          expect(part.split('=').length).toBeLessThan(3)
        }
      }),
    )
  })

  it('uses the given name, escaped', () => {
    expect(hrefOf('ws://h/?a%26b=1&token=2', 'x', 'a&b')).toBe('ws://h/?token=2&a%26b=x')
  })

  it('warns unless logging is accepted', () => {
    expect(viaQuery().warning).toContain('RFC 9700 §4.3.2')
    expect(viaQuery({ acceptLogging: false }).warning).toContain('acceptLogging: true')
    expect('warning' in viaQuery({ acceptLogging: true })).toBe(false)
  })

  it('works everywhere', () => {
    expect(viaQuery()).toMatchObject({ name: 'query', runtimes: 'any' })
  })
})
