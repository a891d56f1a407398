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
  readonly #entries = new Map<string, Map<string, PresenceEntry>>()

  get members(): readonly Member[] {
    return [...this.#entries].map(memberOf)
  }

  /** Changes are known up to this one. */
  get version(): number {
    return this.#version ?? -1
  }

  /** The whole list, after a join or a hole. */
  reset(version: number, entries: readonly PresenceEntry[]): PresenceChange {
    return this.#change(version, this.members, entries, () => this.#entries.clear())
  }

  /** @returns `hole` when changes are missing: the list has to be asked for again */
  apply(
    version: number,
    joins: readonly PresenceEntry[],
    leaves: readonly PresenceKey[],
  ): PresenceChange | 'known' | 'hole' {
    if (this.#version === undefined || version > this.#version + 1) return 'hole'
    if (version <= this.#version) return 'known'
    return this.#change(version, leaves, joins, () => {
      for (const { user, clientId } of leaves) this.#remove(user, clientId)
    })
  }

  /** Looks at those alone who may have changed: there may be many more. */
  #change(
    version: number,
    leaves: readonly { readonly user: string }[],
    joins: readonly PresenceEntry[],
    remove: () => void,
  ): PresenceChange {
    const before = new Map([...leaves, ...joins].map(({ user }) => [user, this.#memberOf(user)]))
    this.#version = version
    remove()
    for (const entry of joins) this.#add(entry)
    const joined: Member[] = []
    const left: Member[] = []
    const updated: Member[] = []
    for (const [user, was] of before) {
      const is = this.#memberOf(user)
      if (!is) left.push(...(was ? [was] : []))
      else if (!was) joined.push(is)
      else if (differ(was, is)) updated.push(is)
    }
    return { joined, left, updated }
  }

  #memberOf(user: string): Member | undefined {
    const clients = this.#entries.get(user)
    return clients && memberOf([user, clients])
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

/** By what they show, since a whole list brings equal objects anew. What is nested too deep for that may differ. */
const differ = (one: Member, other: Member): boolean => {
  try {
    return JSON.stringify(one) !== JSON.stringify(other)
  } catch {
    return true
  }
}
