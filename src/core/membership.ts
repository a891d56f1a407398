/**
 * The rooms of one socket: what the user wants survives a reconnect, what the server granted does not.
 */
export type Membership = 'wanted' | 'asked' | 'joined'

export interface Member {
  readonly room: string
  readonly params?: unknown
}

export class Memberships {
  readonly #rooms = new Map<string, { member: Member; state: Membership }>()

  want(member: Member): void {
    if (!this.#rooms.has(member.room)) this.#rooms.set(member.room, { member, state: 'wanted' })
  }

  forget(room: string): void {
    this.#rooms.delete(room)
  }

  stateOf(room: string): Membership | undefined {
    return this.#rooms.get(room)?.state
  }

  /** @returns `false` for a room that nobody asked for */
  joined(room: string): boolean {
    const entry = this.#rooms.get(room)
    if (entry === undefined) return false
    entry.state = 'joined'
    return true
  }

  /** The socket is gone: everything that is wanted has to be asked for again. */
  interrupted(): void {
    for (const entry of this.#rooms.values()) entry.state = 'wanted'
  }

  /** What to ask for now, in batches that the server takes. */
  ask(perFrame: number): Member[][] {
    const batches: Member[][] = []
    for (const entry of this.#rooms.values()) {
      if (entry.state !== 'wanted') continue
      entry.state = 'asked'
      const last = batches[batches.length - 1]
      if (last !== undefined && last.length < perFrame) last.push(entry.member)
      else batches.push([entry.member])
    }
    return batches
  }

  rooms(): string[] {
    return [...this.#rooms.keys()]
  }
}
