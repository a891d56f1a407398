/** Whose frame it is, and whose machine. */
import { expect, it } from 'vitest'
import { type Identity, isSomebodyElse } from '../../../src/core/identity.ts'
import { isLoopback } from '../../../src/core/loopback.ts'

type Names = Omit<Identity, 'login'>

it.each<[Names, Names, boolean]>([
  [{ token: 'ann' }, { token: 'ann' }, false],
  [{ token: 'ann' }, { token: 'bob' }, true],
  [{ welcome: 'ann' }, { welcome: 'bob' }, true],
  [{ token: '7' }, { welcome: 'ann' }, false],
  [{ token: '7', welcome: 'ann' }, { token: '7', welcome: 'bob' }, true],
  [{ token: '7', welcome: 'ann' }, { token: '8', welcome: 'ann' }, true],
  [{}, { token: 'ann' }, false],
  [{ token: 'ann' }, {}, false],
])('%j and %j are different people: %s, whichever comes first', (one, other, differ) => {
  expect(isSomebodyElse({ login: 1, ...one }, { login: 1, ...other })).toBe(differ)
  expect(isSomebodyElse({ login: 1, ...other }, { login: 1, ...one })).toBe(differ)
})

it.each<[Names, Names, boolean]>([
  [{ token: 'ann' }, { token: 'ann' }, false],
  [{ token: 'ann', welcome: 'a' }, { welcome: 'a' }, false],
  [{ token: 'ann', welcome: 'a' }, { token: 'ann', welcome: 'b' }, true],
  [{}, {}, true],
  [{ token: 'ann' }, {}, true],
  [{ token: 'ann' }, { welcome: 'ann' }, true],
])('%j and %j, with a login between, are different people: %s', (one, other, differ) => {
  expect(isSomebodyElse({ login: 1, ...one }, { login: 2, ...other })).toBe(differ)
})

it.each([
  ...['localhost', 'LOCALHOST', 'localhost.', 'app.localhost', 'a.b.localhost.', '[::1]'],
  ...['127.0.0.1', '127.255.255.254', '127.0.0.1.'],
])('%s never leaves the machine', (host) => {
  expect(isLoopback(host)).toBe(true)
})

it.each([
  ...['', 'example.com', 'localhost.example.com', 'notlocalhost', 'localhost..', '::1', '[::]'],
  ...[
    '128.0.0.1',
    '127.0.0',
    '127.0.0.0.1',
    '127.0.0.256',
    '127.0.0.1a',
    '127..0.1',
    '127.0.0.0001',
  ],
  ...['127.evil.com', '127.0.0.evil', '0.0.0.0', '[::ffff:127.0.0.1]', '10.0.0.1', '127.0.0.-1'],
])('%j may be another machine', (host) => {
  expect(isLoopback(host)).toBe(false)
})
