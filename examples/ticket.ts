import { AuthedSocket, plain, simpleJwt, ticket, viaQuery } from '../src/index.ts'

export const session = simpleJwt({ obtain: '/api/token/', refresh: '/api/token/refresh/' })

export const socket = new AuthedSocket({
  url: '/ws/plain',
  auth: ticket({ url: '/api/ticket/', session }),
  transmission: viaQuery(),
  protocol: plain(),
})

await session.login({ username: 'alice', password: 'correct-horse' })
socket.on('message', ({ data }) => console.log(data))
await socket.connect()
await socket.send({ message: 'hi' })
