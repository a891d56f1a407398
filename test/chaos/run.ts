/** A run: clients, rooms and faults on one site, until everything asked for has happened. */
import { seeded } from '../support/seeded.ts'
import { type Actor, inTurn } from './actor.ts'
import { Crowd, type CrowdResult, type Terms, userOf } from './crowd.ts'
import { Executor } from './executor.ts'
import { type Plan, type PlanSize, planOf } from './plan.ts'
import { type Door, openDoor } from './proxy.ts'
import { pause, type Site } from './site.ts'

export interface RunSize {
  readonly messages: number
  readonly reconnects: number
  readonly faults: number
  readonly seed: number
  /** So many clients are away for longer than the window. */
  readonly absences: number
  /** Of the servers, all at once. Default: the more, the more faults there are. */
  readonly restarts?: number
  /** Of a token, as its client is told, in ms: each is renewed by a second socket. Default: for ever. */
  readonly lifetimeMs?: number
  /** Gives up after so long, in ms: the run then says that it did not come to rest. */
  readonly limitMs: number
  /** `'when-broken'`: as soon as a rule is. Default: when everything asked for has happened. */
  readonly ends?: 'when-done' | 'when-broken'
}

export interface Progress {
  readonly seconds: number
  readonly acknowledged: number
  readonly reconnects: number
  readonly faults: number
}

export interface RunResult extends CrowdResult, Progress {
  readonly seed: number
  /** What was asked for and did not happen. */
  readonly shortfalls: readonly string[]
}

const IN_FLIGHT = 4
/** Sends and faults go along: neither is further ahead than this share of the whole. */
const SLACK = 0.02
/** Out and in again now and then, at so many of the sends. */
const LEAVE_SHARE = 0.03
const VOLATILE_SHARE = 0.02
/** One is used for good; the other ones where it is rejected. */
const TOKENS = 3
/** Servers may remember for a little longer than the window. */
const KEPT_LONGER_MS = 7_000

export class Run {
  readonly #site: Site
  readonly #size: RunSize
  readonly #plan: Plan
  readonly #crowd: Crowd
  readonly #doors: Door[] = []
  readonly #executor: Executor
  readonly #random: () => number
  readonly #startedAt = performance.now()
  #isBroken = (): boolean => false

  constructor(site: Site, size: RunSize) {
    this.#site = site
    this.#size = size
    this.#random = seeded(size.seed ^ 0x5eed)
    this.#plan = planOf(size.seed, planSizeOf(site, size))
    this.#crowd = new Crowd(this.#plan.scripts.length)
    this.#executor = new Executor({
      plan: this.#plan,
      site,
      doors: this.#doors,
      record: (event) => this.#crowd.recorder.record(event),
      share: () => this.#crowd.acknowledged / size.messages,
      isOver: () => this.#isOver,
    })
  }

  get progress(): Progress {
    return {
      seconds: Math.round((performance.now() - this.#startedAt) / 1_000),
      acknowledged: this.#crowd.acknowledged,
      reconnects: this.#crowd.reconnects,
      faults: this.#executor.done,
    }
  }

  async play(): Promise<RunResult> {
    const { scripts } = this.#plan
    try {
      for (let client = 0; client < scripts.length; client++) await this.#add(client)
      if (this.#size.ends === 'when-broken') this.#isBroken = this.#crowd.watch(this.#terms)
      await this.#crowd.enter()
      await Promise.all([
        ...this.#crowd.actors.map((actor) => this.#talk(actor)),
        this.#executor.execute(),
      ])
      if (!this.#isBroken()) await this.#crowd.comeToRest()
    } finally {
      await this.#crowd.disconnect()
      for (const door of this.#doors) await door.close()
    }
    const { progress } = this
    return {
      ...this.#crowd.result(this.#terms),
      ...progress,
      seed: this.#plan.seed,
      shortfalls: this.#shortfalls(progress),
    }
  }

  get #terms(): Terms {
    const { remembers, resumeWindowMs } = this.#site
    return { resumeWindowMs, refusals: remembers ? ['unavailable'] : [] }
  }

  get #isOver(): boolean {
    return performance.now() - this.#startedAt > this.#size.limitMs || this.#isBroken()
  }

  async #add(client: number): Promise<void> {
    const door = await openDoor({
      target: () => this.#site.target(),
      reconnect: () => actor.reconnect(),
    })
    const { lifetimeMs } = this.#size
    const user = userOf(client)
    const actor: Actor = this.#crowd.add({
      url: door.wsUrl + this.#site.path,
      ...(lifetimeMs === undefined
        ? { tokens: inTurn(await this.#site.mint(user, TOKENS)) }
        : { tokens: (turn) => this.#site.mintOne(user, turn), lifetimeMs }),
    })
    this.#doors.push(door)
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
      if (dice < LEAVE_SHARE && actor.rooms.length > 1) await this.#leaveFor(actor, room)
      else void actor.send(room, dice > 1 - VOLATILE_SHARE ? 'volatile' : 'plain')
      if (dice > 0.5) await pause(1)
    }
  }

  async #leaveFor(actor: Actor, room: string): Promise<void> {
    actor.leave(room)
    // Now and then at once, while the answers of before are still on their way.
    await pause(Math.max(0, this.#random() * 100 - 30))
    await actor.enter(room)
  }

  get #isEnough(): boolean {
    const { messages } = this.#size
    return (this.#crowd.acknowledged >= messages && this.#executor.isDone) || this.#isOver
  }

  get #isAhead(): boolean {
    const { acknowledged, open } = this.#crowd
    return (acknowledged + open) / this.#size.messages > this.#executor.share + SLACK
  }

  #shortfalls(progress: Progress): string[] {
    const size = this.#size
    const asked = { acknowledged: size.messages, reconnects: size.reconnects, faults: size.faults }
    return Object.entries(asked).flatMap(([what, wanted]) => {
      const happened = progress[what as keyof typeof asked]
      return happened < wanted ? [`${happened} of ${wanted} ${what}`] : []
    })
  }
}

const between = (low: number, value: number, high: number): number =>
  Math.max(low, Math.min(Math.round(value), high))

/** More faults, more clients to bear them, and more restarts; but a restart takes its time. */
const planSizeOf = (
  site: Site,
  { faults, reconnects, absences, restarts, lifetimeMs }: RunSize,
): PlanSize => {
  const ends = between(1, faults / 400, 20)
  const isOne = site.workers.length === 1
  return {
    clients: between(6, Math.sqrt(faults) * 1.1, 60),
    faults,
    reconnects,
    restarts: restarts ?? (isOne ? ends : Math.ceil(ends / 4)),
    workerKills: isOne ? 0 : ends,
    redisRestarts: site.remembers ? Math.ceil(ends / 2) : 0,
    successions: lifetimeMs === undefined ? 0 : Math.floor(faults / 20),
    // Each takes a whole heartbeat, and then some seconds of patience.
    givenUp: Math.min(Math.floor(faults / 500), 20),
    absences: { count: absences, forMs: site.resumeWindowMs + KEPT_LONGER_MS },
  }
}
