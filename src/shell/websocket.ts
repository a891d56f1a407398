/** Finds a WebSocket constructor where the user gave none. */

/** What all of them have: browsers', Node's, `ws`, undici's, mock-socket's. */
export interface WebSocketLike {
  readonly readyState: number
  close(code?: number, reason?: string): void
}
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike

/**
 * The global one; on Node 20, which has none, `ws`.
 *
 * @throws {TypeError} when there is neither
 */
export const findWebSocket = async (): Promise<WebSocketConstructor> => {
  const { WebSocket } = globalThis as { WebSocket?: unknown }
  // The platform's constructor has every member that is used here.
  if (WebSocket) return WebSocket as WebSocketConstructor
  // A name in a variable keeps bundlers for browsers from looking for the package.
  const name = 'ws'
  try {
    const module = await import(/* webpackIgnore: true */ /* @vite-ignore */ name)
    return module.WebSocket
  } catch {
    throw new TypeError('no WebSocket here: `npm install ws`, or pass the option `WebSocket`')
  }
}

/**
 * `ws` where it is installed, which shows more of a handshake than others do; else as above.
 *
 * @throws {TypeError} when there is neither
 */
export const findNodeWebSocket = async (): Promise<WebSocketConstructor> => {
  const name = 'ws'
  const module = await import(/* webpackIgnore: true */ /* @vite-ignore */ name).catch(() => ({}))
  return module.WebSocket ?? findWebSocket()
}
