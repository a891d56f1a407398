import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { retryAfterMs } from '../../src/shell/retry-after.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('Tue, 24 Nov 2026 08:00:00 GMT') })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('retryAfterMs', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    ['1.5', 1_500],
    ['86400', 86_400_000],
    ['Tue, 24 Nov 2026 08:00:30 GMT', 30_000],
    ['Tue, 24 Nov 2026 08:00:00 GMT', 0],
    ['Tue, 24 Nov 2026 07:59:59 GMT', 0],
    ['99999999999', 2_147_483_647],
  ])('reads %j as %i ms', (header, ms) => {
    expect(retryAfterMs(header)).toBe(ms)
  })

  it.each([undefined, null, '', '-1', 'soon', 'NaN', 'Infinity', '1e999', '<script>'])(
    'reads no advice in %j',
    (header) => {
      expect(retryAfterMs(header)).toBeUndefined()
    },
  )
})
