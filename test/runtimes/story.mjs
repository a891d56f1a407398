/**
 * The smoke: a login, a room, a token that the server refuses by 4003, and an orderly end. Runs in every runtime as it
 * is, so it imports nothing.
 *
 * @param {typeof import('../../src/index.ts')} sdk
 * @param {{ server: string, WebSocket?: unknown }} given where the reference server is
 * @returns {Promise<Record<string, unknown>>} what happened, to be compared
 */
export async function story(sdk, { server, WebSocket }) {
  const { AuthedSocket, multiplexed, simpleJwt, viaSubprotocol } = sdk
  const control = async (path, body = {}) => {
    const answer = await fetch(`${server}/_control/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return answer.json()
  }
  const session = simpleJwt({
    obtain: `${server}/api/token/`,
    refresh: `${server}/api/token/refresh/`,
  })
  await session.login({ username: 'alice', password: 'correct-horse' })
  const socket = new AuthedSocket({
    url: `${server.replace('http', 'ws')}/ws/rooms`,
    auth: session,
    transmission: viaSubprotocol(),
    protocol: multiplexed(),
    retry: { scale: 0.1 },
    settleMs: 200,
    ...(WebSocket && { WebSocket }),
  })
  const codes = []
  socket.on('disconnected', ({ code }) => codes.push(code))
  const room = socket.room('lobby')
  const next = (event) => new Promise((resolve) => room.once(event, resolve))
  await room.join()
  const heard = next('message')
  const { seq } = await room.send({ text: 'hi' })
  const message = await heard
  const rejoined = next('joined')
  await control('close', { code: 4003 })
  await rejoined
  const again = next('message')
  await room.send({ text: 'again' })
  const late = await again
  await socket.disconnect()
  const { dials, refreshRequests } = await control('counts')
  return {
    seq,
    texts: [message.data.text, late.data.text],
    codes,
    dials,
    refreshRequests,
    state: socket.state,
    whoami: (await session.fetch(`${server}/whoami`)).status,
  }
}
