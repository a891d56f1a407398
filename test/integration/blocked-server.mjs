/** A server in a thread of its own: it answers while the thread of the test does nothing but work. */
import { createServer } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocketServer } from 'ws'

const ANSWER_MS = 100
const { welcome } = workerData
const counts = { dials: 0, tokens: 0 }
const http = createServer((request, response) => {
  if (request.method === 'POST') counts.tokens++
  if (request.url === '/counts') response.end(JSON.stringify(counts))
  // Slow enough for whoever asks to be blocked by then.
  else setTimeout(() => response.end('"token"'), ANSWER_MS)
})
const server = new WebSocketServer({ server: http })
server.on('connection', (socket) => {
  counts.dials++
  if (welcome) setTimeout(() => socket.send(JSON.stringify(welcome)), ANSWER_MS)
  socket.on('message', (data) => {
    const { type, id, rooms, data: payload } = JSON.parse(String(data))
    if (type === 'call') socket.send(JSON.stringify({ type: 'reply', id, data: payload }))
    if (type === 'join')
      for (const { room } of rooms)
        socket.send(
          JSON.stringify({ type: 'joined', id, room, epoch: 'e', seq: 0, recovered: false }),
        )
  })
})
http.listen(0, '127.0.0.1', () => parentPort?.postMessage(http.address()))
