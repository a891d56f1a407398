import { randomUUID } from 'node:crypto'
import type { StoreSettings } from './memory-store.ts'
import { RedisLink } from './redis-link.ts'
import { changeOf, listOf, messageOf, shownOf, textOf } from './redis-replies.ts'
import {
  APPEND,
  FORGET,
  HIDE,
  HISTORY,
  keysOf,
  LOOK,
  RAISE_FENCE,
  READ,
  SHOW,
} from './redis-scripts.ts'
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
import { KEEP_SLACK_MS, TAIL_LENGTH } from './store.ts'

/** So many at a time, so that no script holds up Redis, or outgrows the stack of Lua. */
const BATCH = 200

function batches<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / BATCH)
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH),
  )
}

function marksOf(reply: unknown): Marks {
  const [epoch, seq, version] = listOf(reply)
  return { epoch: textOf(epoch), seq: Number(seq), version: Number(version) }
}

const fenceKey = (user: string, client: string): string => `rooms:fence:${client}:${user}`

/**
 * For any number of processes. The streams are the truth; what is published only says that it is worth
 * reading, and may get lost. One Redis, not a cluster: the keys of a room live together. It must not evict
 * keys (`maxmemory-policy noeviction`): without its message ids a room would store a repetition.
 */
export class RedisStore implements RoomStore {
  readonly #settings: StoreSettings
  readonly #link: RedisLink

  private constructor(settings: StoreSettings, link: RedisLink) {
    this.#settings = settings
    this.#link = link
  }

  static async open(url: string, settings: StoreSettings): Promise<RedisStore> {
    const link = new RedisLink(url)
    await link.open()
    return new RedisStore(settings, link)
  }

  async raiseFence(user: string, { client, connection }: Dialed): Promise<void> {
    await this.#link.run(RAISE_FENCE, [fenceKey(user, client)], [String(connection)])
  }

  async append({ room, epoch, user, clientId, n, data, dialed }: Append): Promise<Appended> {
    const keepMs = this.#settings.resumeWindowMs + KEEP_SLACK_MS
    // An epoch belongs to one room, and the user comes last: he may hold any character.
    const id = `rooms:id:${epoch}:${clientId}:${n}:${user}`
    const connection = dialed === undefined ? '' : String(dialed.connection)
    const keys = [...keysOf(room), id, fenceKey(user, dialed?.client ?? '')]
    const sent = [epoch, connection, user, clientId, String(n), data]
    const [outcome, seq] = listOf(
      await this.#run(APPEND, keys, [...sent, String(keepMs), this.#link.channel, room]),
    )
    if (outcome === 'superseded' || outcome === 'stale-epoch') return { outcome }
    return { outcome: outcome === 'stored' ? 'stored' : 'repeated', seq: Number(seq) }
  }

  async read(room: string, { after, maxAgeMs, changesAfter }: Wanted): Promise<Tail> {
    const wanted = [after?.epoch ?? '', after?.seq ?? '', maxAgeMs ?? '', changesAfter ?? '']
    const args = [...wanted.map(String), String(TAIL_LENGTH)]
    const [epoch, seq, version, messages, changes] = listOf(
      await this.#run(READ, keysOf(room), args),
    )
    return {
      ...marksOf([epoch, seq, version]),
      messages: listOf(messages).map(messageOf),
      changes: listOf(changes).map(changeOf),
    }
  }

  async history(room: string, before: number | undefined, limit: number): Promise<Page> {
    const args = [String(before ?? ''), String(limit)]
    const [epoch, entries] = listOf(await this.#run(HISTORY, keysOf(room), args))
    const newestFirst = listOf(entries).map(messageOf)
    const messages = newestFirst.slice(0, limit).reverse()
    return { epoch: textOf(epoch), messages, more: newestFirst.length > limit }
  }

  show(room: string, client: Showing): Promise<Snapshot> {
    return this.#show(room, 'show', [client])
  }

  async renew(room: string, clients: readonly Showing[]): Promise<Snapshot> {
    const parts = batches(clients)
    const last = parts.pop() ?? []
    for (const part of parts) await this.#show(room, 'part', part)
    return this.#show(room, 'renew', last)
  }

  async #show(room: string, what: string, clients: readonly Showing[]): Promise<Snapshot> {
    const shown = clients.flatMap((each) => [each.user, each.clientId, each.session, each.data])
    const args = [String(this.#settings.leaseMs), this.#link.channel, room, what, ...shown]
    const [epoch, version, members] = listOf(await this.#run(SHOW, keysOf(room), args))
    return {
      epoch: textOf(epoch),
      version: Number(version),
      members: listOf(members).map(shownOf),
    }
  }

  async hide(room: string, leases: readonly Lease[]): Promise<void> {
    for (const part of batches(leases)) {
      const hidden = part.flatMap(({ user, clientId, session }) => [user, clientId, session])
      await this.#run(HIDE, keysOf(room), [this.#link.channel, room, ...hidden])
    }
  }

  async look(rooms: readonly string[]): Promise<(Marks | undefined)[]> {
    const found: (Marks | undefined)[] = []
    for (const part of batches(rooms)) {
      const reply = await this.#link.run(LOOK, part.flatMap(keysOf), [this.#link.channel, ...part])
      const marks = listOf(reply).map(marksOf)
      found.push(...marks.map((each) => (each.epoch === '' ? undefined : each)))
    }
    return found
  }

  onWake(listener: (room?: string) => void): void {
    this.#link.onMessage((room) => (room === '' ? listener() : listener(room)))
  }

  async forget(): Promise<void> {
    await this.#link.run(FORGET, [], [])
    await this.#link.publish()
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  /** With an epoch for the room, should it need one. */
  #run(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#link.run(script, keys, [randomUUID(), ...args])
  }
}
