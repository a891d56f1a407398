import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** The token that the server below accepts. */
export const TOKEN = 'tok'

export interface Loopback {
  readonly httpUrl: string
  readonly wsUrl: string
  close(): Promise<void>
}

/**
 * A web and WebSocket server on loopback. It serves `files` by path, refuses a handshake without the
 * token, greets with `{ hello: 'world' }` and echoes whatever it receives.
 */
export async function startLoopback(
  files: Record<string, { type: string; body: string | Buffer }> = {},
): Promise<Loopback> {
  const http = createServer((request, response) => {
    const file = files[request.url ?? '']
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' })
    response.end(file?.body)
  })
  // Chosen: none, as servers do that speak no protocol.
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false })
  http.on('upgrade', (request, socket, head) => {
    const { searchParams } = new URL(request.url ?? '', 'http://loopback')
    if (searchParams.get('token') !== TOKEN) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, greet)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    httpUrl: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}/ws/`,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

function greet(socket: WebSocket): void {
  socket.send(JSON.stringify({ hello: 'world' }))
  socket.on('message', (data) => socket.send(data.toString()))
}
