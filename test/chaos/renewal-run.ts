/**
 * Renewals under load: clients talk in rooms of the reference server while their tokens are renewed again and
 * again. What was lost or doubled is read from what the clients got, by seq; who was in no room, and for how long, from
 * the server's own log of joins.
 */
import {
  AuthedSocket,
  type AuthedSocketOptions,
  multiplexed,
  type Receipt,
  swap,
  viaHeader,
} from '../../src/index.ts'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import type { JoinRecord } from '../servers/node/state.ts'
import { seeded } from '../support/seeded.ts'

export type Way = 'swap' | 'in-band'

export interface RenewalSize {
  readonly way: Way
  /** Of all clients together, at least. */
  readonly renewals: number
  readonly clients: number
  /** As clients are told it. The server lets tokens live for longer: `LEEWAY`. */
  readonly lifetimeMs: number
  readonly seed: number
  /** Gives up after so long, in ms. */
  readonly limitMs: number
}

export interface RenewalResult {
  readonly way: Way
  readonly seconds: number
  readonly renewals: number
  /** Sockets that the server accepted. */
  readonly dials: number
  readonly acknowledged: number
  readonly delivered: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  /** All clients and rooms together: ms without a joined socket. */
  readonly outsideMs: number
  readonly gaps: number
  readonly errors: readonly string[]
}

const ROOMS_EACH = 3
const CLIENTS_PER_ROOM = 6
/** A machine that stands still for a while is no fault: tokens really live so many times as long as is told. */
const LEEWAY = 20
const PAUSE_MS = 80
/** For what is on its way when the talking ends. */
const REST_MS = 30_000

interface Acknowledged extends Receipt {
  readonly room: string
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

class Talker {
  readonly rooms: readonly string[]
  readonly acknowledged: Acknowledged[] = []
  readonly seqs = new Map<string, number[]>()
  readonly errors: string[] = []
  readonly counts = { renewals: 0, gaps: 0 }
  readonly #socket: AuthedSocket

  constructor(server: ReferenceServer, size: RenewalSize, rooms: readonly string[]) {
    this.rooms = rooms
    this.#socket = new AuthedSocket({
      url: `${server.wsUrl}/ws/rooms`,
      transmission: viaHeader(),
      protocol: multiplexed(),
      renewal: renewalOf(size.way),
      auth: async ({ reason }) => {
        const { access } = await server.mint({
          user: 'alice',
          lifetimeMs: LEEWAY * size.lifetimeMs,
        })
        if (reason === 'renewal') this.counts.renewals++
        return { token: access, expiresInMs: size.lifetimeMs }
      },
    })
    this.#socket.on('error', (error) => this.errors.push(String(error)))
    for (const room of rooms) this.#listen(room)
  }

  async enter(): Promise<void> {
    await Promise.all(this.rooms.map((room) => this.#socket.join(room)))
  }

  async talk(random: () => number, isOver: () => boolean): Promise<void> {
    for (let n = 0; !isOver(); n++) {
      const room = this.rooms[Math.floor(random() * this.rooms.length)] ?? ''
      const receipt = await this.#socket.room(room).send({ n })
      this.acknowledged.push({ ...receipt, room })
      await pause(random() * PAUSE_MS)
    }
  }

  leave(): Promise<void> {
    return this.#socket.disconnect()
  }

  #listen(name: string): void {
    const seqs: number[] = []
    this.seqs.set(name, seqs)
    const room = this.#socket.room(name)
    room.on('message', ({ meta }) => seqs.push(meta.seq ?? Number.NaN))
    room.on('gap', () => this.counts.gaps++)
  }
}

const renewalOf = (way: Way): NonNullable<AuthedSocketOptions['renewal']> =>
  way === 'swap' ? swap() : way

export const renew = async (size: RenewalSize): Promise<RenewalResult> => {
  const server = await createReferenceServer()
  server.settings({ exactExp: true })
  const random = seeded(size.seed)
  const rooms = Math.max(1, Math.round((size.clients * ROOMS_EACH) / CLIENTS_PER_ROOM))
  const talkers = Array.from(
    { length: size.clients },
    (_, n) => new Talker(server, size, roomsOf(n, rooms)),
  )
  const startedAt = performance.now()
  try {
    await Promise.all(talkers.map((talker) => talker.enter()))
    const isOver = () =>
      doneBy(talkers) >= size.renewals || performance.now() - startedAt > size.limitMs
    await Promise.all(talkers.map((talker) => talker.talk(random, isOver)))
    await arrival(talkers)
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    const outsideMs = outside(server.joins(), performance.timeOrigin + performance.now())
    return {
      way: size.way,
      seconds,
      dials: server.counts().accepted,
      outsideMs,
      ...judged(talkers),
    }
  } finally {
    await Promise.all(talkers.map((talker) => talker.leave()))
    await server.close()
  }
}

/** Neighbours share two of three rooms, so that every room has members that others have not. */
const roomsOf = (client: number, rooms: number): string[] =>
  [0, 1, 2]
    .map((step) => `room ${(client + step) % rooms}`)
    .filter((room, n, all) => all.indexOf(room) === n)

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

/** The last one of each client may be on its way. */
const doneBy = (talkers: readonly Talker[]): number =>
  sum(talkers, ({ counts }) => Math.max(0, counts.renewals - 1))

/** The numbers that a member of a room must have got. */
const expectedIn = (talkers: readonly Talker[], room: string): number[] =>
  talkers.flatMap(({ acknowledged }) =>
    acknowledged.flatMap((one) => (one.room === room ? [one.seq ?? Number.NaN] : [])),
  )

const arrival = async (talkers: readonly Talker[]): Promise<void> => {
  const until = performance.now() + REST_MS
  while (lostOf(talkers) > 0 && performance.now() < until) await pause(50)
}

const lostOf = (talkers: readonly Talker[]): number => {
  const expected = new Map<string, number[]>()
  for (const room of new Set(talkers.flatMap(({ rooms }) => rooms)))
    expected.set(room, expectedIn(talkers, room))
  return sum(talkers, ({ seqs }) =>
    sum([...seqs], ([room, got]) => {
      const have = new Set(got)
      return (expected.get(room) ?? []).filter((seq) => !have.has(seq)).length
    }),
  )
}

const judged = (talkers: readonly Talker[]) => {
  const lists = talkers.flatMap(({ seqs }) => [...seqs.values()])
  return {
    renewals: doneBy(talkers),
    acknowledged: sum(talkers, ({ acknowledged }) => acknowledged.length),
    delivered: sum(lists, (seqs) => seqs.length),
    lost: lostOf(talkers),
    doubled: sum(lists, (seqs) => seqs.length - new Set(seqs).size) + sentTwice(talkers),
    outOfOrder: sum(lists, (seqs) => seqs.filter((seq, n) => seq < (seqs[n - 1] ?? 0)).length),
    gaps: sum(talkers, ({ counts }) => counts.gaps),
    errors: talkers.flatMap(({ errors }) => errors),
  }
}

/** Numbers that no send was acknowledged with: one was stored twice. */
const sentTwice = (talkers: readonly Talker[]): number =>
  sum([...new Set(talkers.flatMap(({ rooms }) => rooms))], (room) => {
    const known = new Set(expectedIn(talkers, room))
    const got = talkers.flatMap(({ seqs }) => seqs.get(room) ?? [])
    return [...new Set(got)].filter((seq) => !known.has(seq)).length
  })

/** For each client and room: what is left of the time since its first join when all its sockets are taken away. */
const outside = (joins: readonly JoinRecord[], end: number): number => {
  const places = new Map<string, { inside: number; since: number | undefined; outsideMs: number }>()
  for (const { client, room, what, at } of joins) {
    const key = `${client} ${room}`
    const place = places.get(key) ?? { inside: 0, since: undefined, outsideMs: 0 }
    places.set(key, place)
    if (what === 'joined' && place.inside === 0 && place.since !== undefined)
      place.outsideMs += at - place.since
    place.inside += what === 'joined' ? 1 : -1
    if (place.inside === 0) place.since = at
  }
  return sum([...places.values()], ({ inside, since, outsideMs }) =>
    inside === 0 && since !== undefined ? outsideMs + end - since : outsideMs,
  )
}
