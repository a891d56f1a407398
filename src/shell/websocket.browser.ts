/** Stands in for `websocket.ts` in builds for browsers, which look for no package. */
import type { WebSocketConstructor } from './websocket.ts'

/** @throws {TypeError} when there is none */
export const findWebSocket = async (): Promise<WebSocketConstructor> => {
  const { WebSocket } = globalThis as { WebSocket?: unknown }
  // The platform's constructor has every member that is used here.
  if (WebSocket) return WebSocket as WebSocketConstructor
  throw new TypeError('no WebSocket here: pass the option `WebSocket`')
}
