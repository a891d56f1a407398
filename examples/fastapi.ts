import { AuthedSocket, passwordGrant, roomPerSocket, viaQuery } from '../src/index.ts'

export const session = passwordGrant({ url: '/token', refreshUrl: '/token/refresh' })

export const socket = new AuthedSocket({
  url: '/ws/chat/{room}',
  auth: session,
  transmission: viaQuery({ acceptLogging: true }),
  protocol: roomPerSocket({ envelope: { encode: String } }),
})

await session.login({ username: 'alice', password: 'correct-horse' })
const lobby = await socket.join('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.send('hi')
