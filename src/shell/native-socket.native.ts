/** Stands in for `native-socket.ts` in builds for React Native, whose sockets take headers as `ws` does, and show no status. */
import type { Handshake } from '../transmissions/transmission.ts'
import type { NativeConstructor, NativeSocket } from './native-socket.ts'
import { requestHeaders } from './request-headers.ts'

// What is written here comes before what is taken over.
export * from './native-socket.browser.ts'

export const construct = (
  Native: NativeConstructor,
  url: string,
  { protocols, headers }: Handshake,
  options: { readonly headers?: object } = {},
): NativeSocket =>
  new Native(url, [...protocols], { ...options, headers: requestHeaders(options.headers, headers) })

export const canSetHeaders = () => true
