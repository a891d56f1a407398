/** Finds a WebSocket constructor where the user gave none. */

/** What a runtime's WebSocket can be asked for. Node's `ws` has more than a browser's. */
export interface WebSocketLike {
  readonly readyState: number
  addEventListener(type: string, listener: (event: never) => void): void
  close(code?: number, reason?: string): void
  terminate?(): void
  on?(event: string, listener: (...args: never[]) => void): void
}
/** `ws` takes options third; undici takes them with the protocols. */
export type WebSocketConstructor = new (
  url: string,
  protocols?: string[],
  options?: object,
) => WebSocketLike

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
