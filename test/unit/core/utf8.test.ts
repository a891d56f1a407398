import fc from 'fast-check'
import { expect, it } from 'vitest'
import { utf8Size } from '../../../src/core/utf8.ts'

const encoded = (text: string) => new TextEncoder().encode(text).byteLength

it.each([
  '',
  'a',
  '\x7f\x80',
  '\u07ff\u0800',
  '€',
  '😀',
  '\ud800',
  '\udc00a',
  '\ud800\ud800\udc00',
  '\udc00\ud800',
])('tells the bytes of %j as an encoder does', (text) => expect(utf8Size(text)).toBe(encoded(text)))

it('tells those of any text', () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }))
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes)
      expect(utf8Size(text)).toBe(encoded(text))
    }),
  )
})
