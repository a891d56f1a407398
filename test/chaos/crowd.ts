/** The clients of a run and their rooms: they enter, talk, and in the end fall silent together. */
import { Actor, type ActorOptions } from './actor.ts'
import { check, watch } from './checker/checker.ts'
import type { Violation } from './checker/rules.ts'
import { type History, Recorder } from './history.ts'
import { pause } from './site.ts'

export interface CrowdResult {
  readonly history: History
  readonly violations: readonly Violation[]
  readonly clients: number
  readonly rooms: number
  readonly acknowledged: number
  readonly reconnects: number
  readonly deliveries: number
  readonly gaps: number
  readonly unknown: number
}

export interface Terms {
  /** The server's, in ms. */
  readonly resumeWindowMs: number
  /** Codes with which it may refuse a good send. */
  readonly refusals: readonly string[]
}

export const USERS = ['alice', 'bob'] as const

const FORBIDDEN = 'forbidden'
const ROOMS_PER_CLIENT = 4
const QUIET_MS = 60_000
/** What comes twice comes a little later. */
const AFTERWARDS_MS = 300

export class Crowd {
  readonly recorder = new Recorder()
  readonly actors: Actor[] = []
  readonly rooms: readonly string[]

  /** @param size clients, of which each will be in some rooms with neighbours of both users */
  constructor(size: number) {
    this.rooms = Array.from({ length: Math.ceil(size / 2) }, (_, index) => `room-${index}`)
  }

  get acknowledged(): number {
    return this.actors.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  get open(): number {
    return this.actors.reduce((sum, { open }) => sum + open, 0)
  }

  get reconnects(): number {
    return this.actors.reduce((sum, { reconnects }) => sum + reconnects, 0)
  }

  add(options: Omit<ActorOptions, 'index' | 'record'>): Actor {
    const index = this.actors.length
    const record = (event: Parameters<Recorder['record']>[0]) => this.recorder.record(event)
    const actor = new Actor({ ...options, index, record })
    this.actors.push(actor)
    return actor
  }

  async enter(): Promise<void> {
    await Promise.all(
      this.actors.map(async (actor) => {
        await Promise.all(this.#roomsOf(actor.index).map((room) => actor.enter(room)))
        await actor.enter(FORBIDDEN)
      }),
    )
  }

  /** Nothing is broken any more: everybody says one last thing in each room, and hears all others. */
  async comeToRest(): Promise<void> {
    const until = performance.now() + QUIET_MS
    const waitFor = async (isSo: () => boolean) => {
      while (!isSo() && performance.now() < until) await pause(20)
      return isSo()
    }
    if (!(await waitFor(() => this.actors.every(isAtRest)))) return
    const { events } = this.recorder
    const from = events.length
    for (const actor of this.actors) for (const room of actor.rooms) void actor.send(room)
    if (!(await waitFor(() => this.actors.every(isAtRest)))) return
    const isHeard = () => {
      const heard = events.slice(from).filter(({ kind }) => kind === 'delivered').length
      return heard >= this.#lastWords
    }
    if (await waitFor(isHeard)) await pause(AFTERWARDS_MS)
    if (this.actors.every(isAtRest)) this.recorder.record({ kind: 'quiet' })
  }

  async disconnect(): Promise<void> {
    for (const actor of this.actors) await actor.disconnect()
  }

  /** @returns whether what has happened by now breaks the promise already */
  watch(terms: Terms): () => boolean {
    return watch(this.#history(terms))
  }

  result(terms: Terms): CrowdResult {
    const history = this.#history(terms)
    const { events } = history
    const count = (isSo: (event: (typeof events)[number]) => boolean) => events.filter(isSo).length
    return {
      history,
      violations: check(history),
      clients: this.actors.length,
      rooms: this.rooms.length,
      acknowledged: this.acknowledged,
      reconnects: this.reconnects,
      deliveries: count(({ kind }) => kind === 'delivered'),
      gaps: count(({ kind }) => kind === 'gap'),
      unknown: count((event) => event.kind === 'settled' && event.how === 'unknown'),
    }
  }

  #history({ resumeWindowMs, refusals }: Terms): History {
    const users = this.actors.map(({ index }) => userOf(index))
    const setup = { users, resumeWindowMs, forbidden: [FORBIDDEN], refusals }
    return { setup, events: this.recorder.events }
  }

  #roomsOf(client: number): string[] {
    const { length } = this.rooms
    const wanted = Array.from(
      { length: ROOMS_PER_CLIENT },
      (_, turn) => Math.floor(client / 2) + turn * turn,
    )
    return [...new Set(wanted.map((place) => `room-${place % length}`))]
  }

  /** Each member of a room hears one word of each. */
  get #lastWords(): number {
    return this.rooms.reduce((sum, room) => {
      const members = this.actors.filter(({ rooms }) => rooms.includes(room)).length
      return sum + members * members
    }, 0)
  }
}

export const userOf = (client: number): string => USERS[client % USERS.length] ?? USERS[0]

const isAtRest = ({ isConnected, open }: Actor): boolean => isConnected && open === 0
