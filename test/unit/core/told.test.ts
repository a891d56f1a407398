import { describe, expect, it } from 'vitest'
import { told } from '../../../src/core/told.ts'

const PASSWORD = 'correct-horse'
const TOKEN = 'b3BhcXVl.dG9rZW4tb2YtYWxpY2U'
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln'

const cases: Array<[string, string, string]> = [
  ['what says nothing secret', 'No active account found.', 'No active account found.'],
  ['a code', 'email_address_not_confirmed_for_user', 'email_address_not_confirmed_for_user'],
  ['a URL', 'See https://auth.example/help', 'See https://auth.example/help'],
  [
    'the name of a class',
    'org.spring.BadCredentialsException: bad',
    'org.spring.BadCredentialsException: bad',
  ],
  [
    'a language without spaces',
    '用户名或密码错误请在30分钟后再试或联系管理员',
    '用户名或密码错误请在30分钟后再试或联系管理员',
  ],
  ['what was sent', `wrong: ${PASSWORD}`, 'wrong: …'],
  ['what was sent, twice and in quotes', `'${PASSWORD}' ("${PASSWORD}")`, `'…' ("…")`],
  ['a passphrase', 'no: my own words', 'no: …'],
  ['one with the letters of another alphabet', 'no: пароль!', 'no: …!'],
  ['a part of a token', `unknown ${TOKEN.slice(5, 20)}`, 'unknown …'],
  ['a token broken by controls', `no ${TOKEN.slice(0, 9)}\u0000${TOKEN.slice(9)}`, 'no …'],
  ['a token broken by lines', `no ${TOKEN.slice(0, 12)}\n${TOKEN.slice(12)}`, 'no … …'],
  ['a short secret', 'code x7 or', 'code … or'],
  ['not where it is part of a word', 'box72 x7y', 'box72 x7y'],
  ['a JWT that was not sent', `got ${JWT}`, 'got …'],
  ['one in a text of another alphabet', `令牌${JWT}无效`, '令牌…无效'],
  ['an id', 'trace 7f9c24e8b2a14d0f93aa', 'trace …'],
  ['controls', 'a\u0000b\u001b[31mc\u0085d\u007fe', 'ab[31mcde'],
  ['lines', 'one\ntwo', 'one two'],
]

describe('a text from outside', () => {
  it.each(cases)('%s', (_name, text, shown) => {
    expect(told(text, [PASSWORD, TOKEN, 'x7', 'my own words', 'пароль', ''], 100)).toBe(shown)
  })

  it('is cut between characters', () => {
    expect(told('ab '.repeat(100), [], 10)).toBe('ab ab ab …')
    expect(told('𝄞'.repeat(20), [], 4)).toBe('𝄞𝄞𝄞…')
    expect(told('1234', [], 4)).toBe('1234')
  })

  it('does not end within what was sent', () => {
    for (let length = 1_980; length < 2_010; length++)
      expect(told(`${'x '.repeat(length / 2)}${TOKEN}`, [TOKEN], 3_000)).not.toContain(
        TOKEN.slice(0, 9),
      )
  })
})
