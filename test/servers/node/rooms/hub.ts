import type { Settings } from '../state.ts'
import type { RoomsConnection } from './connection.ts'
import type { RoomToJoin } from './frames.ts'
import { LiveRoom } from './live-room.ts'
import type { RoomStore } from './store.ts'

/** Fine enough for every setting that a test chooses, and nothing to an idle process. */
const TICK_MS = 50

/** The rooms that somebody at this process is in, and what has to be done for them from time to time. */
export class Hub {
  readonly #store: RoomStore
  readonly #settings: Settings
  readonly #rooms = new Map<string, LiveRoom>()
  readonly #timer: NodeJS.Timeout
  #lookedAt = Date.now()
  #renewedAt = Date.now()

  constructor(store: RoomStore, settings: Settings) {
    this.#store = store
    this.#settings = settings
    store.onWake((room) => {
      if (room === undefined) void this.#look()
      else this.#rooms.get(room)?.wake()
    })
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Answers with `joined`. @throws {StoreUnavailableError} */
  join(connection: RoomsConnection, request: RoomToJoin, id: number | undefined): Promise<void> {
    const room =
      this.#rooms.get(request.room) ?? new LiveRoom(request.room, this.#store, this.#settings)
    this.#rooms.set(request.room, room)
    return room.join(connection, request, id)
  }

  leave(connection: RoomsConnection, room: string): void {
    this.#rooms.get(room)?.leave(connection)
  }

  /** Its connection was lost: it keeps its place among the members as long as its lease lasts. */
  drop(connection: RoomsConnection, room: string): void {
    this.#rooms.get(room)?.drop(connection)
  }

  wake(room: string): void {
    this.#rooms.get(room)?.wake()
  }

  #tick(): void {
    const now = Date.now()
    for (const [name, room] of this.#rooms) if (room.isIdle) this.#rooms.delete(name)
    if (now - this.#lookedAt >= this.#settings.catchUpMs) {
      this.#lookedAt = now
      void this.#look()
    }
    if (now - this.#renewedAt >= this.#settings.leaseRenewMs) {
      this.#renewedAt = now
      this.#renew()
    }
  }

  /** Finds what nobody woke us for: a wake-up that got lost, a numbering that is lost, a lease that ended. */
  async #look(): Promise<void> {
    const names = [...this.#rooms.keys()]
    // Where it fails the next look finds the same.
    const marks = await this.#store.look(names).catch(() => undefined)
    for (const [index, name] of names.entries()) {
      const room = marks && this.#rooms.get(name)
      if (room && !room.isAt(marks[index])) room.wake()
    }
  }

  #renew(): void {
    // Where it fails now the next one comes before the lease ends, or the members are shown again.
    for (const room of this.#rooms.values()) room.renew().catch(() => {})
  }
}
