import { AuthedSocket, roomPerSocket, simpleJwt, viaQuery } from '../src/index.ts'

export const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })

export const socket = new AuthedSocket({
  url: '/ws/chat/{room}/',
  auth: session,
  transmission: viaQuery({ acceptLogging: true }),
  protocol: roomPerSocket(),
})

await session.login({ username: 'alice', password: 'correct-horse' })
const lobby = await socket.join('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.send({ message: 'hi' })
