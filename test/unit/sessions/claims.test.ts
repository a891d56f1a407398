import { describe, expect, it } from 'vitest'
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
  ['a null exp', { exp: null }, {}],
  ['an object iat', { iat: {} }, {}],
  ['sub and user_id', { sub: 'u', user_id: 7 }, { sub: 'u', user_id: 7 }],
  ['empty and odd ids', { sub: '', user_id: [] }, {}],
])('%s', (_name, claims, expected) => {
  expect(readClaims(jwt(claims))).toEqual({ ...expected, raw: claims })
})

it('does not take an infinite number', () => {
  expect(readClaims(raw('{"exp":1e999}'))).toEqual({ raw: { exp: '1e999' } })
})

const BIG = '1234567890123456789'

it.each([
  ['a large number', `{"sub":${BIG}}`, { sub: BIG }],
  ['a negative one', `{"sub":-${BIG}}`, { sub: `-${BIG}` }],
  [
    'one behind space, and before more',
    `{"sub": ${BIG} ,"user_id":\n${BIG}\n}`,
    { sub: BIG, user_id: BIG },
  ],
  ['the largest safe integer', '{"sub":9007199254740991}', { sub: 9007199254740991 }],
  ['one above it', '{"sub":9007199254740992}', { sub: '9007199254740992' }],
  ['an exponent', '{"sub":1e21,"user_id":1E+3}', { sub: '1e21', user_id: 1000 }],
  ['a fraction', '{"sub":1.5,"user_id":1.0}', { sub: '1.5', user_id: 1 }],
  [
    'a fraction that is rounded away',
    '{"sub":1.00000000000000001}',
    { sub: '1.00000000000000001' },
  ],
  ['minus zero', '{"sub":-0}', { sub: -0 }],
  ['a key twice', `{"sub":1,"sub":${BIG}}`, { sub: BIG }],
  ['an escaped key', `{"s\\u0075b":${BIG}}`, { sub: BIG }],
  ['digits in a text', `{"sub":"a:${BIG},\\",${BIG}"}`, { sub: `a:${BIG},",${BIG}` }],
  ['a text that ends in a backslash', `{"a":"\\\\","sub":${BIG}}`, { sub: BIG }],
  ['digits as a key', `{"${BIG}":"${BIG}","sub":"Ægir"}`, { sub: 'Ægir' }],
])('keeps the digits of %s', (_, json, expected) => {
  const { raw: every, ...claims } = readClaims(raw(json)) ?? {}
  expect(claims).toEqual(expected)
  expect(every).toMatchObject(expected)
})

it('keeps the digits at any depth', () => {
  const json = `{"org":{"ids":[${BIG},7,{"id":${BIG}}],"sub":${BIG}},"lat":51.25,"sub":"ann"}`
  expect(readClaims(raw(json))).toEqual({
    sub: 'ann',
    raw: { org: { ids: [BIG, 7, { id: BIG }], sub: BIG }, lat: '51.25', sub: 'ann' },
  })
})

it.each([
  ['a text without an end', '{"sub":"ann'],
  ['many', `{"sub":"${'\\"'.repeat(20_000)}`],
  ['digits behind it', `{"sub":"ann,${BIG}}`],
])('has no claims, and takes no time, with %s', (_, json) => {
  expect(readClaims(raw(json))).toBeUndefined()
})

const FAR_S = 8.64e12

describe('a time of a token', () => {
  it.each<[string, unknown, number | undefined]>([
    ['is a number of seconds', 1_700_000_000, 1_700_000_000],
    ['may have a fraction', 1_700_000_000.25, 1_700_000_000.25],
    ['may be zero', 0, 0],
    ['may lie before 1970', -5, -5],
    ['may be in ms by mistake: an end that nobody waits for', 1_700_000_000_000, 1_700_000_000_000],
    ['may be as far as a Date reaches', FAR_S, FAR_S],
    ['is none beyond that', FAR_S + 1, undefined],
    ['is none beyond that, before 1970 too', -FAR_S - 1, undefined],
    ['is none where it is absurd', 1e308, undefined],
    ['is read from text', '1700000000', 1_700_000_000],
    ['is read from text with a fraction', '1700000000.25', 1_700_000_000.25],
    ['is read from text with spaces around it', ' 1700000000\n', 1_700_000_000],
    ['is read from text before 1970', '-5', -5],
    ['is none in empty text', '', undefined],
    ['is none in blank text', '  ', undefined],
    ['is none in words', 'tomorrow', undefined],
    ['is none in a date', '2030-01-01T00:00:00Z', undefined],
    ['is none in text that is absurd', '1e308', undefined],
    ['is none in text that names no number', 'Infinity', undefined],
    ['is none where it is null', null, undefined],
    ['is none where it is true', true, undefined],
    ['is none in a list', [1_700_000_000], undefined],
    ['is none in an object', { value: 1_700_000_000 }, undefined],
  ])('%s', (_, claim, expected) => {
    const claims = readClaims(jwt({ exp: claim, iat: claim }))
    expect([claims?.exp, claims?.iat]).toEqual([expected, expected])
  })
})

describe('a token of some length', () => {
  const ofLength = (length: number): string => {
    const bare = jwt({ sub: 'alice', exp: 20 })
    return `${bare}${'x'.repeat(length - bare.length)}`
  }

  it.each([
    ['of 4 KiB', 4_096, 20],
    ['of 64 KiB', 65_536, 20],
    ['of more', 65_537, undefined],
    ['of 10 MB', 10_000_000, undefined],
  ])('%s is read, or is opaque', (_, length, exp) => {
    expect(readClaims(ofLength(length))?.exp).toBe(exp)
  })
})
