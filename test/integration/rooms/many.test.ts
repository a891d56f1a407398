import { describe, expect, it, vi } from 'vitest'
import { RoomControl } from '../../../src/links/room-control.ts'
import { guestOf, hosted } from './rooms-support.ts'

/** How often a waiting join looks at its room: it has to, and the more often the slower all of them are. */
const looks = () => vi.spyOn(RoomControl.prototype, 'outcome', 'get')

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `room ${n}`)

describe.each([50, 400])('%d rooms', (count) => {
  it('are joined, left and joined again in time that is in proportion', async () => {
    const server = await hosted()
    const { socket } = await guestOf(server)
    await socket.connect()
    const looked = looks()
    const rooms = await Promise.all(names(count).map((name) => socket.join(name)))
    expect(looked.mock.calls.length).toBeLessThanOrEqual(4 * count)
    looked.mockClear()
    const joining = names(count).map((name) => socket.room(`other ${name}`).join())
    for (const room of rooms) room.leave()
    await Promise.all(joining)
    expect(looked.mock.calls.length).toBeLessThanOrEqual(6 * count)
  })
})

describe('params and presence that have no JSON', () => {
  const refusals: readonly (readonly [string, object, string])[] = [
    ['params', { params: { since: new Map() } }, 'params.since (Map)'],
    ['params alone', { params: new Set([1]) }, 'params (Set)'],
    ['a BigInt', { params: { id: 1n } }, 'params.id (bigint)'],
    ['presence', { presence: { avatar: new Blob() } }, 'presence.avatar (Blob)'],
  ]

  it.each(refusals)(
    'are refused at once, and hold up no other room: %s',
    async (_, wrong, place) => {
      const server = await hosted()
      const { socket } = await guestOf(server)
      const room = socket.room('wrong')
      const refused = room.join(wrong)
      const joined = socket.join('right')
      await expect(refused).rejects.toThrow(place)
      await expect(refused).rejects.toBeInstanceOf(TypeError)
      expect(room.state).toBe('idle')
      await joined
      await room.join()
    },
  )

  it.each(refusals)('leave a room that was joined as it is: %s', async (_, wrong, place) => {
    const server = await hosted()
    const { socket, front } = await guestOf(server)
    const room = await socket.join('lobby')
    await room.join({ presence: { mood: 'calm' } })
    await expect(room.join({ presence: {}, ...wrong })).rejects.toThrow(place)
    expect(room.state).toBe('joined')
    const rejoined = new Promise((resolve) => room.once('joined', resolve))
    await front.setMode('drop')
    await rejoined
    expect(room.members.flatMap(({ clients }) => clients.map(({ data }) => data))).toEqual([
      { mood: 'calm' },
    ])
  })

  it('that became so since are refused with the room, and nothing ends', async () => {
    const server = await hosted()
    const { socket, front } = await guestOf(server)
    const params: Record<string, unknown> = { since: 1 }
    const [room, other] = [socket.room('changed'), socket.room('other')]
    await Promise.all([room.join({ params }), other.join()])
    params['since'] = new Map()
    const rejoined = new Promise((resolve) => other.once('joined', resolve))
    await front.setMode('drop')
    await rejoined
    expect([room.state, other.state, socket.state]).toEqual(['refused', 'joined', 'connected'])
    await expect(room.send(1)).rejects.toMatchObject({
      code: 'ROOM',
      cause: { message: expect.stringContaining('rooms[0].params.since (Map)') },
    })
  })
})
