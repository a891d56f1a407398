import { AuthedSocket, roomPerSocket, simpleJwt, viaSubprotocol } from '../src/index.ts'

export const session = simpleJwt({
  obtain: '/api/cookie/token/',
  refresh: '/api/cookie/refresh/',
  refreshToken: 'httpOnlyCookie',
})

export const socket = new AuthedSocket({
  url: '/ws/chat/{room}/',
  auth: session,
  transmission: viaSubprotocol(),
  protocol: roomPerSocket(),
})

export async function start(): Promise<void> {
  if (!(await session.restore())) {
    await session.login({ username: 'alice', password: 'correct-horse' })
  }
  await socket.join('lobby')
}
