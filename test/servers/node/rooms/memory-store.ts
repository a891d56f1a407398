import { MemoryRoom } from './memory-room.ts'
import type {
  Append,
  Appended,
  Dialed,
  Lease,
  Marks,
  Page,
  RoomStore,
  Showing,
  Snapshot,
  Tail,
  Wanted,
} from './store.ts'
import { KEEP_SLACK_MS } from './store.ts'

/** Read at each use, so that a test may change them while the server runs. */
export interface StoreSettings {
  readonly resumeWindowMs: number
  readonly leaseMs: number
}

/** For one process, as long as it lives. Rooms are never forgotten: a server for tests has few. */
export class MemoryStore implements RoomStore {
  readonly #settings: StoreSettings
  readonly #rooms = new Map<string, MemoryRoom>()
  readonly #fences = new Map<string, number>()
  #wake: (room?: string) => void = () => {}

  constructor(settings: StoreSettings) {
    this.#settings = settings
  }

  async raiseFence(user: string, { client, connection }: Dialed): Promise<void> {
    const key = `${client} ${user}`
    this.#fences.set(key, Math.max(connection, this.#fences.get(key) ?? 0))
  }

  async append(message: Append): Promise<Appended> {
    const { room: name, epoch, user, dialed } = message
    const fence = dialed && this.#fences.get(`${dialed.client} ${user}`)
    if (fence !== undefined && dialed !== undefined && dialed.connection < fence) {
      return { outcome: 'superseded' }
    }
    const room = this.#room(name)
    if (room.epoch !== epoch) return { outcome: 'stale-epoch' }
    const appended = room.append(message, this.#settings.resumeWindowMs + KEEP_SLACK_MS)
    if (appended.outcome === 'stored') this.#wake(name)
    return appended
  }

  async read(room: string, wanted: Wanted): Promise<Tail> {
    return this.#room(room).read(wanted)
  }

  async history(room: string, before: number | undefined, limit: number): Promise<Page> {
    return this.#room(room).history(before, limit)
  }

  async show(room: string, client: Showing): Promise<Snapshot> {
    return this.#present(room, (shown, until) => shown.show(client, until))
  }

  async renew(room: string, clients: readonly Showing[]): Promise<Snapshot> {
    return this.#present(room, (shown, until) => shown.renew(clients, until))
  }

  async hide(room: string, leases: readonly Lease[]): Promise<void> {
    this.#room(room).hide(leases)
    this.#wake(room)
  }

  async look(rooms: readonly string[]): Promise<(Marks | undefined)[]> {
    return rooms.map((name) => {
      const room = this.#rooms.get(name)
      room?.endLeases()
      return room?.marks
    })
  }

  onWake(listener: (room?: string) => void): void {
    this.#wake = listener
  }

  async forget(): Promise<void> {
    this.#rooms.clear()
    this.#fences.clear()
    this.#wake()
  }

  async close(): Promise<void> {
    this.#wake = () => {}
  }

  #present(name: string, present: (room: MemoryRoom, until: number) => Snapshot): Snapshot {
    const room = this.#room(name)
    const before = room.marks.version
    room.endLeases()
    const snapshot = present(room, Date.now() + this.#settings.leaseMs)
    if (snapshot.version !== before) this.#wake(name)
    return snapshot
  }

  #room(name: string): MemoryRoom {
    const room = this.#rooms.get(name) ?? new MemoryRoom()
    this.#rooms.set(name, room)
    return room
  }
}
