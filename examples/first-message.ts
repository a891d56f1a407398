import { AuthedSocket, roomPerSocket, simpleJwt, viaFirstMessage } from '../src/index.ts'

export const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })

export const socket = new AuthedSocket({
  url: '/ws/first/{room}',
  auth: session,
  transmission: viaFirstMessage({
    frame: (token) => ({ type: 'auth', id: 0, token }),
    accepted: (frame) => textOf(frame).startsWith('Welcome, '),
  }),
  protocol: roomPerSocket(),
})

const textOf = (frame: unknown): string => String((frame as { message?: unknown }).message)

await session.login({ username: 'alice', password: 'correct-horse' })
const lobby = socket.room('lobby')
lobby.on('message', ({ data }) => console.log(data))
await lobby.join()
await lobby.send({ message: 'hi' })
