/** Makes the runtime's own socket. Builds for browsers, which set no header and see no status, have `native-socket.browser.ts`. */
import type { Handshake } from '../transmissions/transmission.ts'
import { requestHeaders } from './request-headers.ts'
import type { WebSocketLike } from './websocket.ts'

/** Node's `ws` has more than a browser's. */
export interface NativeSocket extends WebSocketLike {
  /** Some runtimes have none, or one that is 0 for ever. */
  readonly bufferedAmount?: number
  addEventListener(type: string, listener: (event: never) => void): void
  terminate?(): void
  on?(event: string, listener: (...args: never[]) => void): void
}
/** `ws` takes options third; undici takes them with the protocols. */
export type NativeConstructor = new (
  url: string,
  protocols?: string[] | object,
  options?: object,
) => NativeSocket

export const construct = (
  Native: NativeConstructor,
  url: string,
  { protocols, headers }: Handshake,
  options: object | undefined,
): NativeSocket => {
  const offered = [...protocols]
  const given = {
    ...options,
    headers: requestHeaders((options as { headers?: object })?.headers, headers),
  }
  // `ws` is the one with `on`; undici reads protocols and headers from one object, its second argument.
  if (Native.prototype?.on) {
    // It would be left out in silence, and with it the proxy that it stands for.
    if ('dispatcher' in given)
      throw new TypeError("webSocketOptions.dispatcher is undici's: give `ws` an `agent`")
    return new Native(url, offered, {
      // Compressed beside text of an attacker, a token could be guessed from lengths (CRIME, BREACH).
      perMessageDeflate: false,
      ...given,
      // A redirect would take the token along.
      followRedirects: false,
    })
  }
  if (options === undefined && Object.keys(headers).length === 0)
    return offered.length > 0 ? new Native(url, offered) : new Native(url)
  return new Native(url, { protocols: offered, ...given })
}

interface Response {
  readonly statusCode?: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** With a listener `ws` reports nothing else: ending the request is up to who listens, which closing does. */
export const watchStatus = (
  socket: NativeSocket,
  seen: (status: number, retryAfter: string | undefined) => void,
): void => {
  socket.on?.('unexpected-response', (_request: unknown, response: Response) =>
    seen(response.statusCode ?? 0, response.headers['retry-after']),
  )
}
