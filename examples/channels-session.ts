import { AuthedSocket, cookieSession, roomPerSocket } from '../src/index.ts'

export const session = cookieSession({
  login: '/login/',
  logout: '/logout/',
  csrf: { url: '/csrf/' },
})

export const socket = new AuthedSocket({
  url: '/ws/session/{room}/',
  auth: session,
  protocol: roomPerSocket(),
  probe: '/signed-in/',
})

await session.login({ username: 'alice', password: 'correct-horse' })
const lobby = await socket.join('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.send({ message: 'hi' })
