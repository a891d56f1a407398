/**
 * What may go wrong, as data, and the plan of it: a pure function of a seed.
 *
 * Only what a network may do to TCP: the bytes of one direction come in order, late or never, and what is
 * lost is the rest of that direction. A frame is dropped only when the connection is cut soon after, so that
 * a server which answers later would look the same.
 */
import { seeded } from '../support/seeded.ts'

/** `up`: from the client to the server. */
export type Direction = 'up' | 'down'

/** Happens to the connection of one client. */
export type LineFault =
  /** After so many further bytes of one direction nothing more gets through, and both sides are ended. */
  | {
      readonly kind: 'cut'
      readonly direction: Direction
      readonly afterBytes: number
      readonly how: 'fin' | 'reset'
      /** `next`: counted from the first byte of the next dial, so that handshakes and resumes are cut too. */
      readonly dial: 'this' | 'next'
    }
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'hole'
      readonly direction: Direction | 'both'
      readonly forMs: number
      /**
       * - `release`: what was held arrives late.
       * - `cut`: it never arrives.
       * - `reconnect`: the application dials anew; what was held arrives at the socket that was left.
       * - `given-up`: the same, when the client has found out by itself.
       */
      readonly end: 'release' | 'cut' | 'reconnect' | 'given-up'
    }
  | {
      readonly kind: 'delay'
      readonly direction: Direction
      readonly byMs: number
      readonly forMs: number
    }
  /** So many bytes travel one by one. */
  | { readonly kind: 'slices'; readonly direction: Direction; readonly bytes: number }
  /**
   * The client loses its connection and dials anew, while the server still holds the old one; what was on its
   * way there arrives only after the new connection was welcomed.
   */
  | { readonly kind: 'linger'; readonly holdMs: number; readonly lateMs: number }
  /** The server's side closes with this code. */
  | { readonly kind: 'close'; readonly code: number }
  /** `ok`: so many are lost, then the line. `joined`: of the next dial, with everything behind it. */
  | {
      readonly kind: 'drop'
      readonly frame: 'ok' | 'joined'
      readonly count: number
      readonly cutAfterMs: number
    }

/** Happens to what the clients connect to. */
export type ServerFault =
  /** The process ends and starts again. `deaf`: so many clients hear nothing in the last moments before. */
  | {
      readonly kind: 'restart'
      readonly signal: 'SIGTERM' | 'SIGKILL'
      readonly downMs: number
      readonly deaf: number
    }
  | {
      readonly kind: 'worker-killed'
      /** Taken modulo the number of workers. */
      readonly worker: number
      readonly downMs: number
      readonly deaf: number
    }
  /** Its memory is gone. */
  | { readonly kind: 'redis-restarted'; readonly downMs: number; readonly deaf: number }

export type Fault = LineFault | ServerFault

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
}

/** Ends a connection, so that the client dials anew. */
export const breaks = (fault: Fault): boolean => {
  switch (fault.kind) {
    case 'delay':
    case 'slices':
      return false
    case 'hole':
      return fault.end !== 'release'
    default:
      return true
  }
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
  (dice) => ({
    kind: 'drop',
    frame: 'ok',
    count: dice.from(1, 8),
    cutAfterMs: dice.from(0, 100),
  }),
  (dice) => ({ kind: 'drop', frame: 'joined', count: 1, cutAfterMs: dice.from(0, 50) }),
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

/** Each kind in turn, so that small plans hold all of them. */
const draw = (dice: Dice, count: number, makers: readonly Make[]): LineFault[] => {
  const faults: LineFault[] = []
  while (faults.length < count)
    for (const make of dice.shuffled(makers)) if (faults.length < count) faults.push(make(dice))
  return faults
}

const lineFaults = (dice: Dice, size: PlanSize): LineFault[] => {
  const { clients, reconnects, faults, givenUp, ...server } = size
  const total = Math.max(0, faults - server.restarts - server.workerKills - server.redisRestarts)
  const refused = Math.min(clients, Math.floor(reconnects / 20))
  const breaking = Math.min(total, Math.max(reconnects, refused + givenUp))
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
  ].slice(0, breaking)
  return [
    ...special,
    ...dice.shuffled([
      ...draw(dice, breaking - special.length, BREAKING),
      ...draw(dice, total - breaking, MILD),
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

/** The same seed and size, the same plan. */
export const planOf = (seed: number, size: PlanSize): Plan => {
  const dice = new Dice(seed)
  const scripts: LineStep[][] = Array.from({ length: size.clients }, () => [])
  // The special ones come first, one a client: which client is drawn, and when in its script too.
  const turns = dice.shuffled(scripts)
  lineFaults(dice, size).forEach((fault, index) => {
    turns[index % turns.length]?.push({ pauseMs: dice.from(0, 200), fault })
  })
  const faults = serverFaults(dice, size)
  return {
    seed,
    scripts: scripts.map((steps) => dice.shuffled(steps)),
    // Not at the very start nor at the very end, and apart.
    server: faults.map((fault, index) => ({ share: (index + 0.5) / (faults.length + 0.1), fault })),
  }
}
