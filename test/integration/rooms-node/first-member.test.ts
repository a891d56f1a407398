import { expect, it, vi } from 'vitest'
import type { RoomsConnection } from '../../servers/node/rooms/connection.ts'
import { LiveRoom } from '../../servers/node/rooms/live-room.ts'
import { MemoryStore } from '../../servers/node/rooms/memory-store.ts'
import type { Showing } from '../../servers/node/rooms/store.ts'
import type { Settings } from '../../servers/node/state.ts'

/** Between the two reads of a join another process shows somebody. */
class BusyStore extends MemoryStore {
  override async show(room: string, client: Showing) {
    const snapshot = await super.show(room, client)
    await super.show(room, { user: 'bob', clientId: 'b', session: 's2', data: '{}' })
    return snapshot
  }
}

it('The first member of a process is told what changed while it joined', async () => {
  const settings = { resumeWindowMs: 60_000, leaseMs: 60_000 }
  const store = new BusyStore(settings)
  // The rest of the settings, and of a connection, is of no weight in a room.
  const room = new LiveRoom('lobby', store, settings as Settings)
  store.onWake(() => room.wake())
  const frames: { type: string; version?: number }[] = []
  const alice = {
    isOpen: true,
    rooms: new Set<string>(),
    lease: { user: 'alice', clientId: 'a', session: 's1' },
    push: (text: string) => frames.push(JSON.parse(text)),
  } as unknown as RoomsConnection
  await room.join(alice, { room: 'lobby', presence: {} }, 1)
  await vi.waitFor(() =>
    expect(frames.map(({ type, version }) => [type, version])).toEqual([
      ['joined', 1],
      ['presence', 2],
    ]),
  )
})
