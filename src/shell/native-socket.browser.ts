/** Stands in for `native-socket.ts` in builds for browsers: no script sets a header there, sees a status, or pings. */
import type { Handshake } from '../transmissions/transmission.ts'
import type { NativeConstructor, NativeSocket } from './native-socket.ts'

export const construct = (
  Native: NativeConstructor,
  url: string,
  { protocols }: Handshake,
  options: object | undefined,
): NativeSocket => {
  const offered = [...protocols]
  if (options) return new Native(url, { protocols: offered, ...options })
  return offered.length > 0 ? new Native(url, offered) : new Native(url)
}

export const watchStatus = (): void => {}

/** No script is told why. */
export const readError = (): undefined => {}

export const pingerOf = (): undefined => {}
