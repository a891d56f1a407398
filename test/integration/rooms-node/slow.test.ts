import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ReferenceServer } from '../../servers/node/server.ts'
import type { RoomsClient } from '../../support/rooms-client.ts'
import { dial, dialInto, newRoom, openStage, pause, STORES, type Stage } from './support.ts'

/** More than the system's own buffers take. */
const COUNT = 200
const filler = 'x'.repeat(60_000)

describe.each(STORES)('with rooms in %s, a connection', (store) => {
  let stage: Stage
  let server: ReferenceServer
  let room: string
  let bob: RoomsClient
  beforeAll(async () => {
    stage = await openStage(store)
    server = stage.server
  })
  beforeEach(async () => {
    server.reset()
    server.settings({ bufferedBytes: 1_000_000 })
    room = newRoom()
    bob = await dialInto(server, room, { user: 'bob' })
  })
  afterAll(() => stage.close())

  const say = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 1) await bob.sent(room, filler)
  }

  it('that does not read is closed, and nobody else notices', async () => {
    const slow = await dialInto(server, room)
    slow.socket.pause()
    await say(COUNT)
    // It cannot be told: after a while its socket is destroyed.
    await expect.poll(() => server.openSockets()).toBe(1)
    expect(await bob.sent(room, 'still here')).toMatchObject({ seq: COUNT + 1 })
    expect((await bob.heard(COUNT + 1)).at(-1)?.data).toBe('still here')
  })

  it('that reads late is told why it was closed', async () => {
    const slow = await dialInto(server, room)
    slow.socket.pause()
    await say(COUNT)
    slow.socket.resume()
    expect(await slow.ended).toEqual({ code: 1013, reason: 'you read too slowly' })
  })

  it('that resumes far behind may take its time', async () => {
    const { epoch = '' } = bob.told(room) ?? {}
    await say(COUNT)
    const slow = await dial(server)
    const joined = await slow.join(room, { resume: { epoch, seq: 0 } })
    slow.socket.pause()
    await pause(300)
    await say(3)
    slow.socket.resume()
    await slow.heard(COUNT + 3 - joined.seq)
  })
})
