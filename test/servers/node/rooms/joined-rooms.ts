import type { JoinRecord } from '../state.ts'

type Who = Pick<JoinRecord, 'user' | 'client' | 'session'>

/** The rooms of one connection, with a log of its comings and goings. */
export class JoinedRooms extends Set<string> {
  readonly #log: JoinRecord[]
  readonly #who: Who

  constructor(log: JoinRecord[], who: Who) {
    super()
    this.#log = log
    this.#who = who
  }

  override add(room: string): this {
    if (!this.has(room)) this.#record(room, 'joined')
    return super.add(room)
  }

  override delete(room: string): boolean {
    if (this.has(room)) this.#record(room, 'left')
    return super.delete(room)
  }

  override clear(): void {
    for (const room of this) this.#record(room, 'left')
    super.clear()
  }

  #record(room: string, what: JoinRecord['what']): void {
    const at = performance.timeOrigin + performance.now()
    this.#log.push({ at, ...this.#who, room, what })
  }
}
