import { AuthedSocket, roomPerSocket, simpleJwt, viaSubprotocol } from '../src/index.ts'

export const session = simpleJwt({ obtain: '/auth/jwt/create/', refresh: '/auth/jwt/refresh/' })

export const socket = new AuthedSocket({
  url: '/ws/chat/{room}/',
  auth: session,
  transmission: viaSubprotocol(),
  protocol: roomPerSocket(),
})

await session.login({ username: 'alice', password: 'correct-horse' })
const lobby = await socket.join('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.send({ message: 'hi' })
