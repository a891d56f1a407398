/** A run: clients, rooms and faults on one site, until everything asked for has happened. */
import { seeded } from '../support/seeded.ts'
import { Actor } from './actor.ts'
import { check } from './checker/checker.ts'
import type { Violation } from './checker/rules.ts'
import { Executor } from './executor.ts'
import { type Plan, type PlanSize, planOf } from './faults.ts'
import { type History, Recorder, type Setup } from './history.ts'
import { type Door, openDoor } from './proxy.ts'
import { pause, type Site } from './site.ts'

export interface RunSize {
  readonly messages: number
  readonly reconnects: number
  readonly faults: number
  readonly seed: number
  /** Gives up after so long, in ms: the run then says that it did not come to rest. */
  readonly limitMs: number
}

export interface Progress {
  readonly seconds: number
  readonly acknowledged: number
  readonly reconnects: number
  readonly faults: number
}

export interface RunResult extends Progress {
  readonly plan: Plan
  readonly history: History
  readonly violations: readonly Violation[]
  readonly clients: number
  readonly rooms: number
  readonly deliveries: number
  readonly gaps: number
  readonly unknown: number
  /** What was asked for and did not happen. */
  readonly shortfalls: readonly string[]
}

const USERS = ['alice', 'bob'] as const
const FORBIDDEN = 'forbidden'
const ROOMS_PER_CLIENT = 4
const IN_FLIGHT = 4
/** Sends and faults go along: neither is further ahead than this share of the whole. */
const SLACK = 0.02
const QUIET_MS = 30_000
/** What comes twice comes a little later. */
const AFTERWARDS_MS = 300

export class Run {
  readonly #site: Site
  readonly #size: RunSize
  readonly #plan: Plan
  readonly #recorder = new Recorder()
  readonly #actors: Actor[] = []
  readonly #doors: Door[] = []
  readonly #executor: Executor
  readonly #random: () => number
  readonly #startedAt = performance.now()
  #rooms: string[] = []

  constructor(site: Site, size: RunSize) {
    this.#site = site
    this.#size = size
    this.#random = seeded(size.seed ^ 0x5eed)
    this.#plan = planOf(size.seed, planSizeOf(site, size))
    this.#executor = new Executor({
      plan: this.#plan,
      site,
      doors: this.#doors,
      record: (event) => this.#recorder.record(event),
      share: () => this.#acknowledged / size.messages,
      isOver: () => this.#isOver,
    })
  }

  get progress(): Progress {
    return {
      seconds: Math.round((performance.now() - this.#startedAt) / 1_000),
      acknowledged: this.#acknowledged,
      reconnects: this.#actors.reduce((sum, { reconnects }) => sum + reconnects, 0),
      faults: this.#executor.done,
    }
  }

  async play(): Promise<RunResult> {
    try {
      await this.#enter()
      await Promise.all([
        ...this.#actors.map((actor) => this.#talk(actor)),
        this.#executor.execute(),
      ])
      await this.#comeToRest()
    } finally {
      for (const actor of this.#actors) await actor.disconnect()
      for (const door of this.#doors) await door.close()
    }
    return this.#result()
  }

  get #acknowledged(): number {
    return this.#actors.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
  }

  get #isOver(): boolean {
    return performance.now() - this.#startedAt > this.#size.limitMs
  }

  async #enter(): Promise<void> {
    const clients = this.#plan.scripts.length
    this.#rooms = Array.from({ length: Math.ceil(clients / 2) }, (_, index) => `room-${index}`)
    for (let index = 0; index < clients; index++) await this.#add(index)
    await Promise.all(
      this.#actors.map(async (actor) => {
        await Promise.all(this.#roomsOf(actor.index).map((room) => actor.enter(room)))
        await actor.enter(FORBIDDEN)
      }),
    )
  }

  async #add(index: number): Promise<void> {
    const door = await openDoor({
      target: () => this.#site.target(),
      reconnect: () => actor.reconnect(),
    })
    const tokens = await this.#site.mint(userOf(index), 3)
    const actor: Actor = new Actor({
      index,
      url: door.wsUrl + this.#site.path,
      tokens,
      record: (event) => this.#recorder.record(event),
    })
    this.#doors.push(door)
    this.#actors.push(actor)
  }

  /** Every room has its neighbours, of both users. */
  #roomsOf(client: number): string[] {
    const { length } = this.#rooms
    const wanted = Array.from(
      { length: ROOMS_PER_CLIENT },
      (_, turn) => Math.floor(client / 2) + turn * turn,
    )
    return [...new Set(wanted.map((place) => `room-${place % length}`))]
  }

  /** Sends, several at a time, now and then leaves a room and comes back, until there is enough. */
  async #talk(actor: Actor): Promise<void> {
    while (!this.#isEnough) {
      const room = actor.rooms[Math.floor(this.#random() * actor.rooms.length)]
      if (this.#isAhead || actor.open >= IN_FLIGHT || room === undefined) {
        await pause(5)
        continue
      }
      const dice = this.#random()
      if (dice < 0.003 && actor.rooms.length > 1) await this.#leaveFor(actor, room)
      else this.#send(actor, room, dice)
      if (dice > 0.5) await pause(1)
    }
  }

  #send(actor: Actor, room: string, dice: number): void {
    actor.send(room, dice > 0.98 ? 'volatile' : 'plain').catch(() => {})
  }

  async #leaveFor(actor: Actor, room: string): Promise<void> {
    actor.leave(room)
    await pause(50)
    await actor.enter(room)
  }

  get #isEnough(): boolean {
    const { messages } = this.#size
    return (this.#acknowledged >= messages && this.#executor.isDone) || this.#isOver
  }

  get #isAhead(): boolean {
    const { messages } = this.#size
    const open = this.#actors.reduce((sum, actor) => sum + actor.open, 0)
    return (this.#acknowledged + open) / messages > this.#executor.share + SLACK
  }

  /** Nothing is broken any more: everybody says one last thing in each room, and hears all others. */
  async #comeToRest(): Promise<void> {
    const until = performance.now() + QUIET_MS
    const waitFor = async (isSo: () => boolean) => {
      while (!isSo() && performance.now() < until) await pause(20)
      return isSo()
    }
    if (!(await waitFor(() => this.#actors.every(isAtRest)))) return
    const { events } = this.#recorder
    const from = events.length
    const last = this.#actors.flatMap((actor) => actor.rooms.map((room) => actor.send(room)))
    if (!(await waitFor(() => this.#actors.every(isAtRest)))) return
    await Promise.all(last)
    const isHeard = () => {
      const heard = events.slice(from).filter(({ kind }) => kind === 'delivered').length
      return heard >= this.#lastWords
    }
    if (await waitFor(isHeard)) await pause(AFTERWARDS_MS)
    if (this.#actors.every(isAtRest)) this.#recorder.record({ kind: 'quiet' })
  }

  /** Each member of a room hears one word of each. */
  get #lastWords(): number {
    return this.#rooms.reduce((sum, room) => {
      const members = this.#actors.filter(({ rooms }) => rooms.includes(room)).length
      return sum + members * members
    }, 0)
  }

  #result(): RunResult {
    const { events } = this.#recorder
    const setup: Setup = {
      users: this.#actors.map(({ index }) => userOf(index)),
      resumeWindowMs: this.#site.resumeWindowMs,
      forbidden: [FORBIDDEN],
      refusals: this.#site.remembers ? ['unavailable'] : [],
    }
    const history = { setup, events }
    const count = (isSo: (event: (typeof events)[number]) => boolean) => events.filter(isSo).length
    const progress = this.progress
    return {
      ...progress,
      plan: this.#plan,
      history,
      violations: check(history),
      clients: this.#actors.length,
      rooms: this.#rooms.length,
      deliveries: count(({ kind }) => kind === 'delivered'),
      gaps: count(({ kind }) => kind === 'gap'),
      unknown: count((event) => event.kind === 'settled' && event.how === 'unknown'),
      shortfalls: this.#shortfalls(progress),
    }
  }

  #shortfalls({ acknowledged, reconnects, faults }: Progress): string[] {
    const size = this.#size
    return [
      ...(acknowledged < size.messages ? [`${acknowledged} of ${size.messages} messages`] : []),
      ...(reconnects < size.reconnects ? [`${reconnects} of ${size.reconnects} reconnects`] : []),
      ...(faults < size.faults ? [`${faults} of ${size.faults} faults`] : []),
    ]
  }
}

const userOf = (client: number): string => USERS[client % USERS.length] ?? USERS[0]

const isAtRest = ({ isConnected, open }: Actor): boolean => isConnected && open === 0

const between = (low: number, value: number, high: number): number =>
  Math.max(low, Math.min(Math.round(value), high))

/** More faults, more clients to bear them, and more restarts; but a restart takes its time. */
const planSizeOf = (site: Site, { faults, reconnects }: RunSize): PlanSize => {
  const ends = between(1, faults / 400, 20)
  return {
    clients: between(6, Math.sqrt(faults) * 0.8, 60),
    faults,
    reconnects,
    restarts: site.workers.length === 1 ? ends : Math.ceil(ends / 4),
    workerKills: site.workers.length === 1 ? 0 : ends,
    redisRestarts: site.remembers ? Math.ceil(ends / 2) : 0,
    // Each takes a whole heartbeat, and then some seconds of patience.
    givenUp: Math.min(Math.floor(faults / 500), 20),
  }
}
