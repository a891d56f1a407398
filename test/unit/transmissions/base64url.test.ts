import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Url } from '../../../src/transmissions/base64url.ts'

const decode = (text: string) => Buffer.from(text, 'base64url').toString('utf8')

describe('base64Url', () => {
  it.each([
    ['', ''],
    ['f', 'Zg'],
    ['fo', 'Zm8'],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg'],
    ['fooba', 'Zm9vYmE'],
    ['foobar', 'Zm9vYmFy'],
    ['??>>', 'Pz8-Pg'],
    ['ÿÿÿ', 'w7_Dv8O_'],
    ['日本', '5pel5pys'],
    ['🔑', '8J-UkQ'],
  ])('encodes %j as RFC 4648 §10 does, without padding', (text, encoded) => {
    expect(base64Url(text)).toBe(encoded)
  })

  it('gives back every code point', () => {
    const blocks: string[] = []
    for (let start = 0; start <= 0x10ffff; start += 0x1000) {
      let block = ''
      for (let code = start; code < start + 0x1000; code += 1) {
        if (code < 0xd800 || code > 0xdfff) block += String.fromCodePoint(code)
      }
      blocks.push(block)
    }
    for (const block of blocks) expect(decode(base64Url(block)) === block).toBe(true)
  })

  it('gives back any text, in letters that a subprotocol can hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const encoded = base64Url(text)
        expect(encoded).toMatch(/^[A-Za-z0-9_-]*$/)
        expect(decode(encoded)).toBe(text)
      }),
    )
  })

  it('encodes a megabyte without overflowing the stack', () => {
    expect(base64Url('a'.repeat(2 ** 20))).toHaveLength(Math.ceil((2 ** 20 * 4) / 3))
  })
})
