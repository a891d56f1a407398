import { describe, expectTypeOf, it } from 'vitest'
import type { CauseName, DiagnoseOptions, Diagnosis, diagnose } from '../../src/doctor/index.ts'
import type { AuthedSocketOptions } from '../../src/index.ts'

describe('diagnose', () => {
  it('takes the options of an AuthedSocket as they are', () => {
    expectTypeOf<AuthedSocketOptions>().toExtend<DiagnoseOptions>()
    expectTypeOf<typeof diagnose>().returns.resolves.toEqualTypeOf<Diagnosis>()
  })

  it('gives a diagnosis that its cause narrows', () => {
    const say = (diagnosis: Diagnosis): string => {
      switch (diagnosis.cause) {
        case 'wrong-slash':
          return diagnosis.path
        case 'token-elsewhere':
          return diagnosis.way
        case 'bad-gateway':
          return `${diagnosis.status}`
        default:
          // @ts-expect-error the others have no path, or not all of them
          diagnosis.path.length
          return diagnosis.fix
      }
    }
    expectTypeOf(say).returns.toBeString()
    expectTypeOf<Diagnosis['cause']>().toEqualTypeOf<CauseName>()
    expectTypeOf<Diagnosis['orElse'][number]>().toEqualTypeOf<CauseName>()
  })
})
