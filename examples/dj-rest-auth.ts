import { AuthedSocket, roomPerSocket, simpleJwt, viaSubprotocol } from '../src/index.ts'

export const session = simpleJwt({
  obtain: '/dj-rest-auth/login/',
  refresh: '/dj-rest-auth/token/refresh/',
  revoke: '/dj-rest-auth/logout/',
  refreshToken: 'httpOnlyCookie',
})

export const socket = new AuthedSocket({
  url: '/ws/chat/{room}/',
  auth: session,
  transmission: viaSubprotocol(),
  protocol: roomPerSocket(),
})

if (!(await session.restore())) {
  await session.login({ username: 'alice', password: 'correct-horse' })
}
const lobby = await socket.join('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.send({ message: 'hi' })
