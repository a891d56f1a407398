import { describe, expect, it } from 'vitest'
import {
  CLOSE_DEFAULTS,
  closeVerdict,
  isAmbiguousClose,
  isRestart,
  isSignInPage,
  isSilentClose,
  STATUS_DEFAULTS,
  statusVerdict,
  WRONG_ADDRESS,
} from '../../../src/core/policy.ts'
import { isVerdict, type Verdict } from '../../../src/core/verdict.ts'

const CODES = Array.from({ length: 65_536 }, (_, code) => code)
const STATUSES = Array.from({ length: 500 }, (_, index) => index + 100)
const NEW = { everConnected: false }
const KNOWN = { everConnected: true }
const WORDS = ['retry', 'reauthenticate', 'sign-in', 'stop', 'refuse-room'] as const

describe('the verdict of a close code', () => {
  it('is a verdict for each of the 65,536, by default and with any policy', () => {
    const policies = [
      undefined,
      {},
      { '0-65535': 'stop' } as const,
      { '-': 'stop', '-5': 'stop', 'a-b': 'stop', '9-': 'stop' } as const,
      () => undefined,
      () => 'stop' as const,
    ]
    for (const policy of policies)
      expect(CODES.filter((code) => !isVerdict(closeVerdict(code, '', policy)))).toEqual([])
  })

  it.each([
    [1008, 'reauthenticate'],
    [3000, 'reauthenticate'],
    [4003, 'reauthenticate'],
    [4401, 'reauthenticate'],
    [3003, 'refuse-room'],
    [4403, 'refuse-room'],
  ])('%d is %s, and all others are retry', (code, verdict) => {
    expect(closeVerdict(code, '', undefined)).toBe(verdict)
    const others = CODES.filter((other) => closeVerdict(other, '', undefined) !== 'retry')
    expect(others).toEqual(Object.keys(CLOSE_DEFAULTS).map(Number))
  })

  it.each<[number, Verdict, Verdict, Verdict]>([
    // code, before the answer to a first message, open, settled
    [1008, 'reauthenticate', 'reauthenticate', 'retry'],
    [3000, 'reauthenticate', 'reauthenticate', 'reauthenticate'],
    [4003, 'reauthenticate', 'reauthenticate', 'reauthenticate'],
    [4401, 'reauthenticate', 'reauthenticate', 'reauthenticate'],
    [3003, 'reauthenticate', 'refuse-room', 'refuse-room'],
    [4403, 'reauthenticate', 'refuse-room', 'refuse-room'],
    [4001, 'retry', 'retry', 'retry'],
    [4404, 'retry', 'retry', 'retry'],
    [1006, 'retry', 'retry', 'retry'],
  ])(
    '%d depends on how far the socket had come, and on nothing of the kind by policy',
    (code, ...by) => {
      const stages = ['unanswered', 'open', 'settled'] as const
      expect(stages.map((stage) => closeVerdict(code, '', undefined, stage))).toEqual(by)
      for (const stage of stages)
        for (const verdict of WORDS) {
          expect(closeVerdict(code, '', { [code]: verdict }, stage)).toBe(verdict)
          expect(closeVerdict(code, '', () => verdict, stage)).toBe(verdict)
          expect(closeVerdict(code, '', () => undefined, stage)).toBe(by[stages.indexOf(stage)])
        }
    },
  )

  it.each<[string, Record<string, Verdict>, number, Verdict]>([
    ['a code', { 4001: 'sign-in' }, 4001, 'sign-in'],
    ['the first of a range', { '4400-4499': 'stop' }, 4400, 'stop'],
    ['the last of a range', { '4400-4499': 'stop' }, 4499, 'stop'],
    ['one before the range', { '4400-4499': 'stop' }, 4399, 'retry'],
    ['one behind the range', { '4400-4499': 'stop' }, 4500, 'retry'],
    ['a code within a range', { '4400-4499': 'stop', 4404: 'retry' }, 4404, 'retry'],
    ['the first of two ranges', { '4000-4999': 'stop', '4000-4100': 'retry' }, 4050, 'stop'],
    ['a default that is replaced', { 4003: 'refuse-room' }, 4003, 'refuse-room'],
    ['a range over a default', { '4000-4999': { retryAfterMs: 7 } }, 4003, { retryAfterMs: 7 }],
  ])('by a record: %s', (_, policy, code, verdict) => {
    expect(closeVerdict(code, '', policy)).toEqual(verdict)
  })

  it('by a function sees the code and the reason, and may leave it to the defaults', () => {
    const policy = (code: number, reason: string) =>
      reason === 'banned' ? ('sign-in' as const) : code === 4100 ? ('stop' as const) : undefined
    expect(closeVerdict(4003, 'banned', policy)).toBe('sign-in')
    expect(closeVerdict(4100, '', policy)).toBe('stop')
    expect(closeVerdict(4003, '', policy)).toBe('reauthenticate')
  })

  it.each([
    ['a wrong word', 'reauth'],
    ['a boolean', true],
    ['null', null],
    ['no wait', {}],
    ['a wait that is no number', { retryAfterMs: '5' }],
    ['a wait of NaN', { retryAfterMs: Number.NaN }],
    ['a negative wait', { retryAfterMs: -1 }],
    ['an endless wait', { retryAfterMs: Number.POSITIVE_INFINITY }],
  ])('is left to the defaults where a policy says %s', (_, nonsense) => {
    const wrong = nonsense as never
    expect(closeVerdict(4003, '', () => wrong)).toBe('reauthenticate')
    expect(closeVerdict(4003, '', { 4003: wrong })).toBe('reauthenticate')
    expect(statusVerdict(401, NEW, () => wrong)).toBe('reauthenticate')
  })
})

describe('the verdict of an HTTP status', () => {
  it('is a verdict for each of them, before and after a connection, with advice and without', () => {
    for (const known of [NEW, KNOWN])
      for (const advice of [{}, { retryAfterMs: 0 }, { retryAfterMs: 9_000 }]) {
        const wrong = STATUSES.filter(
          (status) => !isVerdict(statusVerdict(status, { ...known, ...advice }, undefined)),
        )
        expect(wrong).toEqual([])
      }
  })

  it.each([
    [401, 'reauthenticate', 'reauthenticate'],
    [403, 'reauthenticate', 'reauthenticate'],
    [200, 'stop', 'retry'],
    [301, 'stop', 'retry'],
    [302, 'retry', 'retry'],
    [303, 'retry', 'retry'],
    [304, 'stop', 'retry'],
    [307, 'retry', 'retry'],
    [308, 'stop', 'retry'],
    [399, 'stop', 'retry'],
    [400, 'stop', 'retry'],
    [404, 'stop', 'retry'],
    [405, 'stop', 'retry'],
    [406, 'stop', 'retry'],
    [407, 'retry', 'retry'],
    [410, 'stop', 'retry'],
    [414, 'stop', 'retry'],
    [426, 'stop', 'retry'],
    [431, 'stop', 'retry'],
    [429, 'retry', 'retry'],
    [500, 'retry', 'retry'],
    [503, 'retry', 'retry'],
  ])('%d is %s where it never connected, and %s where it had', (status, before, after) => {
    expect(statusVerdict(status, NEW, undefined)).toBe(before)
    expect(statusVerdict(status, KNOWN, undefined)).toBe(after)
  })

  it.each<[number, boolean, Verdict]>([
    [503, false, { retryAfterMs: 9_000 }],
    [429, true, { retryAfterMs: 9_000 }],
    [404, true, { retryAfterMs: 9_000 }],
    [404, false, 'stop'],
    [401, false, 'reauthenticate'],
  ])('%d with Retry-After (connected before: %s)', (status, everConnected, verdict) => {
    expect(statusVerdict(status, { everConnected, retryAfterMs: 9_000 }, undefined)).toEqual(
      verdict,
    )
  })

  it('is what the policy of the user says first', () => {
    expect(statusVerdict(404, NEW, { '400-499': 'retry' })).toBe('retry')
    expect(statusVerdict(401, NEW, (status) => (status === 401 ? 'sign-in' : undefined))).toBe(
      'sign-in',
    )
    expect(statusVerdict(403, NEW, (status) => (status === 401 ? 'sign-in' : undefined))).toBe(
      'reauthenticate',
    )
  })
})

it('tables hold verdicts only', () => {
  const verdicts = [CLOSE_DEFAULTS, STATUS_DEFAULTS, WRONG_ADDRESS].flatMap((table) =>
    Object.values(table),
  )
  expect(verdicts.every(isVerdict)).toBe(true)
  expect(WORDS.every(isVerdict)).toBe(true)
})

it('four codes are silent, and two mean a restart', () => {
  expect(CODES.filter(isSilentClose)).toEqual([1000, 1005, 1006, 1011])
  expect(CODES.filter(isRestart)).toEqual([1012, 1013])
})

it('what may be about the token, and may not, are these codes and statuses', () => {
  const ranges = [3500, [4000, 4002], [4004, 4010], [4100, 4199]].flatMap((range) => {
    const [first, last] = typeof range === 'number' ? [range, range] : range
    return CODES.filter((code) => code >= (first ?? 0) && code <= (last ?? 0))
  })
  expect(CODES.filter(isAmbiguousClose)).toEqual(ranges)
  expect(STATUSES.filter(isSignInPage)).toEqual([302, 303, 307])
})
