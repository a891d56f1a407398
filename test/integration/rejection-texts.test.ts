/** What is said of a refused handshake: each place to look at, and none that cannot be it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { cookieSession, fixedToken } from '../../src/index.ts'
import { rejection, watched } from './bad-input-support.ts'

/** Lets in as long as the test says, then answers each handshake with the status. */
const gate = async () => {
  const door: { status: number | 'open' } = { status: 'open' }
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => {
    if (door.status === 'open') sockets.handleUpgrade(request, socket, head, () => {})
    else socket.end(`HTTP/1.1 ${door.status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const kick = () => {
    for (const socket of sockets.clients) socket.close(1001)
  }
  return { url: `ws://127.0.0.1:${port}/ws/chat/`, door, kick }
}

const PLACES = [/path/, /slash/, /room/, /Origin/, /missing in Node/, /token/]

describe.each([401, 403])('CREDENTIAL_REJECTED after %d', (status) => {
  it.each([
    ['a function', () => 'token'],
    ['a fixed token', fixedToken('token')],
  ])('of %s names path, slash, room, Origin and token', async (_, auth) => {
    const { url, door } = await gate()
    door.status = status
    const { socket } = watched({ url, auth })
    const error = (await rejection(socket.connect())) as Error
    expect(error).toMatchObject({ code: 'CREDENTIAL_REJECTED', cause: { status } })
    for (const place of PLACES) expect(error.message).toMatch(place)
  })

  it('of a cookie speaks of no option that a cookie has not', async () => {
    const { url, door } = await gate()
    door.status = status
    const auth = cookieSession({ cookie: 'sessionid=abc' })
    const { socket } = watched({ url, auth, transmission: undefined } as never)
    const error = (await rejection(socket.connect())) as Error
    for (const place of PLACES) expect(error.message).toMatch(place)
    expect(error.message).not.toMatch(/transmission/)
  })
})

it('CREDENTIAL_REJECTED after an accept does not doubt the path: it led to the server', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => sockets.once('listening', resolve))
  onTestFinished(() => void sockets.close())
  sockets.on('connection', (socket) => socket.close(4003))
  const { port } = sockets.address() as AddressInfo
  const { socket } = watched({ url: `ws://127.0.0.1:${port}/` })
  const error = (await rejection(socket.connect())) as Error
  expect(error).toMatchObject({ code: 'CREDENTIAL_REJECTED' })
  expect(error.message).toMatch(/token/)
  expect(error.message).not.toMatch(/path|slash|Origin/)
})

describe('404', () => {
  it('where it never worked speaks of the slash', async () => {
    const { url, door } = await gate()
    door.status = 404
    const { socket } = watched({ url })
    await expect(socket.connect()).rejects.toThrow(/slash/)
  })

  it.each([404, 405, 410, 426])('(or %d) after it had worked does not', async (status) => {
    const { url, door, kick } = await gate()
    const { socket } = watched({ url })
    await socket.connect()
    door.status = status
    kick()
    await vi.waitFor(() =>
      expect(socket.status).toMatchObject({ state: 'waiting', error: { status } }),
    )
    const { error } = socket.status as { error: Error }
    expect(error.message).not.toMatch(/slash|wrong path/)
    if (status === 404) expect(error.message).toMatch(/had worked/)
    // And again after a disconnect: the address is what it was.
    await socket.disconnect()
    socket.connect()
    await vi.waitFor(() => expect(socket.state).toBe('waiting'))
    expect((socket.status as { error: Error }).error.message).not.toMatch(/slash|wrong path/)
  })
})

it.each([302, 303, 307])('%d names what it may lead to', async (status) => {
  const { url, door } = await gate()
  door.status = status
  const { socket } = watched({ url })
  socket.connect()
  await vi.waitFor(() => expect(socket.state).toBe('waiting'))
  expect((socket.status as { error: Error }).error.message).toMatch(/sign-in page/)
})
