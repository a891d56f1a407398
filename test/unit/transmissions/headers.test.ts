import { describe, expect, it } from 'vitest'
import { type CookieOptions, viaCookie } from '../../../src/transmissions/via-cookie.ts'
import { type HeaderOptions, viaHeader } from '../../../src/transmissions/via-header.ts'
import { handshake, JWT } from './handshake.ts'

type Headers = Record<string, string>

describe('viaHeader', () => {
  it.each<[string, HeaderOptions | undefined, Headers, Headers]>([
    ['by default', undefined, {}, { Authorization: `Bearer ${JWT}` }],
    ['with a scheme', { scheme: 'Token' }, {}, { Authorization: `Token ${JWT}` }],
    ['with a name, alone', { name: 'X-Token', scheme: '' }, {}, { 'X-Token': JWT }],
    [
      'beside others',
      {},
      { Origin: 'https://h', Cookie: 'a=1' },
      { Origin: 'https://h', Cookie: 'a=1', Authorization: `Bearer ${JWT}` },
    ],
    [
      'in place of the same one',
      {},
      { authorization: 'Basic x' },
      { Authorization: `Bearer ${JWT}` },
    ],
  ])('sends the token %s', (_name, options, before, after) => {
    const { headers } = viaHeader(options).carry(handshake({ headers: before }), JWT)
    expect(headers).toEqual(after)
  })

  it('makes a header even of __proto__, and changes no prototype', () => {
    const { headers } = viaHeader({ name: '__proto__' }).carry(handshake(), JWT)
    expect(Object.keys(headers)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
  })

  it('carries Latin-1', () => {
    const { headers } = viaHeader().carry(handshake(), 'cléÿ')
    expect(headers['Authorization']).toBe('Bearer cléÿ')
  })
})

describe('viaCookie', () => {
  it.each<[string, CookieOptions | undefined, Headers, Headers]>([
    ['by default', undefined, {}, { Cookie: `access_token=${JWT}` }],
    ['with a name', { name: '__Host-jwt' }, {}, { Cookie: `__Host-jwt=${JWT}` }],
    ['after others', {}, { Cookie: 'a=1; b=2' }, { Cookie: `a=1; b=2; access_token=${JWT}` }],
    ['whatever the spelling', {}, { cookie: 'a=1' }, { Cookie: `a=1; access_token=${JWT}` }],
    [
      'in place of the same ones',
      {},
      { Cookie: 'access_token=old; a=x=y;access_token = older ;' },
      { Cookie: `a=x=y; access_token=${JWT}` },
    ],
    ['after an empty one', {}, { Cookie: '' }, { Cookie: `access_token=${JWT}` }],
    [
      'beside one whose name only begins alike',
      {},
      { Cookie: 'access_token2=x; xaccess_token=y' },
      { Cookie: `access_token2=x; xaccess_token=y; access_token=${JWT}` },
    ],
  ])('sends the token %s', (_name, options, before, after) => {
    const { headers } = viaCookie(options).carry(handshake({ headers: before }), JWT)
    expect(headers).toEqual(after)
  })
})

it('both need Node', () => {
  expect([viaHeader().runtimes, viaCookie().runtimes]).toEqual(['node', 'node'])
})
