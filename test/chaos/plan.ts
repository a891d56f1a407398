/** The plan of a run: a pure function of a seed. */
import { seeded } from '../support/seeded.ts'
import type { Direction, LineFault, ServerFault } from './faults.ts'

export interface LineStep {
  /** After the one before it, in ms. */
  readonly pauseMs: number
  readonly fault: LineFault
}

export interface ServerStep {
  /** When this share of the messages was acknowledged, 0 to 1. */
  readonly share: number
  readonly fault: ServerFault
}

export interface Plan {
  readonly seed: number
  /** One script a client. */
  readonly scripts: readonly (readonly LineStep[])[]
  readonly server: readonly ServerStep[]
}

export interface PlanSize {
  readonly clients: number
  /** All faults together, those of the server included. */
  readonly faults: number
  /** So many of them end a client's connection, at least. */
  readonly reconnects: number
  readonly restarts: number
  readonly workerKills: number
  readonly redisRestarts: number
  /** Holes that end only when the client has found out: they take its whole heartbeat. */
  readonly givenUp: number
  /** At connections that get a successor: their tokens end. */
  readonly successions: number
  /** So many clients hear nothing for so long, and are cut off then. */
  readonly absences: { readonly count: number; readonly forMs: number }
}

/** Everything but 4003, which says that the token is no good: a client believes it at most twice. */
const CODES = [1000, 1001, 1011, 1012, 1013, 3500, 4001, 4999] as const
const REFUSED = 4003

/** Numbers of one seed, in the shapes that a plan needs. */
class Dice {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seeded(seed)
  }

  /** Whole, both included. */
  from(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1))
  }

  oneOf<Value>(values: readonly Value[]): Value {
    // There is one: the index is below the length, and no list is empty.
    return values[Math.floor(this.#next() * values.length)] as Value
  }

  shuffled<Value>(values: readonly Value[]): Value[] {
    return values
      .map((value) => ({ value, place: this.#next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ value }) => value)
  }
}

type Make = (dice: Dice) => LineFault

const direction = (dice: Dice): Direction => dice.oneOf(['up', 'down'])

const BREAKING: readonly Make[] = [
  (dice) => ({
    kind: 'cut',
    direction: direction(dice),
    afterBytes: dice.from(0, 2_000),
    how: dice.oneOf(['fin', 'reset']),
    dial: 'this',
  }),
  // A handshake has some 500 bytes; behind it come the welcome, the joins, and what was missed.
  (dice) => ({
    kind: 'cut',
    direction: direction(dice),
    afterBytes: dice.from(0, 4_000),
    how: dice.oneOf(['fin', 'reset']),
    dial: 'next',
  }),
  () => ({ kind: 'reset' }),
  (dice) => ({
    kind: 'hole',
    direction: dice.oneOf(['up', 'down', 'both']),
    forMs: dice.from(5, 300),
    end: dice.oneOf(['cut', 'reconnect']),
  }),
  (dice) => ({ kind: 'linger', holdMs: dice.from(5, 150), lateMs: dice.from(0, 100) }),
  (dice) => ({ kind: 'close', code: dice.oneOf(CODES) }),
  (dice) => ({ kind: 'drop', frame: 'ok', cutAfterMs: dice.from(0, 100) }),
  (dice) => ({ kind: 'drop', frame: 'joined', cutAfterMs: dice.from(0, 50) }),
]

const MILD: readonly Make[] = [
  (dice) => ({
    kind: 'hole',
    direction: dice.oneOf(['up', 'down', 'both']),
    forMs: dice.from(5, 400),
    end: 'release',
  }),
  (dice) => ({
    kind: 'delay',
    direction: direction(dice),
    byMs: dice.from(1, 150),
    forMs: dice.from(20, 500),
  }),
  (dice) => ({ kind: 'slices', direction: direction(dice), bytes: dice.from(10, 1_000) }),
]

const SUCCEEDED: readonly Make[] = [
  // Shorter, and longer, than a client waits for the last answers.
  (dice) => ({ kind: 'mute', forMs: dice.from(0, 1_500) }),
  () => ({ kind: 'hole', direction: 'up', forMs: 0, end: 'succeeded' }),
]

/** Each kind in turn, so that small plans hold all of them. */
const draw = (dice: Dice, count: number, makers: readonly Make[]): LineFault[] => {
  const faults: LineFault[] = []
  while (faults.length < count)
    for (const make of dice.shuffled(makers)) if (faults.length < count) faults.push(make(dice))
  return faults
}

const lineFaults = (dice: Dice, size: PlanSize): LineFault[] => {
  const { clients, reconnects, faults, givenUp, absences, successions, ...server } = size
  const total = Math.max(0, faults - server.restarts - server.workerKills - server.redisRestarts)
  const refused = Math.min(clients, Math.floor(reconnects / 20))
  const breaking = Math.min(total, Math.max(reconnects, refused + givenUp + absences.count))
  const succeeded = Math.min(successions, total - breaking)
  const special: LineFault[] = [
    ...Array.from({ length: refused }, (): LineFault => ({ kind: 'close', code: REFUSED })),
    ...Array.from(
      { length: givenUp },
      (): LineFault => ({
        kind: 'hole',
        direction: dice.oneOf(['up', 'down', 'both']),
        forMs: dice.from(0, 50),
        end: 'given-up',
      }),
    ),
    ...Array.from(
      { length: absences.count },
      (): LineFault => ({ kind: 'hole', direction: 'down', forMs: absences.forMs, end: 'cut' }),
    ),
  ].slice(0, breaking)
  return [
    ...special,
    ...dice.shuffled([
      ...draw(dice, breaking - special.length, BREAKING),
      ...draw(dice, succeeded, SUCCEEDED),
      ...draw(dice, total - breaking - succeeded, MILD),
    ]),
  ]
}

const serverFaults = (dice: Dice, size: PlanSize): ServerFault[] => {
  const deaf = () => dice.from(0, Math.ceil(size.clients / 2))
  const make = <Kind extends ServerFault>(count: number, one: (index: number) => Kind) =>
    Array.from({ length: count }, (_, index) => one(index))
  return dice.shuffled<ServerFault>([
    ...make(size.restarts, (index) => ({
      kind: 'restart',
      // The first one without a chance to say goodbye.
      signal: index % 2 === 0 ? 'SIGKILL' : 'SIGTERM',
      downMs: dice.from(0, 300),
      deaf: deaf(),
    })),
    ...make(size.workerKills, () => ({
      kind: 'worker-killed',
      worker: dice.from(0, 99),
      downMs: dice.from(0, 1_000),
      deaf: deaf(),
    })),
    ...make(size.redisRestarts, () => ({
      kind: 'redis-restarted',
      downMs: dice.from(0, 500),
      deaf: deaf(),
    })),
  ])
}

/** What most faults take, with the pause before. */
const USUAL_MS = 300
/** By its heartbeat a client finds a hole out after so long. */
const FOUND_OUT_MS = 12_000

/** How long a fault takes, in others. */
const weightOf = (fault: LineFault): number => {
  if (fault.kind !== 'hole') return 1
  const takesMs = fault.forMs + (fault.end === 'given-up' ? FOUND_OUT_MS : 0)
  return Math.max(1, Math.round(takesMs / USUAL_MS))
}

/** Each to the client that has least to bear. The special ones come first, so they go to one client each. */
const scriptsOf = (dice: Dice, size: PlanSize): LineStep[][] => {
  const scripts = Array.from({ length: size.clients }, () => ({
    steps: [] as LineStep[],
    weight: 0,
  }))
  const turns = dice.shuffled(scripts)
  for (const fault of lineFaults(dice, size)) {
    const lightest = turns.reduce((one, other) => (other.weight < one.weight ? other : one))
    lightest.steps.push({ pauseMs: dice.from(0, 200), fault })
    lightest.weight += weightOf(fault)
  }
  return scripts.map(({ steps }) => dice.shuffled(steps))
}

/** The same seed and size, the same plan. */
export const planOf = (seed: number, size: PlanSize): Plan => {
  const dice = new Dice(seed)
  const scripts = scriptsOf(dice, size)
  const faults = serverFaults(dice, size)
  return {
    seed,
    scripts,
    // Not at the very start nor at the very end, and apart.
    server: faults.map((fault, index) => ({ share: (index + 0.5) / (faults.length + 0.1), fault })),
  }
}
