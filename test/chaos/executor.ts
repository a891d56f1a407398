/** Carries a plan out: each client's script on its door, the server's steps when their share is reached. */
import type { LineFault, ServerFault } from './faults.ts'
import type { HistoryEvent } from './history.ts'
import type { Plan } from './plan.ts'
import type { Door } from './proxy.ts'
import { pause, type Site } from './site.ts'

export interface ExecutorOptions {
  readonly plan: Plan
  readonly site: Site
  /** By client. */
  readonly doors: readonly Door[]
  readonly record: (event: HistoryEvent) => void
  /** Of the messages, how many were acknowledged: 0 to 1. */
  readonly share: () => number
  readonly isOver: () => boolean
}

/** Faults wait for the messages, when they are further ahead than this share of the whole. */
const SLACK = 0.02
/** So long deaf clients lose answers before their server goes. */
const DEAF_MS = 20

export class Executor {
  done = 0
  readonly #options: ExecutorOptions
  readonly #total: number
  /** What the server does one after the other, though its clients' faults do not wait for it. */
  #isExecuting = true

  constructor(options: ExecutorOptions) {
    this.#options = options
    const { scripts, server } = options.plan
    this.#total = scripts.reduce((sum, steps) => sum + steps.length, server.length)
  }

  get share(): number {
    return this.#total === 0 ? 1 : this.done / this.#total
  }

  get isDone(): boolean {
    return !this.#isExecuting
  }

  async execute(): Promise<void> {
    const { scripts } = this.#options.plan
    await Promise.all([
      ...scripts.map((_, client) => this.#executeScript(client)),
      this.#executeServer(),
    ])
    this.#isExecuting = false
  }

  async #executeScript(client: number): Promise<void> {
    for (const { pauseMs, fault } of this.#options.plan.scripts[client] ?? []) {
      await pause(pauseMs)
      while (!this.#isOver && this.share > this.#options.share() + SLACK) await pause(10)
      while (!this.#isOver && !(await this.#apply(client, fault)));
    }
  }

  async #apply(client: number, fault: LineFault): Promise<boolean> {
    const { doors, record } = this.#options
    record({ kind: 'fault', client, fault })
    const outcome = await doors[client]?.apply(fault)
    if (outcome?.kind === 'late') {
      const { stored, superseded } = outcome
      record({ kind: 'late', client, stored, superseded })
    }
    if (outcome === undefined || outcome.kind === 'missed') return false
    this.done += 1
    return true
  }

  async #executeServer(): Promise<void> {
    for (const { share, fault } of this.#options.plan.server) {
      while (!this.#isOver && this.#options.share() < share) await pause(10)
      if (this.#isOver) return
      await this.#applyToServer(fault)
      this.done += 1
    }
  }

  async #applyToServer(fault: ServerFault): Promise<void> {
    const { site, doors, record } = this.#options
    record({ kind: 'fault', fault })
    const first = fault.downMs % doors.length
    const deaf = [...doors.slice(first), ...doors.slice(0, first)].slice(0, fault.deaf)
    const cuts = deaf.map((door) => door.deafen())
    await pause(DEAF_MS)
    switch (fault.kind) {
      case 'restart':
        if (!site.remembers) record({ kind: 'epoch-ended' })
        await site.restart(fault.signal, fault.downMs)
        break
      case 'worker-killed':
        await site.killWorker(fault.worker, fault.downMs)
        break
      case 'redis-restarted':
        record({ kind: 'epoch-ended' })
        await site.restartRedis(fault.downMs)
    }
    for (const cut of cuts) cut()
  }

  get #isOver(): boolean {
    return this.#options.isOver()
  }
}
