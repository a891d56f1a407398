/**
 * A server of the kind of obs-websocket 5, on a real socket: says a challenge, and lets in who answers it.
 *
 * @see https://github.com/obsproject/obs-websocket/blob/master/docs/generated/protocol.md
 */
import { createHash, randomBytes } from 'node:crypto'
import type { WebSocket } from 'ws'
import { type SocketServer, serveSockets } from './socket-server.ts'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64')

/** The answer that its documentation describes. */
export const obsAnswer = (password: string, salt: string, challenge: string): string =>
  hashOf(hashOf(password + salt) + challenge)

export interface ObsServer extends SocketServer {
  /** The challenges of all sockets, in order. */
  readonly challenges: string[]
  /** Those that were let in, which may be closed. */
  readonly identified: WebSocket[]
}

/** @param password without one no challenge is said, as with the switch of its settings */
export const serveObs = async (password?: string): Promise<ObsServer> => {
  const challenges: string[] = []
  const identified: WebSocket[] = []
  const server = await serveSockets((socket) => {
    const say = (op: number, d: object) => socket.send(JSON.stringify({ op, d }))
    const salt = randomBytes(8).toString('base64')
    const challenge = randomBytes(8).toString('base64')
    challenges.push(challenge)
    say(0, {
      obsWebSocketVersion: '5.5.0',
      rpcVersion: 1,
      ...(password !== undefined && { authentication: { challenge, salt } }),
    })
    socket.on('message', (data) => {
      const { op, d } = JSON.parse(String(data))
      if (op === 1) {
        const isRight =
          password === undefined || d.authentication === obsAnswer(password, salt, challenge)
        if (!isRight) return socket.close(4009, 'Authentication failed.')
        identified.push(socket)
        say(2, { negotiatedRpcVersion: 1 })
      } else if (op === 6) {
        const known = d.requestType === 'GetVersion'
        say(7, {
          requestType: d.requestType,
          requestId: d.requestId,
          requestStatus: known
            ? { result: true, code: 100 }
            : { result: false, code: 204, comment: 'Unknown request type.' },
          ...(known && { responseData: { obsVersion: '31.0.0' } }),
        })
      }
    })
  })
  return { ...server, challenges, identified }
}
