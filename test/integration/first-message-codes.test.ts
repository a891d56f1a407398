/** What a close means before a first message was answered, and after: nothing but the token was shown yet. */
import { describe, expect, it, vi } from 'vitest'
import type { WebSocket } from 'ws'
import {
  type ClosePolicy,
  plain,
  roomPerSocket,
  viaFirstMessage,
  viaQuery,
} from '../../src/index.ts'
import { serveSockets } from '../support/socket-server.ts'
import { watched } from './bad-input-support.ts'

const init = viaFirstMessage({
  frame: (token) => ({ type: 'connection_init', payload: { token } }),
  accepted: (frame) => JSON.stringify(frame).includes('connection_ack'),
})

/** As graphql-ws: acknowledges a good token, and closes with the code for any other. */
const acknowledge = (socket: WebSocket, code: number, isGood: (token: string) => boolean) =>
  socket.once('message', (data) => {
    const { payload } = JSON.parse(String(data))
    if (isGood(payload.token)) socket.send('{"type":"connection_ack"}')
    else socket.close(code, 'Forbidden')
  })

/** A function whose cached token is stale. */
const library = () => {
  const asked: boolean[] = []
  const auth = ({ fresh }: { fresh: boolean }) => {
    asked.push(fresh)
    return fresh ? 'fresh' : 'stale'
  }
  return { asked, auth }
}

describe.each([4403, 3003])('%d before the answer to a first message', (code) => {
  it('is about the token: a fresh one is let in', async () => {
    const { url, frames } = await serveSockets((socket) =>
      acknowledge(socket, code, (token) => token === 'fresh'),
    )
    const { auth, asked } = library()
    const { socket, states } = watched({ url, auth, transmission: init })
    await socket.connect()
    expect(asked).toEqual([false, true])
    expect(frames.map((frame) => JSON.parse(frame).payload.token)).toEqual(['stale', 'fresh'])
    expect(states).not.toContain('failed')
  })

  it('for every token ends the session: 2 requests, 3 dials', async () => {
    const { url, requests } = await serveSockets((socket) => acknowledge(socket, code, () => false))
    const { auth, asked } = library()
    const { socket } = watched({ url, auth, transmission: init })
    await expect(socket.connect()).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    expect(socket.status).toMatchObject({ state: 'failed', action: 'sign-in' })
    expect([asked.length, requests.length]).toEqual([2, 3])
  })

  it('is what the policy of the user says first', async () => {
    const { url, requests } = await serveSockets((socket) => acknowledge(socket, code, () => false))
    const { socket } = watched({ url, transmission: init, closePolicy: { [code]: 'stop' } })
    await expect(socket.connect()).rejects.toMatchObject({ code: 'SERVER_CLOSED', closeCode: code })
    expect([socket.status, requests.length]).toMatchObject([{ action: 'contact-server' }, 1])
  })

  it('of one room, while another was let in with the token, refuses that room', async () => {
    const { url, requests } = await serveSockets((socket, nth) => {
      const { url: path } = requests[nth - 1] ?? {}
      acknowledge(socket, code, () => path === '/open')
    })
    const { auth, asked } = library()
    const { socket } = watched({
      url: `${url}{room}`,
      auth,
      transmission: init,
      protocol: roomPerSocket(),
    })
    const open = await socket.join('open')
    await expect(socket.join('closed')).rejects.toMatchObject({ name: 'RoomError' })
    expect([open.state, asked.filter(Boolean).length]).toEqual(['joined', 0])
  })
})

describe('4403 stays about a room', () => {
  const closing = (socket: WebSocket) => socket.close(4403)
  it.each<[string, ClosePolicy | undefined]>([
    ['by default', undefined],
    ['by policy', { 4403: 'refuse-room' }],
  ])('where no first message is said: %s', async (_, closePolicy) => {
    const { url, requests } = await serveSockets(closing)
    const { socket } = watched({
      url,
      transmission: viaQuery({ acceptLogging: true }),
      ...(closePolicy && { closePolicy }),
    })
    await expect(socket.connect()).rejects.toMatchObject({ code: 'SERVER_CLOSED', closeCode: 4403 })
    expect(socket.status).toMatchObject({ state: 'failed', action: 'fix-configuration' })
    expect(requests).toHaveLength(1)
  })

  it('after the answer to a first message', async () => {
    const { url, requests } = await serveSockets((socket) => {
      acknowledge(socket, 4403, () => true)
      socket.once('message', () => socket.on('message', () => socket.close(4403)))
    })
    const { auth, asked } = library()
    const { socket } = watched({ url, auth, transmission: init, protocol: plain() })
    await socket.connect()
    await socket.send({ subscribe: 'secrets' })
    await vi.waitFor(() => expect(socket.state).toBe('failed'))
    expect(socket.status).toMatchObject({ action: 'fix-configuration' })
    expect([requests.length, asked]).toEqual([1, [false]])
  })

  it('of a room, whose socket says no first message', async () => {
    const { url } = await serveSockets(closing)
    const { socket } = watched({ url: `${url}{room}`, protocol: roomPerSocket() })
    await expect(socket.join('secret')).rejects.toMatchObject({ name: 'RoomError' })
  })
})

it('other codes before the answer mean what they mean anywhere: 4408 is a lost connection', async () => {
  const { url, requests } = await serveSockets((socket) => acknowledge(socket, 4408, () => false))
  const { auth, asked } = library()
  const { socket, states } = watched({ url, auth, transmission: init })
  socket.connect()
  await vi.waitFor(() => expect(requests.length).toBeGreaterThan(4))
  expect(asked.some(Boolean)).toBe(false)
  expect(states).not.toContain('failed')
})
