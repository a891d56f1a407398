/** OBS Studio, by obs-websocket 5: the password is never sent, but a hash of it with the server's challenge. */
import { AuthedSocket, fixedToken, plain, viaFirstMessage } from '../src/index.ts'

export function connectToObs(url: string, password: string): AuthedSocket {
  // #region socket
  const socket = new AuthedSocket({
    url,
    auth: fixedToken(password),
    transmission: viaFirstMessage({
      after: (frame) => Object(frame).op === 0,
      frame: async (password, hello) => {
        const { challenge, salt } = Object(hello).d.authentication
        const authentication = await sha256((await sha256(password + salt)) + challenge)
        return { op: 1, d: { rpcVersion: 1, authentication } }
      },
      accepted: (frame) => Object(frame).op === 2,
    }),
    closePolicy: { 4009: 'sign-in' },
    protocol: plain({
      correlate: {
        request: (requestType, requestData, id) => ({
          op: 6,
          d: { requestType, requestId: `${id}`, requestData },
        }),
        answer: (frame) => {
          const { op, d } = Object(frame)
          if (op !== 7) return undefined
          const { result, code, comment } = d.requestStatus
          const id = Number(d.requestId)
          return { id, ok: result, data: d.responseData, code: `${code}`, message: comment }
        },
      },
    }),
  })

  async function sha256(text: string): Promise<string> {
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
    return btoa(String.fromCharCode(...new Uint8Array(hash)))
  }
  // #endregion
  return socket
}
