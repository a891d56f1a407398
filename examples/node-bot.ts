import { AuthedSocket, roomPerSocket, simpleJwt, viaHeader } from '../src/index.ts'

interface Chat {
  rooms: {
    [room: string]: { send: { message: string }; message: { message: string; username?: string } }
  }
}

const server = process.env['CHAT_SERVER'] ?? 'http://localhost:8000'

export const session = simpleJwt({
  obtain: `${server}/api/token/`,
  refresh: `${server}/api/token/refresh/`,
  credentials: () => ({ username: 'alice', password: process.env['CHAT_PASSWORD'] ?? '' }),
  reobtain: true,
})

const socket = new AuthedSocket<Chat>({
  url: `${server}/ws/v2/chat/{room}/`,
  auth: session,
  transmission: viaHeader(),
  protocol: roomPerSocket(),
  webSocketOptions: { headers: { Origin: server } },
})
socket.on('error', (error) => console.error(error))

export const room = await socket.join('lobby')
process.once('SIGTERM', () => room.leave())

for await (const { data } of room) {
  if (data.message === '!time') await room.send({ message: new Date().toISOString() })
}
await socket.disconnect()
