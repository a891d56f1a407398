/**
 * When a quiet connection is pinged, and when its silence means that it is dead. Times are epoch ms.
 */

/** How a connection is pinged. */
export interface Pace {
  /** A ping follows so long after the last sign of life, and after the ping before, in ms. */
  readonly everyMs: number
  /** Dead when nothing has come so long after a ping, in ms. Absent: pings keep it open, and tell nothing. */
  readonly timeoutMs?: number | undefined
}

/** What one connection has shown. */
export interface Life {
  /** When something last came; at first, the open. */
  readonly heardAt: number
  /** The last ping; at first, the open. */
  readonly pingedAt: number
  /** The first ping that nothing has followed. */
  readonly owed?: Owed | undefined
  /** The slowest answer to a ping. */
  readonly slowestMs: number
  /** How long it took to open. */
  readonly handshakeMs: number
}

interface Owed {
  /** When it left: what was sent before goes first. */
  readonly since: number
  readonly dueAt: number
  /** A look is late where the thread was busy or asleep, and answers wait behind it: so it is looked twice. */
  readonly graceUntil?: number
  /** Asked for because something may have happened to the line. */
  readonly isCheck?: true
}

/** TCP sends a lost packet again, later each time: an answer may take several times as long as any before. */
const LOSSES = 5
const LONGEST_MS = 60_000
/** After a wake the answer is awaited as a person would. */
const CHECK_MS = [3_000, 10_000] as const
/** For answers that are there, and have not had a turn yet. */
const TURN_MS = 50

export const opened = (at: number, handshakeMs: number): Life => ({
  heardAt: at,
  pingedAt: at,
  slowestMs: 0,
  handshakeMs,
})

export const nextLookAt = ({ heardAt, pingedAt, owed }: Life, { everyMs }: Pace): number =>
  Math.min(owed ? (owed.graceUntil ?? owed.dueAt) : Infinity, Math.max(heardAt, pingedAt) + everyMs)

export const heard = (life: Life, at: number): Life => {
  const { owed, slowestMs } = life
  // What comes after that was late for another reason.
  const tookMs = owed ? Math.min(at, owed.dueAt) - owed.since : 0
  return { ...life, heardAt: at, owed: undefined, slowestMs: Math.max(slowestMs, tookMs) }
}

/** @param lagMs how long what was sent before may take to leave */
export const pinged = (life: Life, pace: Pace, at: number, lagMs: number): Life => {
  const { timeoutMs = Infinity } = pace
  const since = at + lagMs
  const patienceMs = Math.max(timeoutMs, Math.min(LOSSES * life.slowestMs, LONGEST_MS))
  return { ...life, pingedAt: at, owed: life.owed ?? { since, dueAt: since + patienceMs } }
}

/** A ping because something may have happened. While one is out, another reason changes nothing. */
export const checked = (life: Life, at: number, lagMs: number): Life => {
  if (life.owed?.isCheck) return life
  const since = at + lagMs
  return {
    ...life,
    pingedAt: at,
    owed: { since, dueAt: since + checkMs(life), isCheck: true },
  }
}

const checkMs = ({ slowestMs, handshakeMs }: Life): number =>
  Math.min(Math.max(3 * Math.max(slowestMs, handshakeMs), CHECK_MS[0]), CHECK_MS[1])

export type Sight = 'quiet' | 'to ping' | 'spared' | 'dead'

/** What is to be done. `spared`: there is one more look, so that an answer has its turn. */
export const sightOf = (life: Life, pace: Pace, at: number): Sight => {
  const { owed } = life
  if (owed && at >= (owed.graceUntil ?? owed.dueAt)) return owed.graceUntil ? 'dead' : 'spared'
  return at >= nextLookAt(life, pace) ? 'to ping' : 'quiet'
}

export const spared = (life: Life, at: number, lateMs: number): Life => ({
  ...life,
  ...(life.owed && {
    owed: {
      ...life.owed,
      graceUntil: at + Math.max(TURN_MS, Math.min(2 * lateMs, checkMs(life))),
    },
  }),
})

/** The clock was set, or bytes came that are no frame yet. */
export const renewed = (life: Life, at: number): Life => ({
  ...life,
  heardAt: at,
  pingedAt: Math.min(life.pingedAt, at),
  owed: undefined,
})
