/**
 * Runs what a state asks for. After each transition the wanted work is compared with the running work:
 * what is missing is started, what is no longer wanted is stopped and muted. So a stale promise or a late
 * event of a dead socket cannot reach a machine, and no transition ever says "cancel".
 */
export interface Machine<State, Event, Work extends { readonly key: string }> {
  readonly initial: State
  transition(state: State, event: Event): State
  workOf(state: State): readonly Work[]
  /** Starts one piece of work. `report` speaks to the machine until the returned stop was called. */
  start(work: Work, report: (event: Event) => void): () => void
  changed(next: State, previous: State, event: Event): void
}

export class Runtime<State, Event, Work extends { readonly key: string }> {
  readonly #machine: Machine<State, Event, Work>
  readonly #running = new Map<string, { stop: () => void }>()
  readonly #queue: (() => void)[] = []
  #state: State
  #draining = false

  constructor(machine: Machine<State, Event, Work>) {
    this.#machine = machine
    this.#state = machine.initial
  }

  get state(): State {
    return this.#state
  }

  dispatch(event: Event): void {
    this.#enqueue(() => this.#step(event))
  }

  /** Events that arrive while one is handled wait their turn: a transition is never entered twice. */
  #enqueue(turn: () => void): void {
    this.#queue.push(turn)
    if (this.#draining) return
    this.#draining = true
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next()
    } finally {
      this.#draining = false
    }
  }

  #step(event: Event): void {
    const previous = this.#state
    const next = this.#machine.transition(previous, event)
    if (next === previous) return
    this.#state = next
    this.#reconcile()
    this.#machine.changed(next, previous, event)
  }

  #reconcile(): void {
    const wanted = this.#machine.workOf(this.#state)
    const keys = new Set(wanted.map(({ key }) => key))
    for (const [key, work] of this.#running)
      if (!keys.has(key)) {
        this.#running.delete(key)
        work.stop()
      }
    for (const work of wanted) if (!this.#running.has(work.key)) this.#start(work)
  }

  #start(work: Work): void {
    const running = { stop: () => {} }
    this.#running.set(work.key, running)
    // Looked at when its turn comes: what came before may have ended this work.
    const report = (event: Event) =>
      this.#enqueue(() => {
        if (this.#running.get(work.key) === running) this.#step(event)
      })
    running.stop = this.#machine.start(work, report)
  }
}
