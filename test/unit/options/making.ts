import { AuthedSocket, plain, viaQuery } from '../../../src/index.ts'

/** Would be a token in the wrong place: no message may print it. */
export const SECRET = 's3cret-value-that-nobody-may-print'

export const RIGHT = {
  url: 'wss://host.example/ws/',
  auth: () => null,
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
}

/** As JavaScript calls it: with anything. */
export const make = (options: unknown): AuthedSocket => Reflect.construct(AuthedSocket, [options])

export const making =
  (changes: object = {}) =>
  (): AuthedSocket =>
    make({ ...RIGHT, ...changes })

export function thrownBy(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
    throw new Error(`thrown was a ${typeof error}`)
  }
  throw new Error('nothing was thrown')
}
