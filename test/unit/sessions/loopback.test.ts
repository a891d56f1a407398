import { expect, it } from 'vitest'
import { isLoopback } from '../../../src/core/loopback.ts'

it.each([
  ['localhost', true],
  ['LOCALHOST', true],
  ['localhost.', true],
  ['api.localhost', true],
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['[::1]', true],
  ['notlocalhost', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['127.evil.example', false],
  ['127.0.0.256', false],
  ['127.0.0', false],
  ['127..0.1', false],
  ['128.0.0.1', false],
  ['10.0.0.1', false],
  ['0.0.0.0', false],
  ['[::2]', false],
  ['', false],
])('isLoopback(%j) is %j', (hostname, expected) => {
  expect(isLoopback(hostname)).toBe(expected)
})
