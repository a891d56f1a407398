import type { Settings } from '../state.ts'
import type { RoomsConnection } from './connection.ts'
import type { RoomToJoin } from './frames.ts'
import { Lane } from './lane.ts'
import { isNext, Member, tellChanges, written } from './member.ts'
import type { Lease, Marks, RoomStore, Snapshot, Tail } from './store.ts'
import { StoreUnavailableError, TAIL_LENGTH } from './store.ts'

/** A room changes its epoch between two reads only when the store lost it at that moment. */
const MAX_ATTEMPTS = 5
/** A member whose rest cannot be read now tries again so much later. */
const RETRY_MS = 200

const isEnd = ({ messages, changes }: Tail): boolean =>
  messages.length < TAIL_LENGTH && changes.length < TAIL_LENGTH

/** Lets the sockets write before the next batch. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * One room as this process serves it. Everything that reads the store and then tells members runs in one
 * lane, so that what was read is never older than what a member was told.
 */
export class LiveRoom {
  readonly #name: string
  readonly #store: RoomStore
  readonly #settings: Settings
  readonly #members = new Map<RoomsConnection, Member>()
  readonly #lane = new Lane()
  /** How far the room has been read for all members that are not behind. */
  #cursor: Marks | undefined
  #isWoken = false

  constructor(name: string, store: RoomStore, settings: Settings) {
    this.#name = name
    this.#store = store
    this.#settings = settings
  }

  /** Nobody is in it, and nobody is about to be. */
  get isIdle(): boolean {
    return this.#members.size === 0 && this.#lane.isEmpty
  }

  /** What was read is what there is. */
  isAt(marks: Marks | undefined): boolean {
    const { epoch, seq, version } = this.#cursor ?? {}
    return epoch === marks?.epoch && seq === marks?.seq && version === marks?.version
  }

  /** Reads what is new, soon. Calls that come before the reading has begun are one. */
  wake(): void {
    if (this.#isWoken) return
    this.#isWoken = true
    const reading = this.#lane.run(() => {
      this.#isWoken = false
      return this.#advance()
    })
    // The next look finds the difference again.
    reading.catch(() => {})
  }

  /** @throws {StoreUnavailableError} nothing is joined then */
  join(connection: RoomsConnection, request: RoomToJoin, id: number | undefined): Promise<void> {
    return this.#lane.run(() =>
      this.#members.has(connection) && request.resume?.epoch !== this.#cursor?.epoch
        ? this.#joinAgain(connection, request, id)
        : this.#join(connection, request, id),
    )
  }

  /** No frame of the room follows. Where it is shown, it stays so until its lease ends. */
  drop(connection: RoomsConnection): Lease | undefined {
    const lease = this.#members.get(connection)?.shown
    this.#members.delete(connection)
    return lease
  }

  leave(connection: RoomsConnection): void {
    void this.#hide(this.drop(connection))
  }

  /** Renews the leases of all who are shown; where they were lost, they are shown again. */
  async renew(): Promise<Snapshot | undefined> {
    const shown = [...this.#members.values()].flatMap((member) => member.shown ?? [])
    return shown.length === 0 ? undefined : this.#store.renew(this.#name, shown)
  }

  async #join(connection: RoomsConnection, request: RoomToJoin, id?: number): Promise<void> {
    const { tail, snapshot } = await this.#readForJoin(connection, request)
    if (!connection.isOpen) {
      await this.#hide(snapshot && connection.lease)
      return
    }
    const before = this.#members.get(connection)
    const member = new Member(connection, this.#name)
    // A cursor that nobody followed any more is worth nothing. Who watches has seen no change after its snapshot.
    if (this.#members.size === 0) {
      const { version } = snapshot ?? tail
      this.#cursor = { epoch: tail.epoch, seq: tail.seq, version }
    }
    this.#members.set(connection, member)
    connection.rooms.add(this.#name)
    member.enter(request, tail, snapshot, id)
    if (member.isBehind) void this.#catchUp(member)
    if (!snapshot) await this.#hide(before?.shown)
  }

  /** A member goes on where it is: after the answer no message may be missing or come twice. */
  async #joinAgain(connection: RoomsConnection, request: RoomToJoin, id?: number): Promise<void> {
    await this.#advance()
    const snapshot = await this.#show(connection, request)
    const member = this.#members.get(connection)
    if (member === undefined) {
      await this.#hide(snapshot && connection.lease)
      return
    }
    const before = member.shown
    member.enterAgain(request, snapshot, id)
    if (!snapshot) await this.#hide(before)
  }

  async #readForJoin(
    connection: RoomsConnection,
    request: RoomToJoin,
  ): Promise<{ tail: Tail; snapshot: Snapshot | undefined }> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const snapshot = await this.#show(connection, request)
      const maxAgeMs = this.#settings.resumeWindowMs
      const tail = await this.#store.read(this.#name, { after: request.resume, maxAgeMs })
      const others = this.#members.size === 0 ? undefined : this.#cursor
      const epochs = [snapshot?.epoch, others?.epoch]
      if (epochs.every((epoch) => (epoch ?? tail.epoch) === tail.epoch)) return { tail, snapshot }
      // Those who are in the room are told first that it counts anew.
      await this.#advance()
    }
    throw new StoreUnavailableError('the room was lost again and again')
  }

  async #show(
    connection: RoomsConnection,
    { presence }: RoomToJoin,
  ): Promise<Snapshot | undefined> {
    if (presence === undefined) return undefined
    const data = JSON.stringify(presence)
    return this.#store.show(this.#name, { ...connection.lease, data })
  }

  async #hide(lease: Lease | undefined): Promise<void> {
    // A lease that cannot be ended now ends by itself.
    if (lease !== undefined) await this.#store.hide(this.#name, [lease]).catch(() => {})
  }

  async #advance(): Promise<void> {
    while (this.#cursor !== undefined && this.#members.size > 0) {
      const { epoch, version } = this.#cursor
      const wanted = { after: this.#cursor, changesAfter: version }
      const tail = await this.#store.read(this.#name, wanted)
      if (tail.epoch !== epoch) await this.#startAnew()
      else {
        this.#deliver(tail)
        if (isEnd(tail)) return
      }
      await turn()
    }
  }

  /** The numbering was lost: members are told so, and get what the new one has so far. */
  async #startAnew(): Promise<void> {
    const snapshot = await this.renew()
    const { epoch } = snapshot ?? (await this.#store.read(this.#name, {}))
    const tail = await this.#store.read(this.#name, { after: { epoch, seq: 0 } })
    if (tail.epoch !== epoch) return
    for (const member of this.#members.values()) {
      if (!member.isBehind) member.startAnew(tail, snapshot)
    }
    this.#deliver({ ...tail, version: snapshot?.version ?? tail.version })
  }

  #deliver(tail: Tail): void {
    const { epoch, messages, changes } = tail
    const texts = written(this.#name, messages)
    for (const member of this.#members.values()) {
      if (!member.isBehind) member.deliver(tail, texts)
    }
    tellChanges(this.#name, changes, this.#members.values())
    const seq = messages.at(-1)?.seq ?? tail.seq
    this.#cursor = { epoch, seq, version: changes.at(-1)?.version ?? tail.version }
  }

  #isMember(member: Member): boolean {
    return member.connection.isOpen && this.#members.get(member.connection) === member
  }

  /** Reads the rest of what a member missed, as fast as it takes it. */
  async #catchUp(member: Member): Promise<void> {
    while (this.#isMember(member) && member.isBehind) {
      try {
        await this.#sendPart(member)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async #sendPart(member: Member): Promise<void> {
    const tail = await this.#store.read(this.#name, { after: member.point })
    if (isNext(tail, member.point) && tail.messages.length > 0) {
      const texts = written(this.#name, tail.messages)
      await member.deliverSlowly(texts, () => this.#isMember(member))
    } else await this.#lane.run(() => this.#joinTheOthers(member))
  }

  /** In the lane: a member that has everything, or lost some for good, goes on with the others. */
  async #joinTheOthers(member: Member): Promise<void> {
    await this.#advance()
    const epoch = this.#cursor?.epoch
    if (epoch === undefined) return
    const isLost = epoch !== member.point.epoch
    const snapshot = isLost ? await this.renew() : undefined
    const after = isLost ? { epoch, seq: 0 } : member.point
    const tail = await this.#store.read(this.#name, { after })
    if (!this.#isMember(member) || tail.epoch !== epoch) return
    if (!isNext(tail, member.point)) member.startAnew(tail, snapshot)
    member.deliver(tail, written(this.#name, tail.messages))
    member.isBehind = !isEnd(tail)
  }
}
