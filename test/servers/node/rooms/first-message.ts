import type { WebSocket } from 'ws'
import { parseJson } from '../json.ts'
import { readFrame } from './read-frame.ts'

/**
 * The token of the first frame, for a handshake that carried none; undefined when none came in time, or
 * something else came first.
 */
export function firstToken(socket: WebSocket, withinMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (token: string | undefined): void => {
      clearTimeout(timer)
      socket.off('message', read).off('close', end)
      resolve(token)
    }
    const read = (data: unknown, isBinary: boolean): void => {
      // `ws` gives a Buffer unless binaryType says otherwise.
      const reading = readFrame(isBinary ? undefined : parseJson((data as Buffer).toString('utf8')))
      settle(reading.ok && reading.frame.type === 'auth' ? reading.frame.token : undefined)
    }
    const end = (): void => settle(undefined)
    const timer = setTimeout(end, withinMs)
    socket.on('message', read).on('close', end)
  })
}
