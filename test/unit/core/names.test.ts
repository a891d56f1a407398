/** Whose frame it is, and whose machine. */
import { expect, it } from 'vitest'
import { type Identity, isSomebodyElse } from '../../../src/core/identity.ts'
import { isLoopback } from '../../../src/core/loopback.ts'

type Names = Omit<Identity, 'login' | 'since'>

const [ANN, BOB] = [['ann'], ['bob']]

it.each<[Names, Names, boolean]>([
  [{ token: ANN }, { token: ANN }, false],
  [{ token: ANN }, { token: BOB }, true],
  [{ welcome: 'ann' }, { welcome: 'bob' }, true],
  [{ token: ['7'] }, { welcome: 'ann' }, false],
  [{ token: ['7'], welcome: 'ann' }, { token: ['7'], welcome: 'bob' }, true],
  [{ token: ['7'], welcome: 'ann' }, { token: ['8'], welcome: 'ann' }, true],
  [{}, { token: ANN }, false],
  [{ token: ANN }, {}, false],
  [{ token: ['', 'x', 'ann'] }, { token: ['', 'x', undefined, '7'] }, false],
  [{ token: ['', 'x', 'ann'] }, { token: ['', 'y', 'ann'] }, true],
  [{ token: ['', 'x', ''] }, { token: ['', 'x', 'ann'] }, false],
])(
  'within one login %j and %j are different people: %s, whichever comes first',
  (one, other, differ) => {
    const login = { login: 1, since: 1 }
    expect(isSomebodyElse({ ...login, ...one }, { ...login, ...other })).toBe(differ)
    expect(isSomebodyElse({ ...login, ...other }, { ...login, ...one })).toBe(differ)
  },
)

it.each<[Names, Names]>([
  [{ token: ANN }, { token: ANN }],
  [{ welcome: 'ann' }, { welcome: 'ann' }],
  [{}, {}],
])('who came before the login since which it is somebody is another: %j and %j', (one, other) => {
  const isElse = (since: number) =>
    isSomebodyElse({ login: 1, since: 1, ...one }, { login: 2, since, ...other })
  expect([isElse(1), isElse(2)]).toEqual([false, true])
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
