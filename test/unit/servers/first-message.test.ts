import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import { createReferenceServer } from '../../servers/node/server.ts'
import { RawClient } from './raw-client.ts'

let server: ReferenceServer
let token: string

beforeAll(async () => {
  server = await createReferenceServer()
  token = (await server.mint({ user: 'alice' })).access
})
beforeEach(() => server.reset())
afterAll(() => server.close())

const dial = {
  rooms: () => new RawClient(`${server.wsUrl}/ws/rooms`, ['authed-rooms.v1']),
  chat: () => new RawClient(`${server.wsUrl}/ws/first/lobby`),
}
const auth = (value: unknown = token) => ({ type: 'auth', id: 0, token: value })

it('without a token in the handshake waits for one, and then welcomes', async () => {
  const rooms = await dial.rooms().open()
  expect(rooms.frames).toEqual([])
  rooms.send(auth())
  rooms.send({ type: 'join', id: 1, rooms: [{ room: 'a' }] })
  expect(await rooms.take(() => true)).toMatchObject({ type: 'welcome', user: 'alice' })
  // What came behind the token, while it was judged, is read as well.
  expect(await rooms.take(() => true)).toMatchObject({ type: 'joined', room: 'a' })
  const chat = await dial.chat().open()
  chat.send(auth())
  expect(await chat.take(() => true)).toEqual({ message: 'Welcome, alice!' })
  expect(server.dials()).toMatchObject([
    { transmissions: ['first-message'], outcome: 'admitted' },
    { transmissions: ['first-message'], outcome: 'admitted' },
  ])
  // A token is nothing to keep.
  expect(JSON.stringify([server.dials(), server.received()])).not.toContain(token)
  for (const { socket, ended } of [rooms, chat]) {
    socket.close()
    await ended
  }
})

it.each<[string, () => unknown, string]>([
  ['a token that is none', () => auth('garbage'), 'token invalid'],
  ['no text as the token', () => auth(7), 'token missing'],
  ['another frame', () => ({ type: 'join', id: 1, rooms: [{ room: 'a' }] }), 'token missing'],
  ['no JSON', () => 'hello', 'token missing'],
])('closes with 4003 at %s', async (_, frame, reason) => {
  const rooms = await dial.rooms().open()
  rooms.send(frame())
  expect(await rooms.ended).toEqual({ code: 4003, reason })
  expect(rooms.frames).toEqual([])
  await vi.waitFor(() => expect(server.openSockets()).toBe(0))
})

it('closes with 4003 when none comes in time, and forgets who left before', async () => {
  server.settings({ firstMessageMs: 30 })
  const gone = await dial.rooms().open()
  gone.socket.close()
  await gone.ended
  expect(await (await dial.chat().open()).ended).toEqual({ code: 4003, reason: 'token missing' })
  await vi.waitFor(() => expect(server.openSockets()).toBe(0))
})

it('still takes a token in the handshake, at once', async () => {
  const rooms = new RawClient(`${server.wsUrl}/ws/rooms`, ['authed-rooms.v1', 'token', token])
  expect(await rooms.take(() => true)).toMatchObject({ type: 'welcome' })
})

it('gives tickets for a token, each good for one handshake', async () => {
  const ask = (bearer: string) =>
    fetch(`${server.url}/api/ticket/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}` },
    })
  const { ticket, expires_in } = (await (await ask(token)).json()) as Record<string, unknown>
  expect(expires_in).toBe(30)
  const first = new RawClient(`${server.wsUrl}/ws/plain?token=${ticket}`)
  expect(await first.take(() => true)).toEqual({ message: 'Welcome, alice!' })
  const second = new RawClient(`${server.wsUrl}/ws/plain?token=${ticket}`)
  expect(await second.ended).toEqual({ code: 4003, reason: 'token invalid' })
  expect((await ask('garbage')).status).toBe(401)
  expect(server.counts()).toMatchObject({ ticketRequests: 2, tokenRequests: 0 })
})
