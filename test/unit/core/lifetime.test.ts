import { describe, expect, it } from 'vitest'
import {
  type Credential,
  cameExpired,
  expiresAt,
  isExpired,
  isExpiry,
  taken,
} from '../../../src/core/credential.ts'
import {
  expiryToleranceMs,
  type Life,
  type LifetimeHints,
  lifeOf,
  lifetimeMs,
} from '../../../src/core/lifetime.ts'

const NOW_S = 1_800_000_000
const NOW = NOW_S * 1_000
const MINUTE = 60
const HOUR = 3_600

describe('the life of a token', () => {
  it.each<[string, Omit<LifetimeHints, 'receivedAt'>, number | undefined]>([
    ['is what expiresIn says', { expiresInMs: 30_000 }, 30_000],
    [
      'is what expiresIn says, whatever else is known',
      { expiresInMs: 1, expiresAt: NOW + 9, exp: 1, iat: 0 },
      1,
    ],
    ['is zero where expiresIn is', { expiresInMs: 0 }, 0],
    ['lasts until expiresAt', { expiresAt: NOW + 5_000 }, 5_000],
    ['is over where expiresAt lies in the past', { expiresAt: NOW - 1 }, -1],
    ['is unknown without any hint', {}, undefined],
    ['is exp - now without iat', { exp: NOW_S + HOUR }, 3_600_000],
    ['is exp - now without iat, for a fresh one too', { exp: NOW_S + 1, fresh: true }, 1_000],
    ['is over without iat where exp is past', { exp: NOW_S - 1 }, -1_000],
    ['is over without iat where exp lies before 1970', { exp: -5 }, (-5 - NOW_S) * 1_000],
    ['is unknown without exp', { iat: NOW_S }, undefined],
    ['is exp - now where the clock lies within it', { iat: NOW_S - 60, exp: NOW_S + 240 }, 240_000],
    ['is exp - now at its first moment', { iat: NOW_S, exp: NOW_S + 300 }, 300_000],
    [
      'counts from now in its last quarter, where it may be an old one',
      { iat: NOW_S - 299, exp: NOW_S + 1 },
      1_000,
    ],
    [
      'counts from its receipt in its last quarter, where it is fresh: the clock is ahead',
      { iat: NOW_S - 299, exp: NOW_S + 1, fresh: true },
      300_000,
    ],
    [
      'counts from now before its last quarter, also where it is fresh',
      { iat: NOW_S - 225, exp: NOW_S + 75, fresh: true },
      75_000,
    ],
    ['is over at its last moment', { iat: NOW_S - 300, exp: NOW_S }, 0],
    ['counts in fractions', { iat: NOW_S - 0.5, exp: NOW_S + 1.25 }, 1_250],
    ['is none where exp equals iat', { iat: 0, exp: 0 }, 0],
    ['is exp - now where iat is in ms', { iat: NOW, exp: NOW_S + 900 }, 900_000],
    ['is exp - now where iat is in ms, and exp is past', { iat: NOW, exp: NOW_S - 9 }, -9_000],
    [
      'is exp - now where iat is a local time, 5:30 h ahead',
      { iat: NOW_S + 19_800, exp: NOW_S + 900 },
      900_000,
    ],
    [
      'is exp - now where iat is a second later than exp',
      { iat: NOW_S + 31, exp: NOW_S + 30 },
      30_000,
    ],
    ['is exp - iat where iat is a second earlier', { iat: NOW_S + 29, exp: NOW_S + 30 }, 1_000],
    ['in ms without iat is longer than anybody waits', { exp: NOW }, (NOW - NOW_S) * 1_000],
    ['of a negative iat and exp is their difference', { iat: -200, exp: -100 }, 100_000],
    [
      'in ms by mistake is long, and no error',
      { iat: NOW, exp: NOW + HOUR * 1_000 },
      HOUR * 1_000_000,
    ],
    [
      'with exp alone in ms is longer than anybody waits',
      { iat: NOW_S, exp: NOW },
      (NOW - NOW_S) * 1_000,
    ],
    ['up to 2^53 is a finite number', { iat: NOW_S, exp: 2 ** 53 }, (2 ** 53 - NOW_S) * 1_000],
  ])('%s', (_, hints, expected) => {
    expect(lifetimeMs({ ...hints, receivedAt: NOW })).toBe(expected)
  })

  it.each(
    [10 * MINUTE, -10 * MINUTE, 24 * HOUR, -24 * HOUR].flatMap(
      (skew): [number, number, number][] => [
        [skew, 5 * MINUTE, 5 * MINUTE],
        // Ten minutes off lie within an hour: then it ends early by as much, and is renewed early.
        [skew, HOUR, skew === 10 * MINUTE ? 50 * MINUTE : HOUR],
        [skew, 4, 4],
      ],
    ),
  )('with a clock that is off by %d s, of %d s, is taken as %d s', (skew, life, expected) => {
    const receivedAt = NOW + skew * 1_000
    expect(lifetimeMs({ iat: NOW_S, exp: NOW_S + life, receivedAt })).toBe(expected * 1_000)
  })
})

describe('the end of a token', () => {
  const claimedExpiry = (NOW_S + 240) * 1_000
  const past = (NOW_S - 5) * 1_000
  it.each<[string, Omit<LifetimeHints, 'receivedAt'>, Life]>([
    ['is unknown without a hint', {}, {}],
    ['is unknown with iat alone', { iat: NOW_S }, {}],
    ['is what is told', { expiresInMs: 9, exp: NOW_S + 240 }, { lifetimeMs: 9 }],
    ['is what is told, and over', { expiresInMs: 0, exp: NOW_S + 240 }, { lifetimeMs: 0 }],
    ['is the instant that is told', { expiresAt: NOW + 9, exp: 1 }, { lifetimeMs: 9 }],
    ['is borne out by iat', { iat: NOW_S - 60, exp: NOW_S + 240 }, { lifetimeMs: 240_000 }],
    ['is claimed without iat', { exp: NOW_S + 240 }, { lifetimeMs: 240_000, claimedExpiry }],
    [
      'is claimed where iat is later',
      { iat: NOW, exp: NOW_S + 240 },
      { lifetimeMs: 240_000, claimedExpiry },
    ],
    [
      'is claimed where iat says the same',
      { iat: NOW_S + 240, exp: NOW_S + 240 },
      { lifetimeMs: 240_000, claimedExpiry },
    ],
    [
      'is claimed beside a life that counts from the receipt, where the clock is slow',
      { iat: NOW_S + 60, exp: NOW_S + 240 },
      { lifetimeMs: 180_000, claimedExpiry },
    ],
    [
      'is claimed beside a life that counts from the receipt, where iat is 8 h early and it is fresh',
      { iat: NOW_S - 28_800, exp: NOW_S + 240, fresh: true },
      { lifetimeMs: 29_040_000, claimedExpiry },
    ],
    [
      'is claimed beside a life that counts from the receipt, where exp is past',
      { iat: NOW_S - 65, exp: NOW_S - 5 },
      { lifetimeMs: 60_000, claimedExpiry: past },
    ],
    ['is claimed alone where exp is past', { exp: NOW_S - 5 }, { claimedExpiry: past }],
    ['is claimed alone where exp is now', { exp: NOW_S }, { claimedExpiry: NOW }],
    [
      'is claimed alone where exp is now, and iat bears it out',
      { iat: NOW_S - 60, exp: NOW_S },
      { claimedExpiry: NOW },
    ],
    ['is claimed alone where exp lies before 1970', { exp: -5 }, { claimedExpiry: -5_000 }],
  ])('%s', (_, hints, expected) => {
    expect(lifeOf({ ...hints, receivedAt: NOW })).toEqual(expected)
  })

  it.each<[string, Omit<LifetimeHints, 'receivedAt'>, boolean]>([
    ['exp is past', { exp: NOW_S - 5 }, true],
    ['exp is past, with iat', { iat: NOW_S - 65, exp: NOW_S - 5 }, true],
    ['exp is now', { exp: NOW_S }, true],
    ['exp is a second away', { exp: NOW_S + 1 }, false],
    ['its life is told, and exp is past', { expiresInMs: 1, exp: NOW_S - 5 }, false],
    ['nothing is known', {}, false],
  ])('had come by our clock, or not, where %s', (_, hints, expected) => {
    const credential = { id: 1, receivedAt: NOW, ...lifeOf({ ...hints, receivedAt: NOW }) }
    expect(cameExpired(credential)).toBe(expected)
    expect(isExpiry(credential, NOW)).toBe(expected)
    expect(isExpired(credential, NOW)).toBe(false)
    expect(cameExpired(taken(credential))).toBe(false)
    expect(isExpiry(taken(credential), NOW)).toBe(false)
  })
})

const credential = (lifetime: number | undefined): Credential => ({
  id: 1,
  receivedAt: NOW,
  ...(lifetime !== undefined && { lifetimeMs: lifetime }),
})

describe('a credential', () => {
  it.each<[string, number | undefined, number, boolean]>([
    ['is good before its expiry', 1_000, 999, false],
    ['has expired at its expiry', 1_000, 1_000, true],
    ['has expired from the start with a life of 0', 0, 0, true],
    ['never expires where no expiry is known', undefined, 1e15, false],
  ])('%s', (_, lifetime, after, expected) => {
    expect(isExpired(credential(lifetime), NOW + after)).toBe(expected)
    expect(expiresAt(credential(lifetime))).toBe(
      lifetime === undefined ? undefined : NOW + lifetime,
    )
  })

  it.each<[string, number | undefined, number, boolean]>([
    ['of an hour, 5 s before its expiry', HOUR * 1_000, HOUR * 1_000 - 5_000, true],
    ['of an hour, more than 5 s before', HOUR * 1_000, HOUR * 1_000 - 5_001, false],
    ['of 4 s, a quarter before its expiry', 4_000, 3_000, true],
    ['of 4 s, more than a quarter before', 4_000, 2_999, false],
    ['of an hour, long after', HOUR * 1_000, HOUR * 2_000, true],
    ['of an unknown life', undefined, 1e15, false],
  ])('%s: a rejection is its expiry or not', (_, lifetime, after, expected) => {
    expect(isExpiry(credential(lifetime), NOW + after)).toBe(expected)
  })

  it.each([
    [0, 0],
    [4_000, 1_000],
    [20_000, 5_000],
    [20_001, 5_000],
    [Number.MAX_SAFE_INTEGER, 5_000],
  ])('of %d ms tolerates %d ms', (lifetime, expected) => {
    expect(expiryToleranceMs(lifetime)).toBe(expected)
  })
})
