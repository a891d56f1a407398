import { AuthedSocket, plain, viaQuery } from '../../dist/index.browser.js'

const until = async (test) => {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5))
}

globalThis.begin = async (url) => {
  const codes = []
  let made
  class Spy extends WebSocket {
    constructor(...given) {
      super(...given)
      made ??= this
    }
  }
  const socket = new AuthedSocket({
    url,
    auth: () => 'token',
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
    WebSocket: Spy,
    probe: async () => 'unreachable',
    retry: { scale: 0.02 },
    settleMs: 20,
  })
  socket.on('disconnected', ({ code }) => codes.push(code))
  await socket.connect()
  globalThis.socket = socket
  globalThis.end = async () => {
    // Closing, or closed: open no more.
    await until(() => made.readyState >= 2)
    const sent = await socket.send('late').then(
      () => 'sent',
      ({ name }) => name,
    )
    await until(() => codes.length > 0)
    return { sent, told: codes[0] }
  }
}
