/** 2^31 - 1: beyond this, `setTimeout` fires at once. */
export const LONGEST_TIMER_MS = 2_147_483_647

/**
 * How long to wait. `roll` is a random number in [0, 1) that the shell draws for each event, so that no
 * two sockets and no two attempts move together. All results are in ms.
 *
 * @see RFC 6455 §7.2.3: the first reconnect is delayed by a random amount
 */
export const between = (low: number, high: number, roll: number): number =>
  low + (high - low) * roll

const FIRST = [200, 1_500] as const
const NEXT = [1_000, 4_000] as const
const CAP = 60_000
const DOUBLES_AFTER = 4
/** From so many attempts in a row on, the server is left in peace: about once a minute. */
const PATIENT_FROM = 10

/** The delay after the `failures`-th attempt in a row without a connection that lasted (from 1). */
export const backoffMs = (failures: number, roll: number): number => {
  if (failures <= 1) return between(...FIRST, roll)
  if (failures >= PATIENT_FROM) return between(45_000, 75_000, roll)
  const doublings = Math.max(0, failures - DOUBLES_AFTER)
  return between(NEXT[0], Math.min(CAP, NEXT[1] * 2 ** doublings), roll)
}

/** A server that restarts drops everybody at once: the first dial is spread wide. */
export const restartMs = (roll: number): number => between(0, 5_000, roll)

/** A restarting database refuses everybody for a moment, so the last rejection is a spaced one. */
export const confirmingMs = (roll: number): number => between(5_000, 15_000, roll)

/** The delay after the `failures`-th token request in a row without an answer (from 1). */
export const sourceBackoffMs = (failures: number, roll: number): number => {
  const upper = Math.min(120_000, 4_000 * 2 ** (failures - 1))
  return between(upper / 2, upper, roll)
}

/** Flapping networks shorten a wait once in so long. */
export const NUDGE_EVERY_MS = 5_000

/** So often they may try a session once more that the server had rejected. */
export const RETRY_EVERY_MS = 30_000

/** So seldom the host is asked, for all sockets of a session: an outage must not cost two connections for each dial. */
export const HOST_EVERY_MS = 30_000

const DRAIN_MS = 2_000

/** A drained connection is left within what the server gives, and not in its first 2 s: a server that drains for ever makes no loop. */
export const drainMs = (withinMs: number, openMs: number, roll: number): number =>
  Math.max(between(0, Math.max(withinMs, DRAIN_MS), roll), DRAIN_MS - openMs)
