import type { WebSocket } from 'ws'
import { isRecord, parseJson, stringOf } from './json.ts'

/**
 * The token in the first frame, `{ "type": "auth", "id": 0, "token": … }`; `undefined` for any other frame, and
 * when none comes in time. What comes behind it is kept for whoever listens next.
 */
export function readFirstMessage(
  socket: WebSocket,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (token: string | undefined) => {
      clearTimeout(timer)
      socket.off('message', receive)
      socket.pause()
      resolve(token)
    }
    const receive = (data: Buffer, isBinary: boolean) =>
      finish(isBinary ? undefined : tokenIn(data.toString('utf8')))
    const timer = setTimeout(() => finish(undefined), timeoutMs)
    socket.once('close', () => finish(undefined))
    socket.on('message', receive)
  })
}

function tokenIn(text: string): string | undefined {
  const frame = parseJson(text)
  return isRecord(frame) && frame['type'] === 'auth' ? stringOf(frame, 'token') : undefined
}
