/** Home Assistant's WebSocket API. */
import { AuthedSocket, fixedToken, plain, viaFirstMessage } from '../src/index.ts'

export function connectToHomeAssistant(origin: string, longLivedToken: string): AuthedSocket {
  // #region socket
  const socket = new AuthedSocket({
    url: `${origin}/api/websocket`,
    auth: fixedToken(longLivedToken),
    transmission: viaFirstMessage('home-assistant'),
    protocol: plain({
      correlate: {
        request: (type, payload, id) => ({ id, type, ...Object(payload) }),
        answer: (frame) => {
          const { id, type, success, result, error } = Object(frame)
          return type === 'result' ? { id, ok: success, data: result, ...error } : undefined
        },
      },
    }),
  })
  // #endregion
  return socket
}
