import { createServer, type Server } from 'node:net'
import { WebSocket as UndiciWebSocket } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  cookieSession,
  type Transmission,
  viaCookie,
  viaFirstMessage,
  viaHeader,
  viaQuery,
  viaSubprotocol,
  type WebSocketConstructor,
} from '../../src/index.ts'
import {
  everythingSaid,
  referenceServer,
  rejection,
  type Watched,
  watched,
} from './bad-input-support.ts'

const CANARY = 'canary7Kd2Qx'
/** Exactly so many bytes. */
const large = (bytes: number): string => CANARY.repeat(bytes).slice(0, bytes)

const WAYS: [place: string, kib: number, transmission: Transmission][] = [
  ['query', 9, viaQuery({ acceptLogging: true })],
  ['subprotocol', 9, viaSubprotocol()],
  // A third more in base64.
  ['subprotocol', 12, viaSubprotocol('bearer')],
  ['header', 9, viaHeader()],
  ['cookie', 9, viaCookie()],
]

/** Answers every request that is as large as a proxy's limit with a status, or drops it. */
const proxy = async (limit: number, status: string | undefined): Promise<string> => {
  const server: Server = createServer((socket) => {
    let head = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      head += String(chunk)
      if (!head.includes('\r\n\r\n')) return
      const isProbe = head.startsWith('HEAD')
      if (isProbe) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      else if (head.length < limit || status === undefined) socket.destroy()
      else socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  return `ws://127.0.0.1:${port}/ws/`
}

const isWaiting = async ({ socket }: Watched): Promise<string> => {
  await vi.waitFor(() => expect(socket.state).toBe('waiting'))
  return (socket.status as { error: Error }).error.message
}

describe('a token of more than 4 KiB, where the handshake is refused', () => {
  it.each(WAYS)('is named as the suspect: %s, %i KiB', async (place, kib, transmission) => {
    const url = await proxy(8_192, '400 Request Header Or Cookie Too Large')
    const client = watched({ url, transmission, auth: () => large(9_000) })
    const said = everythingSaid(client)
    const error = await rejection(client.socket.connect())
    expect(error).toMatchObject({
      code: 'HANDSHAKE_REFUSED',
      status: 400,
      message: expect.stringContaining(`is its token too large (${kib} KiB in the ${place})?`),
    })
    expect(said()).not.toContain(CANARY)
    expect(said()).not.toContain(btoa(CANARY))
  })

  it.each<[string, WebSocketConstructor | undefined]>([
    ['by a runtime that shows the end only', UndiciWebSocket as unknown as WebSocketConstructor],
    ['or dies', undefined],
  ])('is named %s, also once the host has answered', async (_, WebSocket) => {
    const url = await proxy(8_192, WebSocket && '431 Too Large')
    const client = watched({
      url,
      transmission: viaSubprotocol(),
      auth: () => large(9_000),
      retry: { scale: 1 },
      ...(WebSocket && { WebSocket }),
    })
    client.socket.connect()
    expect(await isWaiting(client)).toContain('9 KiB in the subprotocol')
    await vi.waitFor(async () => expect(await isWaiting(client)).toContain('the host answers'))
    expect(await isWaiting(client)).toContain('9 KiB in the subprotocol')
  })

  it('is named where it is a cookie', async () => {
    const client = watched({
      url: await proxy(8_192, '431 Too Large'),
      auth: cookieSession({ cookie: `sessionid=${large(9_000)}` }),
      transmission: undefined as never,
    })
    await expect(client.socket.connect()).rejects.toThrow(/9 KiB in the cookie/)
  })

  it('is not suspected below that size', async () => {
    const url = await proxy(0, '400 Bad Request')
    const client = watched({ url, transmission: viaHeader(), auth: () => large(4_000) })
    const error = await rejection(client.socket.connect())
    expect(error).toMatchObject({ status: 400, message: expect.not.stringContaining('KiB') })
  })
})

it('a token of 9 KiB travels in a first message, and is suspected of nothing', async () => {
  const server = await referenceServer()
  const client = watched({
    url: `${server.wsUrl}/ws/first/lobby`,
    transmission: viaFirstMessage({
      frame: (token) => ({ type: 'auth', id: 0, token }),
      accepted: () => true,
    }),
    auth: () => large(9_000),
  })
  const error = await rejection(client.socket.connect())
  expect(error).toMatchObject({ code: 'CREDENTIAL_REJECTED' })
  expect(String(error)).not.toContain('KiB')
  expect(server.dials()[0]).toMatchObject({ transmissions: ['first-message'] })
})
