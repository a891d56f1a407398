import { describe, expectTypeOf, it } from 'vitest'
import {
  type CheckResult,
  type ConformanceOptions,
  type ConformanceReport,
  checkConformance,
  formatReport,
} from '../../src/conformance/index.ts'
import { viaFirstMessage, viaQuery } from '../../src/index.ts'

const url = 'wss://chat.example.com/ws/rooms'
const a = () => 'token'

describe('checkConformance', () => {
  it('takes a URL, tokens by functions, and a transmission of the SDK', () => {
    expectTypeOf(checkConformance({ url, tokens: { a } })).toEqualTypeOf<
      Promise<ConformanceReport>
    >()
    const tokens = { a, b: async () => 'token', expired: a, short: a }
    const options: ConformanceOptions = { url: new URL(url), tokens, transmission: viaQuery() }
    checkConformance({ ...options, transmission: viaFirstMessage('rooms'), expect: ['presence'] })
    // @ts-expect-error a token that rests in an object could be printed with it
    checkConformance({ url, tokens: { a: 'token' } })
    // @ts-expect-error somebody has to be let in
    checkConformance({ url, tokens: {} })
    // @ts-expect-error no such feature
    checkConformance({ url, tokens, expect: ['calls'] })
    // @ts-expect-error no such option
    checkConformance({ url, tokens, timeout: 5 })
  })

  it('tells of each check how it went', () => {
    expectTypeOf<CheckResult['outcome']>().toEqualTypeOf<
      'passed' | 'failed' | 'not-offered' | 'not-checked'
    >()
    expectTypeOf<ConformanceReport['checks'][number]>().toEqualTypeOf<CheckResult>()
    expectTypeOf(formatReport).parameter(0).toEqualTypeOf<ConformanceReport>()
  })
})
