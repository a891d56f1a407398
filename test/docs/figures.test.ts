/** The figures of README.md, "What happens when", against the code that decides. */
import { expect, it } from 'vitest'
import { backoffMs, confirmingMs, restartMs, sourceBackoffMs } from '../../src/core/delays.ts'
import { closeVerdict, statusVerdict } from '../../src/core/policy.ts'
import { read } from './markdown.ts'

const readme = read('README.md')
const ALMOST_ONE = 1 - Number.EPSILON
const rangeOf = (delay: (roll: number) => number) => [delay(0), Math.round(delay(ALMOST_ONE))]

it('a server that is down: 0.2 to 1.5 s, 1 to 4 s, doubling to 60 s from the fifth, 45 to 75 s from the tenth', () => {
  expect(readme).toContain('the first dial after 0.2 to 1.5 s, then 1 to 4 s; from the fifth on')
  const ranges = [1, 2, 4, 5, 6, 9, 10].map((failures) =>
    rangeOf((roll) => backoffMs(failures, roll)),
  )
  expect(ranges).toEqual([
    [200, 1_500],
    [1_000, 4_000],
    [1_000, 4_000],
    [1_000, 8_000],
    [1_000, 16_000],
    [1_000, 60_000],
    [45_000, 75_000],
  ])
})

it('the confirming dial: after 5 to 15 s; a restart: within 5 s', () => {
  expect(rangeOf(confirmingMs)).toEqual([5_000, 15_000])
  expect(rangeOf(restartMs)).toEqual([0, 5_000])
})

it('a token endpoint that is down: 2 to 4 s, doubling to 120 s', () => {
  expect(rangeOf((roll) => sourceBackoffMs(1, roll))).toEqual([2_000, 4_000])
  expect(rangeOf((roll) => sourceBackoffMs(2, roll))).toEqual([4_000, 8_000])
  expect(rangeOf((roll) => sourceBackoffMs(20, roll))).toEqual([60_000, 120_000])
})

it('what codes and statuses mean', () => {
  const close = (code: number) => closeVerdict(code, '', undefined)
  expect([4003, 1008, 3000, 4401].map(close)).toEqual(Array(4).fill('reauthenticate'))
  expect([4403, 3003].map(close)).toEqual(Array(2).fill('refuse-room'))
  expect([1000, 1006, 1011, 4001, 4999].map(close)).toEqual(Array(5).fill('retry'))
  const status = (code: number, everConnected: boolean) =>
    statusVerdict(code, { everConnected }, undefined)
  expect([401, 403].map((code) => status(code, false))).toEqual(Array(2).fill('reauthenticate'))
  expect([status(404, false), status(404, true), status(502, false)]).toEqual([
    'stop',
    'retry',
    'retry',
  ])
})
