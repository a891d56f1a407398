/**
 * Judges the history of a run. Knows the promise, the protocol's words and nothing of the SDK: what it reads
 * of frames was read from the wire.
 */
import type { History, Recorded, Setup } from '../history.ts'
import { Client } from './client.ts'
import { Epochs } from './epochs.ts'
import { Ledger } from './ledger.ts'
import { Membership } from './membership.ts'
import type { Report, Violation } from './rules.ts'
import { type Circumstances, type Send, Sends } from './sends.ts'

type EventOf<Kind extends Recorded['kind']> = Extract<Recorded, { kind: Kind }>

class Checker {
  readonly violations: Violation[] = []
  readonly #setup: Setup
  readonly #report: Report = (rule, event, text) => this.violations.push({ rule, event, text })
  readonly #epochs = new Epochs(this.#report)
  readonly #ledger = new Ledger(this.#report)
  readonly #sends: Sends
  readonly #clients = new Map<number, Client>()
  #wasQuiet = false

  constructor(setup: Setup) {
    this.#setup = setup
    this.#sends = new Sends(setup, this.#report)
  }

  read(event: Recorded, index: number): void {
    switch (event.kind) {
      case 'joining':
      case 'joined':
      case 'refused':
      case 'left':
        this.#member(event, index)
        break
      case 'told':
        this.#told(event, index)
        break
      case 'sending':
        this.#sending(event, index)
        break
      case 'settled':
        this.#settled(event, index)
        break
      case 'delivered':
        this.#delivered(event, index)
        break
      case 'gap':
        this.#gap(event, index)
        break
      case 'connected':
        this.#client(event.client).connected(event.at)
        break
      case 'disconnected':
        this.#client(event.client).disconnected(index, event.at)
        break
      case 'late':
        if (event.stored > 0)
          this.#report(
            'superseded-stored',
            index,
            `client ${event.client}: ${event.stored} answered with ok`,
          )
        break
      case 'cut':
        this.#client(event.client).cut(event.socket, index)
        break
      case 'epoch-ended':
        this.#epochs.ended(index)
        break
      case 'error':
        this.#report('error', index, `client ${event.client}: ${event.text}`)
        break
      case 'quiet':
        this.#wasQuiet = true
        break
      case 'fault':
        this.#fault(event)
        break
    }
  }

  end(index: number): void {
    if (!this.#wasQuiet) this.#report('never-quiet', index, 'the run did not come to rest')
    for (const { rooms } of this.#clients.values())
      for (const membership of rooms.values()) membership.resolve(index)
    this.#sends.end((key) => this.#ledger.placeOf(key), index)
    this.#checkTurns(index)
    if (this.#wasQuiet) this.#checkLost(index)
  }

  #member(event: EventOf<'joining' | 'joined' | 'refused' | 'left'>, index: number): void {
    const { client, room } = event
    const { rooms, left } = this.#client(client)
    const isForbidden = this.#setup.forbidden.includes(room)
    switch (event.kind) {
      case 'joining':
        rooms.set(
          room,
          new Membership({ client, room, wantedAt: index }, this.#epochs, this.#report),
        )
        break
      case 'joined':
        if (isForbidden) this.#report('forbidden-entered', index, `client ${client} in ${room}`)
        rooms.get(room)?.joined(index)
        break
      case 'refused':
        rooms.delete(room)
        if (!isForbidden)
          this.#report('join-refused', index, `client ${client} in ${room}: ${event.code}`)
        break
      case 'left':
        rooms.get(room)?.left()
        rooms.delete(room)
        left.set(room, index)
    }
  }

  #told(event: EventOf<'told'>, index: number): void {
    const { client, socket, room, epoch, seq, recovered, missed } = event
    this.#epochs.told(room, epoch, index)
    if (this.#setup.forbidden.includes(room))
      this.#report('forbidden-entered', index, `client ${client} was told of ${room}`)
    const known = this.#client(client)
    const isLate = socket < known.socket
    known.socket = Math.max(known.socket, socket)
    const wasAway = known.awayMs >= this.#setup.resumeWindowMs * 0.9
    // An answer that comes after the room was left concerns nobody.
    known.rooms.get(room)?.told({ epoch, seq, socket, recovered, missed, wasAway, isLate }, index)
  }

  #sending({ client, room, key, volatile, at }: EventOf<'sending'>, index: number): void {
    const { epoch } = this.#circumstances(client, room)
    this.#sends.sending({ key, client, room, volatile, at, event: index, epoch })
  }

  #settled(event: EventOf<'settled'>, index: number): void {
    const send = this.#sends.get(event.key)
    const { client = -1, room = '', epoch } = send ?? {}
    const hasEnded = this.#epochs.hasEnded(room, epoch)
    this.#sends.settled(event, index, { ...this.#circumstances(client, room), hasEnded })
  }

  #delivered(event: EventOf<'delivered'>, index: number): void {
    const { client, room, key, id, seq } = event
    const { rooms, got } = this.#client(client)
    this.#checkOrigin(event, index)
    const isRepeated = got.has(key)
    if (isRepeated)
      this.#report('delivered-twice', index, `client ${client} in ${room}: ${key}, ${seq}`)
    got.add(key)
    this.#ledger.identified(key, id, index)
    const membership = rooms.get(room)
    const place = membership?.delivered(seq, isRepeated, index)
    if (place !== undefined) this.#ledger.seen(room, place, key, index)
    if (place === undefined || isFromBefore(membership, this.#sends.get(key)))
      this.#report('not-a-member', index, `client ${client} in ${room}: ${key}`)
  }

  #checkOrigin(event: EventOf<'delivered'>, index: number): void {
    const { client, room, key, sender, own, intact } = event
    const send = this.#sends.get(key)
    if (send === undefined || send.room !== room) {
      this.#report('invented', index, `client ${client} in ${room}: ${key}`)
      return
    }
    if (!intact) this.#report('altered', index, `client ${client} in ${room}: ${key}`)
    if (own !== (send.client === client) || sender !== this.#setup.users[send.client])
      this.#report('wrong-sender', index, `client ${client} in ${room}: ${key} of ${sender}`)
  }

  #gap({ client, room, reason }: EventOf<'gap'>, index: number): void {
    const membership = this.#client(client).rooms.get(room)
    if (membership) membership.gap(index)
    else
      this.#report('gap-unexplained', index, `client ${client} in ${room}, not joined: ${reason}`)
  }

  /** A hole that ends with its connection: what was sent meanwhile is missed as if it had been lost before. */
  #fault({ client, fault, at }: EventOf<'fault'>): void {
    if (client === undefined || fault.kind !== 'hole') return
    if (fault.direction !== 'up' && fault.end !== 'release') this.#client(client).deafened(at)
  }

  /** Who sends twice in a room is heard in that order. Volatile sends do not wait in line. */
  #checkTurns(index: number): void {
    for (const { room, keys } of this.#ledger.runs()) {
      const latest = new Map<number, { key: string; event: number }>()
      for (const key of keys) {
        const send = this.#sends.get(key)
        if (send === undefined || send.volatile) continue
        const before = latest.get(send.client)
        if (before !== undefined && before.event > send.event)
          this.#report('overtaken', index, `${room}: ${before.key} before ${key}`)
        else latest.set(send.client, send)
      }
    }
  }

  /** What was sent after a member had joined, and acknowledged, has reached it or is covered. */
  #checkLost(index: number): void {
    const members = new Map<string, Membership[]>()
    for (const { rooms } of this.#clients.values())
      for (const membership of rooms.values())
        members.set(membership.room, [...(members.get(membership.room) ?? []), membership])
    for (const send of this.#sends.all()) {
      if (send.settled?.how !== 'acknowledged') continue
      const place = this.#ledger.placeOf(send.key)
      for (const membership of members.get(send.room) ?? []) {
        const { client, joinedAt } = membership
        const isDue = joinedAt !== undefined && joinedAt < send.event
        if (!isDue || this.#client(client).got.has(send.key)) continue
        if (!membership.covers(place, send.event))
          this.#report('lost', index, `client ${client} in ${send.room}: ${send.key}`)
      }
    }
  }

  #circumstances(client: number, room: string): Omit<Circumstances, 'hasEnded'> {
    const { isConnected, cutAt, rooms, left } = this.#client(client)
    return {
      isConnected,
      cutAt,
      epoch: rooms.get(room)?.epoch,
      leftAt: left.get(room) ?? -1,
    }
  }

  #client(index: number): Client {
    const client = this.#clients.get(index) ?? new Client()
    this.#clients.set(index, client)
    return client
  }
}

/** Whoever wants a room now has nothing to do with what was acknowledged there already. */
const isFromBefore = (membership: Membership | undefined, send: Send | undefined): boolean =>
  send?.settled?.how === 'acknowledged' && send.settled.event < (membership?.wantedAt ?? 0)

/** Reads a history that still grows. @returns whether what was recorded by now breaks it already */
export const watch = ({ setup, events }: History): (() => boolean) => {
  const checker = new Checker(setup)
  let read = 0
  return () => {
    for (; read < events.length; read++) {
      const event = events[read]
      if (event !== undefined) checker.read(event, read)
    }
    return checker.violations.length > 0
  }
}

/** Everything that the history breaks; empty when it holds. */
export const check = ({ setup, events }: History): Violation[] => {
  const checker = new Checker(setup)
  events.forEach((event, index) => {
    checker.read(event, index)
  })
  checker.end(events.length)
  return checker.violations
}
