import { AuthedSocket, cookieSession, roomPerSocket } from '../src/index.ts'

export const session = cookieSession({ login: '/login/', logout: '/logout/' })

export const socket = new AuthedSocket({
  url: '/ws/session/{room}/',
  auth: session,
  protocol: roomPerSocket(),
})

await session.login({ username: 'alice', password: 'correct-horse' })
const lobby = await socket.join('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.send({ message: 'hi' })
