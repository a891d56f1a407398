import { expect, it } from 'vitest'
import { readClaims } from '../../../src/sessions/claims.ts'
import { jwt } from './support.ts'

const raw = (json: string) => `e30.${Buffer.from(json).toString('base64url')}.x`

it.each([
  ['opaque', 'abcdef'],
  ['empty', ''],
  ['two dots and nothing', '..'],
  ['broken base64', 'a.%%%.c'],
  ['broken JSON', raw('{"exp":')],
  ['null', raw('null')],
  ['an array', raw('[1]')],
  ['a number', raw('42')],
  ['a string', raw('"x"')],
])('%s has no claims', (_name, token) => {
  expect(readClaims(token)).toBeUndefined()
})

it.each([
  ['both', { exp: 20, iat: 10 }, { exp: 20, iat: 10 }],
  ['a string exp', { exp: '20' }, {}],
  ['a null exp', { exp: null }, {}],
  ['an object iat', { iat: {} }, {}],
  ['sub and user_id', { sub: 'u', user_id: 7 }, { sub: 'u', user_id: 7 }],
  ['empty and odd ids', { sub: '', user_id: [] }, {}],
])('%s', (_name, claims, expected) => {
  expect(readClaims(jwt(claims))).toEqual({ ...expected, raw: claims })
})

it('does not take an infinite number', () => {
  expect(readClaims(raw('{"exp":1e999}'))).toEqual({ raw: { exp: Number.POSITIVE_INFINITY } })
})
