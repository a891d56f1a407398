import { describe, expect, it } from 'vitest'
import { cookieSession, fixedToken, multiplexed, roomPerSocket } from '../../../src/index.ts'
import { make, making, RIGHT, SECRET, thrownBy } from './making.ts'

/** One value of every kind. Those that an option may have are taken out by its row. */
const KINDS: Record<string, unknown> = {
  null: null,
  'an empty string': '',
  'a string': SECRET,
  'a number': 8_675_309,
  NaN: Number.NaN,
  'a negative number': -8_675_309,
  Infinity: Number.POSITIVE_INFINITY,
  zero: 0,
  'a bigint': 8_675_309n,
  true: true,
  'an object': { secret: SECRET },
  'an array': [SECRET, 8_675_309],
  'a function': () => SECRET,
  'a symbol': Symbol(SECRET),
  'a date': new Date(8_675_309),
}

const NUMBERS = ['a number', 'NaN', 'a negative number', 'Infinity', 'zero']
const OBJECTS = ['an object', 'a date']

/** Which kinds an option may have; numbers that are out of its range are listed where they are wrong. */
const OPTIONS: Record<string, { may: string[]; range?: true }> = {
  url: { may: ['a string', 'a function'] },
  auth: { may: ['a function'] },
  transmission: { may: [] },
  protocol: { may: [] },
  isRefused: { may: ['a function'] },
  identify: { may: ['a function'] },
  origins: { may: [] },
  allowInsecure: { may: ['true'] },
  WebSocket: { may: ['a function'] },
  webSocketOptions: { may: OBJECTS },
  fetch: { may: ['a function'] },
  closePolicy: { may: ['a function'] },
  statusPolicy: { may: ['a function'] },
  retry: { may: ['a date'] },
  settleMs: { may: ['a number'], range: true },
  connectTimeoutMs: { may: ['a number'], range: true },
  tokenTimeoutMs: { may: ['a number'], range: true },
  requestTimeoutMs: { may: ['a number'], range: true },
  renewal: { may: [] },
  closeAtExpiry: { may: ['true'] },
  probe: { may: ['a string', 'a function'] },
  outbox: { may: ['a date'] },
  logger: { may: [] },
}
/** Where policies are checked, an object of anything but verdicts is wrong; a date is an empty one. */
const LENIENT: Record<string, string[]> = {
  closePolicy: ['a date'],
  statusPolicy: ['a date'],
}

const WRONG = Object.entries(OPTIONS).flatMap(([option, { may, range }]) =>
  Object.keys(KINDS)
    .filter((kind) => !may.includes(kind) && !LENIENT[option]?.includes(kind))
    .map((kind) => ({
      option,
      kind,
      Misuse: range && NUMBERS.includes(kind) ? RangeError : TypeError,
    })),
)

const PARTS = [
  ...['scale'].map((part) => ({ option: 'retry', part })),
  ...['count', 'bytes'].map((part) => ({ option: 'outbox', part })),
].flatMap(({ option, part }) =>
  Object.keys(KINDS)
    .filter((kind) => kind !== 'a number' && !(option === 'outbox' && kind === 'zero'))
    .map((kind) => ({
      option,
      part,
      kind,
      Misuse: NUMBERS.includes(kind) ? RangeError : TypeError,
    })),
)

const expectMisuse = (error: Error, Misuse: typeof Error, names: string) => {
  expect(error.constructor).toBe(Misuse)
  expect(error.message).toContain(names)
  const shown = [error.message, error.stack, String(error.cause)].join('\n')
  expect(shown).not.toContain(SECRET)
  expect(error.message).not.toContain('8675309')
}

describe('a wrong option', () => {
  it.each(WRONG)('$option: $kind is a $Misuse.name that names it', ({ option, kind, Misuse }) => {
    expectMisuse(thrownBy(making({ [option]: KINDS[kind] })), Misuse, option)
  })

  it.each(PARTS)('$option.$part: $kind is misuse', ({ option, part, kind, Misuse }) => {
    const error = thrownBy(making({ [option]: { [part]: KINDS[kind] } }))
    expectMisuse(error, Misuse, `${option}: ${part}`)
  })

  it.each([
    ['settleMs', 0.5],
    ['settleMs', 2 ** 31],
    ['connectTimeoutMs', 2 ** 31],
    ['tokenTimeoutMs', 2 ** 31],
    ['requestTimeoutMs', 2 ** 31],
  ])('%s: %d is out of range', (option, value) => {
    expectMisuse(thrownBy(making({ [option]: value })), RangeError, option)
  })

  it.each([0.0009, 100.1])('retry.scale: %d is out of range', (scale) => {
    expectMisuse(thrownBy(making({ retry: { scale } })), RangeError, 'retry: scale')
  })

  it.each([
    ['retry', { scal: 1 }, "retry has no option 'scal'"],
    ['outbox', { size: 1 }, "outbox has no option 'size'"],
  ])('%s: an unknown part is named', (option, value, says) => {
    expectMisuse(thrownBy(making({ [option]: value })), TypeError, says)
  })

  it.each([
    [['not an origin']],
    [['wss://']],
    [['ws:// host']],
    [['wss://good.example', '']],
    [['wss://good.example', null]],
  ])('origins: %j is refused before the first dial', (origins) => {
    expectMisuse(thrownBy(making({ origins })), TypeError, 'origins')
  })

  it.each([
    ['closePolicy', { 4003: 'reauthentication' }],
    ['closePolicy', { 4003: null }],
    ['closePolicy', { 4003: { retryAfterMs: -1 } }],
    ['closePolicy', { 4003: { retryAfterMs: 'soon' } }],
    ['closePolicy', { four: 'stop' }],
    ['closePolicy', { '4400-': 'stop' }],
    ['statusPolicy', { 401: true }],
    ['statusPolicy', { 401: 'retry-later' }],
  ])('%s: %j is refused before the first dial', (option, policy) => {
    expectMisuse(thrownBy(making({ [option]: policy })), TypeError, option)
  })

  it.each(['url', 'auth', 'transmission', 'protocol'])('%s must not be missing', (option) => {
    const { [option]: _, ...rest }: Record<string, unknown> = RIGHT
    expectMisuse(
      thrownBy(() => make(rest)),
      TypeError,
      option,
    )
    expectMisuse(thrownBy(making({ [option]: undefined })), TypeError, option)
  })

  it.each(Object.keys(KINDS).filter((kind) => !OBJECTS.includes(kind)))(
    'the options themselves: %s is misuse',
    (kind) => {
      expectMisuse(
        thrownBy(() => make(KINDS[kind])),
        TypeError,
        'AuthedSocket',
      )
    },
  )

  it('no options at all is misuse', () => {
    expectMisuse(
      thrownBy(() => make(undefined)),
      TypeError,
      'AuthedSocket',
    )
  })

  it.each(['token', 'protocols', 'URL', 'websocket', 'constructor', 'toString', '__proto__'])(
    'the unknown option %s is named, with those that exist',
    (name) => {
      const options = Object.defineProperty({ ...RIGHT }, name, { value: SECRET, enumerable: true })
      const error = thrownBy(() => make(options))
      expectMisuse(error, TypeError, `no option '${name}'`)
      expect(error.message).toContain('webSocketOptions')
    },
  )

  it.each([{ carry: SECRET }, { carry: null }])(
    'a transmission that cannot carry is misuse (%j)',
    (transmission) => {
      expectMisuse(thrownBy(making({ transmission })), TypeError, 'transmission')
    },
  )

  it.each([{ codec: SECRET }, { codec: () => {} }, { rooms: {}, codec: () => {} }])(
    'half a protocol is misuse (%o)',
    (protocol) => {
      expectMisuse(thrownBy(making({ protocol })), TypeError, 'protocol')
    },
  )

  it('half a logger is misuse', () => {
    expectMisuse(thrownBy(making({ logger: { debug: () => {} } })), TypeError, 'logger')
  })
})

describe('a right option', () => {
  it.each([
    { url: new URL('wss://host.example/') },
    { url: () => 'wss://host.example/' },
    { auth: fixedToken(SECRET) },
    { auth: async () => SECRET },
    { protocol: multiplexed() },
    { protocol: roomPerSocket(), url: 'wss://chat.example/{room}' },
    { origins: [] },
    { origins: ['wss://other.example', 'https://third.example:8443'] },
    { allowInsecure: true },
    { allowInsecure: false },
    { WebSocket: class {} },
    { webSocketOptions: { origin: 'https://app.example', headers: {} } },
    { closePolicy: { 4001: 'sign-in', '4400-4499': 'stop', 4500: { retryAfterMs: 0 } } },
    { closePolicy: () => undefined },
    { statusPolicy: { 401: 'reauthenticate', '500-599': { retryAfterMs: 1_000 } } },
    { retry: {} },
    { retry: { scale: 0.001 } },
    { retry: { scale: 100 } },
    { settleMs: 1 },
    { settleMs: 2 ** 31 - 1 },
    { probe: '/whoami' },
    { probe: async () => 'accepted' },
    { outbox: { count: 0, bytes: 0 } },
    { logger: console },
    { settleMs: undefined, retry: undefined, logger: undefined, origins: undefined },
  ])('%o is taken', (changes) => {
    expect(making(changes)().state).toBe('idle')
  })
})

describe('the session and the transmission', () => {
  it('a cookie session takes no transmission', () => {
    const error = thrownBy(making({ auth: cookieSession({ cookie: `sessionid=${SECRET}` }) }))
    expectMisuse(error, TypeError, 'transmission')
  })

  it('a cookie session needs none', () => {
    const { transmission: _, ...rest } = RIGHT
    expect(make({ ...rest, auth: cookieSession({ cookie: `sessionid=${SECRET}` }) }).state).toBe(
      'idle',
    )
  })
})
