import { randomUUID } from 'node:crypto'
import type { PresentClient } from './frames.ts'
import type {
  Append,
  Change,
  Lease,
  Page,
  Showing,
  ShownClient,
  Snapshot,
  StoredMessage,
  Tail,
  Wanted,
} from './store.ts'
import { CHANGES_KEPT, TAIL_LENGTH } from './store.ts'

interface Shown extends ShownClient {
  /** When the lease of each connection ends, by session. */
  leases: Map<string, number>
}

/** Old things go in batches: moving a long list for each send would cost more than the send. */
const TRIM_EVERY = 256

/** One room in memory. Nothing here waits, so each method is one step. */
export class MemoryRoom {
  readonly epoch: string = randomUUID()
  readonly #messages: StoredMessage[] = []
  readonly #numbers = new Map<string, { seq: number; at: number }>()
  readonly #shown = new Map<string, Shown>()
  readonly #changes: Change[] = []
  #seq = 0
  #version = 0

  get marks(): { epoch: string; seq: number; version: number } {
    return { epoch: this.epoch, seq: this.#seq, version: this.#version }
  }

  /**
   * Numbers a message, or says which number it has already.
   *
   * The user belongs to the key: everybody in the room can read a clientId, and could otherwise
   * occupy the next number of somebody else, whose message would then vanish as a repetition.
   */
  append(
    { user, clientId, n, data }: Append,
    keepMs: number,
  ): { outcome: 'stored' | 'repeated'; seq: number } {
    const at = Date.now()
    const key = `${clientId} ${n} ${user}`
    const known = this.#numbers.get(key)
    if (known !== undefined && known.at >= at - keepMs) {
      return { outcome: 'repeated', seq: known.seq }
    }
    this.#seq += 1
    this.#messages.push({ seq: this.#seq, from: user, clientId, n, at, data })
    this.#numbers.set(key, { seq: this.#seq, at })
    if (this.#seq % TRIM_EVERY === 0) this.#trim(at - keepMs)
    return { outcome: 'stored', seq: this.#seq }
  }

  read({ after, maxAgeMs, changesAfter }: Wanted): Tail {
    const messages = after?.epoch === this.epoch ? this.#messagesAfter(after.seq, maxAgeMs) : []
    const from = changesAfter ?? this.#version
    const changes = this.#changes.filter(({ version }) => version > from).slice(0, TAIL_LENGTH)
    return { ...this.marks, messages, changes }
  }

  history(before: number | undefined, limit: number): Page {
    const first = this.#messages[0]?.seq ?? this.#seq + 1
    const end = Math.max(0, Math.min(before ?? Number.MAX_SAFE_INTEGER, this.#seq + 1) - first)
    const start = Math.max(0, end - limit)
    return { epoch: this.epoch, messages: this.#messages.slice(start, end), more: start > 0 }
  }

  show(client: Showing, until: number): Snapshot {
    const { user, clientId, data } = client
    const shown = this.#shown.get(`${clientId} ${user}`)
    if (shown !== undefined && shown.data !== data) {
      shown.data = data
      this.#change([{ user, clientId, data }], [])
    }
    return this.renew([client], until)
  }

  renew(clients: readonly Showing[], until: number): Snapshot {
    const joins: ShownClient[] = []
    for (const { user, clientId, session, data } of clients) {
      const key = `${clientId} ${user}`
      const shown = this.#shown.get(key) ?? { user, clientId, data, leases: new Map() }
      if (!this.#shown.has(key)) joins.push({ user, clientId, data })
      shown.leases.set(session, until)
      this.#shown.set(key, shown)
    }
    this.#change(joins, [])
    const members = [...this.#shown.values()].map(toClient)
    return { epoch: this.epoch, version: this.#version, members }
  }

  hide(leases: readonly Lease[]): void {
    for (const { user, clientId, session } of leases) {
      this.#shown.get(`${clientId} ${user}`)?.leases.delete(session)
    }
    this.endLeases()
  }

  /** Takes off who has no lease any more. */
  endLeases(): void {
    const now = Date.now()
    const leaves: PresentClient[] = []
    for (const [key, { user, clientId, leases }] of this.#shown) {
      for (const [session, until] of leases) if (until <= now) leases.delete(session)
      if (leases.size > 0) continue
      this.#shown.delete(key)
      leaves.push({ user, clientId })
    }
    this.#change([], leaves)
  }

  #change(joins: ShownClient[], leaves: PresentClient[]): void {
    if (joins.length + leaves.length === 0) return
    this.#version += 1
    this.#changes.push({ version: this.#version, joins, leaves })
    if (this.#changes.length > CHANGES_KEPT) this.#changes.shift()
  }

  #messagesAfter(seq: number, maxAgeMs = Number.POSITIVE_INFINITY): StoredMessage[] {
    const first = this.#messages[0]?.seq ?? 0
    const start = Math.max(0, seq + 1 - first)
    const oldest = Date.now() - maxAgeMs
    return this.#messages.slice(start, start + TAIL_LENGTH).filter(({ at }) => at >= oldest)
  }

  #trim(oldest: number): void {
    const young = this.#messages.findIndex(({ at }) => at >= oldest)
    this.#messages.splice(0, young < 0 ? this.#messages.length : young)
    // A Map iterates in the order of insertion.
    for (const [key, { at }] of this.#numbers) {
      if (at >= oldest) return
      this.#numbers.delete(key)
    }
  }
}

function toClient({ user, clientId, data }: Shown): ShownClient {
  return { user, clientId, data }
}
