import type { WebSocket } from 'ws'
import { isRecord, parseJson, stringOf } from './json.ts'

export interface FirstMessage {
  /** Of the first frame, `{ "type": "auth", "id": 0, "token": … }`; absent: it was another, or came too late. */
  token: string | undefined
  /** Hands what has come behind it meanwhile to who listens now. */
  release(): void
}

/** Resolves with the first frame, or without one after so long. */
export function readFirstMessage(socket: WebSocket, timeoutMs: number): Promise<FirstMessage> {
  return new Promise((resolve) => {
    const held: [data: Buffer, isBinary: boolean][] = []
    const receive = (data: Buffer, isBinary: boolean) => {
      held.push([data, isBinary])
      if (held.length === 1) finish()
    }
    const release = () => {
      socket.off('message', receive)
      for (const [data, isBinary] of held.slice(1)) socket.emit('message', data, isBinary)
    }
    const finish = () => {
      clearTimeout(timer)
      resolve({ token: tokenIn(held[0]), release })
    }
    const timer = setTimeout(finish, timeoutMs)
    socket.once('close', finish)
    socket.on('message', receive)
  })
}

function tokenIn(first: [data: Buffer, isBinary: boolean] | undefined): string | undefined {
  if (first === undefined || first[1]) return undefined
  const frame = parseJson(first[0].toString('utf8'))
  return isRecord(frame) && frame['type'] === 'auth' ? stringOf(frame, 'token') : undefined
}
