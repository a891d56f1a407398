/** A WebSocket server of a few lines, for servers that speak first, answer late, or say no in a frame. */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

export interface SocketServer {
  readonly url: string
  /** The text frames of all sockets, in order. */
  readonly frames: string[]
  /** The handshakes, in order: their request lines and headers. */
  readonly requests: IncomingMessage[]
}

/** @param serve is called with each socket, and its number from 1 on */
export const serveSockets = async (
  serve: (socket: WebSocket, nth: number) => void,
): Promise<SocketServer> => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const frames: string[] = []
  const requests: IncomingMessage[] = []
  server.on('connection', (socket, request) => {
    requests.push(request)
    socket.on('message', (data) => frames.push(String(data)))
    serve(socket, requests.length)
  })
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/`, frames, requests }
}
