/** Who is in a room, kept up to date by changes that are numbered. */

export interface PresenceKey {
  readonly user: string
  /** One `AuthedSocket` of that user. */
  readonly clientId: string
}

export interface PresenceEntry extends PresenceKey {
  readonly data: object
}

/** Somebody who is there, with one or several sockets. */
export interface Member {
  readonly user: string
  readonly clients: ReadonlyArray<{ readonly clientId: string; readonly data: object }>
}

export interface PresenceChange {
  /** Were not there before. */
  readonly joined: readonly Member[]
  /** As they were last seen. */
  readonly left: readonly Member[]
  /** Have another socket, one less, or show something else. */
  readonly updated: readonly Member[]
}

export class Presence {
  #version: number | undefined
  #entries = new Map<string, Map<string, PresenceEntry>>()

  get members(): readonly Member[] {
    return [...this.#entries].map(memberOf)
  }

  /** Changes are known up to this one. */
  get version(): number {
    return this.#version ?? -1
  }

  /** The whole list, after a join or a hole. */
  reset(version: number, entries: readonly PresenceEntry[]): PresenceChange {
    return this.#change(version, () => {
      this.#entries = new Map()
      for (const entry of entries) this.#add(entry)
    })
  }

  /** @returns `hole` when changes are missing: the list has to be asked for again */
  apply(
    version: number,
    joins: readonly PresenceEntry[],
    leaves: readonly PresenceKey[],
  ): PresenceChange | 'known' | 'hole' {
    if (this.#version === undefined || version > this.#version + 1) return 'hole'
    if (version <= this.#version) return 'known'
    return this.#change(version, () => {
      for (const { user, clientId } of leaves) this.#remove(user, clientId)
      for (const entry of joins) this.#add(entry)
    })
  }

  #change(version: number, make: () => void): PresenceChange {
    const before = new Map([...this.#entries].map((each) => [each[0], memberOf(each)]))
    this.#version = version
    make()
    const now = new Map([...this.#entries].map((each) => [each[0], memberOf(each)]))
    const both = [...now].filter(([user]) => before.has(user))
    return {
      joined: [...now].filter(([user]) => !before.has(user)).map(([, member]) => member),
      left: [...before].filter(([user]) => !now.has(user)).map(([, member]) => member),
      updated: both.filter(([user, is]) => differ(before.get(user), is)).map(([, is]) => is),
    }
  }

  #add(entry: PresenceEntry): void {
    const clients = this.#entries.get(entry.user) ?? new Map<string, PresenceEntry>()
    clients.set(entry.clientId, entry)
    this.#entries.set(entry.user, clients)
  }

  #remove(user: string, clientId: string): void {
    const clients = this.#entries.get(user)
    clients?.delete(clientId)
    if (clients?.size === 0) this.#entries.delete(user)
  }
}

const memberOf = ([user, clients]: [string, ReadonlyMap<string, PresenceEntry>]): Member => ({
  user,
  clients: [...clients.values()].map(({ clientId, data }) => ({ clientId, data })),
})

/** By what they show, since a whole list brings equal objects anew. */
const differ = (one: Member | undefined, other: Member): boolean =>
  JSON.stringify(one) !== JSON.stringify(other)
