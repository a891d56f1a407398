/** What `ws` says of frames that it does not take, which no close frame tells. */
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { AuthedSocket, plain, viaQuery, type WebSocketConstructor } from '../../src/index.ts'
import { serveRaw } from '../support/raw-server.ts'

it.each([
  ['larger than maxPayload', [0x81, 126, 0x04, 0x00], 'Max payload size exceeded'],
  ['of an unknown kind', [0x83, 0x00], 'Invalid WebSocket frame: invalid opcode 3'],
  ['that is masked', [0x81, 0x81, 0, 0, 0, 0, 97], 'Invalid WebSocket frame: MASK must be clear'],
  ['that is no text', [0x81, 0x01, 0xff], 'Invalid WebSocket frame: invalid UTF-8 sequence'],
])('a frame %s is named as the reason of the end', async (_, bytes, reason) => {
  const server = await serveRaw()
  const socket = new AuthedSocket({
    url: server.url,
    auth: () => 'token',
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    // It has what the SDK uses of a WebSocket; its types say it in words of their own.
    WebSocket: WebSocket as unknown as WebSocketConstructor,
    webSocketOptions: { maxPayload: 1_000 },
  })
  onTestFinished(() => socket.disconnect())
  await socket.connect()
  const ended = new Promise((resolve) => socket.on('disconnected', resolve))
  server.connections[0]?.write(Buffer.from(bytes))
  expect(await ended).toMatchObject({ code: 1006, reason, willRetry: true })
})
