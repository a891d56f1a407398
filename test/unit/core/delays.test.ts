import { describe, expect, it } from 'vitest'
import {
  backoffMs,
  between,
  confirmingMs,
  restartMs,
  sourceBackoffMs,
} from '../../../src/core/delays.ts'

const LAST_ROLL = 1 - 2 ** -53

describe('the delay after an attempt that did not settle', () => {
  it.each([
    [1, 200, 1_500],
    [2, 1_000, 4_000],
    [3, 1_000, 4_000],
    [4, 1_000, 4_000],
    [5, 1_000, 8_000],
    [6, 1_000, 16_000],
    [7, 1_000, 32_000],
    [8, 1_000, 60_000],
    [9, 1_000, 60_000],
    [10, 45_000, 75_000],
    [11, 45_000, 75_000],
    [1_000_000, 45_000, 75_000],
  ])('number %d lies between %d and %d ms', (failures, low, high) => {
    expect(backoffMs(failures, 0)).toBe(low)
    expect(backoffMs(failures, 0.5)).toBe((low + high) / 2)
    expect(backoffMs(failures, LAST_ROLL)).toBeCloseTo(high)
  })

  it('of an attempt without failures is the first one', () => {
    expect(backoffMs(0, 0)).toBe(200)
  })
})

describe('the delay after a token request without an answer', () => {
  it.each([
    [1, 4_000],
    [2, 8_000],
    [3, 16_000],
    [4, 32_000],
    [5, 64_000],
    [6, 120_000],
    [7, 120_000],
    [10_000, 120_000],
  ])('number %d lies between half of and %d ms', (failures, upper) => {
    expect(sourceBackoffMs(failures, 0)).toBe(upper / 2)
    expect(sourceBackoffMs(failures, LAST_ROLL)).toBeCloseTo(upper)
  })
})

it.each([
  ['a restart', restartMs, 0, 5_000],
  ['a confirming dial', confirmingMs, 5_000, 15_000],
])('the delay of %s is drawn from its whole range', (_, delay, low, high) => {
  expect(delay(0)).toBe(low)
  expect(delay(LAST_ROLL)).toBeCloseTo(high)
  expect(delay(0.25)).toBe(between(low, high, 0.25))
})
