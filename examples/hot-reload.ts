import { AuthedSocket, plain, viaSubprotocol } from '../src/index.ts'

export const socket = new AuthedSocket({
  url: '/ws/plain',
  auth: () => 'secret',
  transmission: viaSubprotocol(),
  protocol: plain(),
})
socket.connect()
// Vite removes it from what is built.
import.meta.hot?.dispose(() => socket.disconnect())
