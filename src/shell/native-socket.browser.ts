/** Stands in for `native-socket.ts` in builds for browsers: no script sets a header there, sees a status, or pings. */
import type { Handshake } from '../transmissions/transmission.ts'
import type { NativeConstructor, NativeSocket } from './native-socket.ts'

export const construct = (
  Native: NativeConstructor,
  url: string,
  { protocols }: Handshake,
): NativeSocket => (protocols.length > 0 ? new Native(url, [...protocols]) : new Native(url))

/** Not where such a build is loaded by Node, either: it has no code for that. */
export const canSetHeaders = () => false

export const watchStatus = (): void => {}

/** No script is told why. */
export const readError = (): undefined => {}

export const breachOf = (): string => ''

export const pingerOf = (): undefined => {}
