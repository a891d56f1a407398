import type { RoomsConnection } from './connection.ts'
import type { Point, RoomToJoin } from './frames.ts'
import type { Change, Showing, Snapshot, StoredMessage, Tail } from './store.ts'
import { writeJoined, writeMessage, writePresence } from './write-frame.ts'

/** About so many bytes of missed messages stand in `joined`; the rest follows. */
const PART_BYTES = 262_144

/** The number before the first message that is there. */
const startOf = ({ messages, seq }: Tail): number => (messages[0]?.seq ?? seq + 1) - 1

/** Nothing after the point is missing, and the point is not beyond what was counted. */
export const isNext = (tail: Tail, point: Point): boolean =>
  point.epoch === tail.epoch && point.seq === startOf(tail)

/** Each frame once, whoever it goes to. */
export interface Written {
  readonly seq: number
  readonly text: string
}

export const written = (room: string, messages: readonly StoredMessage[]): Written[] =>
  messages.map((message) => ({ seq: message.seq, text: writeMessage(room, message) }))

/** One connection in one room, and how far it was told of it. */
export class Member {
  readonly connection: RoomsConnection
  /** What it missed did not fit into one frame: it reads the rest by itself, and new messages wait. */
  isBehind = false
  readonly #room: string
  #point: Point = { epoch: '', seq: 0 }
  /** When it is shown: what as, and which version of the presence it knows. */
  #shown: { data: string; version: number } | undefined

  constructor(connection: RoomsConnection, room: string) {
    this.connection = connection
    this.#room = room
  }

  /** The next message that it is sent has `seq` + 1, or a `joined` comes before. */
  get point(): Point {
    return this.#point
  }

  get shown(): Showing | undefined {
    return this.#shown && { ...this.connection.lease, data: this.#shown.data }
  }

  /** Answers its join: with what it missed when that is known, else as the room is now. */
  enter(request: RoomToJoin, tail: Tail, snapshot: Snapshot | undefined, id?: number): void {
    const { resume } = request
    const recovered = resume !== undefined && isNext(tail, resume)
    const messages = recovered ? firstPart(tail.messages) : undefined
    const seq = messages && resume ? resume.seq + messages.length : tail.seq
    this.#point = { epoch: tail.epoch, seq }
    this.isBehind = seq < tail.seq
    this.#show(request, snapshot)
    this.#joined({ id, recovered, messages }, snapshot)
  }

  /** Answers a join of a room that it is in: it goes on where it is. */
  enterAgain(request: RoomToJoin, snapshot: Snapshot | undefined, id?: number): void {
    this.#show(request, snapshot)
    this.#joined({ id, recovered: false }, snapshot)
  }

  /** `joined` without `id`: what comes next is not what came after its last message. */
  startAnew(tail: Tail, snapshot: Snapshot | undefined): void {
    this.#point = { epoch: tail.epoch, seq: startOf(tail) }
    const seen = this.#shown && snapshot
    if (this.#shown && seen) this.#shown.version = seen.version
    this.#joined({ recovered: false }, seen)
  }

  deliver(tail: Tail, messages: readonly Written[]): void {
    // This process stood still for longer than messages are kept.
    if (this.#point.seq < startOf(tail)) this.startAnew(tail, undefined)
    for (const { seq, text } of messages) {
      if (seq <= this.#point.seq) continue
      this.#point.seq = seq
      this.connection.push(text)
    }
  }

  /** As `deliver`, at the pace of the reader. Ends when it says so. */
  async deliverSlowly(messages: readonly Written[], goesOn: () => boolean): Promise<void> {
    for (const { seq, text } of messages) {
      if (!goesOn()) return
      this.#point.seq = seq
      await this.connection.pushAndWait(text)
    }
  }

  see(change: Change, text: string): void {
    if (this.#shown === undefined || this.#shown.version >= change.version) return
    this.#shown.version = change.version
    this.connection.push(text)
  }

  #show({ presence }: RoomToJoin, snapshot: Snapshot | undefined): void {
    const isShown = presence !== undefined && snapshot !== undefined
    this.#shown = isShown
      ? { data: JSON.stringify(presence), version: snapshot.version }
      : undefined
  }

  #joined(
    answer: { id?: number | undefined; recovered: boolean; messages?: StoredMessage[] | undefined },
    snapshot: Snapshot | undefined,
  ): void {
    const { id, recovered, messages } = answer
    const { version, members } = snapshot ?? {}
    const frame = { id, room: this.#room, ...this.#point, recovered, version }
    this.connection.push(writeJoined(frame, { messages, members }))
  }
}

/** Tells all who watch; each change is written once. */
export function tellChanges(
  room: string,
  changes: readonly Change[],
  members: Iterable<Member>,
): void {
  if (changes.length === 0) return
  const watching = [...members]
  for (const change of changes) {
    const text = writePresence(room, change)
    for (const member of watching) member.see(change, text)
  }
}

/** No more than fits into one frame, and at least one. */
function firstPart(messages: readonly StoredMessage[]): StoredMessage[] {
  let bytes = 0
  const end = messages.findIndex(({ data }, index) => {
    bytes += data.length
    return index > 0 && bytes > PART_BYTES
  })
  return messages.slice(0, end < 0 ? messages.length : end)
}
