/** Scripts of servers and token sources that stories are told with. */
import type { Answer, Asked, Options, Server, Source, Step, Token } from './simulator.ts'
import { LATENCY_MS, Simulator, START } from './simulator.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const from = (afterMs: number) => (answer: Answer) => ({ answer, afterMs })
const soon = from(2 * LATENCY_MS)

/** A new value each time. */
export const renewing =
  (
    make: (n: number, at: number) => Partial<Token> = () => ({}),
    afterMs = 2 * LATENCY_MS,
  ): Source =>
  ({ n, at }) =>
    from(afterMs)({ token: { value: `token ${n}`, ...make(n, at) } })

/** The same value each time. */
export const constant =
  (token: Partial<Token> = {}): Source =>
  () =>
    soon({ token: { value: 'the token', ...token } })

export const saying =
  (say: 'unavailable' | 'refused' | 'signed-out', retryAfterMs?: number): Source =>
  () =>
    soon({ say, ...(retryAfterMs !== undefined && { retryAfterMs }) })

/** Another source for each request; the last one goes on. */
export const inTurn =
  (...sources: [Source, ...Source[]]): Source =>
  (asked: Asked) =>
    (sources[asked.n - 1] ?? sources[sources.length - 1] ?? sources[0])(asked)

const OPEN: Step = { afterMs: 2 * LATENCY_MS, do: 'open' }

/** Opens, and stays. */
export const accept: Server = () => [OPEN]
/** Accepts, and closes so long after the open. */
export const acceptThen =
  (code: number, openMs: number): Server =>
  () => [OPEN, { afterMs: 2 * LATENCY_MS + openMs, do: 'close', code }]
/** Closes with 4003 as soon as it has accepted. */
const REJECTED: readonly Step[] = [OPEN, { afterMs: 2 * LATENCY_MS + 1, do: 'close', code: 4003 }]
export const reject: Server = () => REJECTED
/** Refuses before it accepts: 1006, and nothing more is seen. */
export const refuseUnseen: Server = () => [{ afterMs: 2 * LATENCY_MS, do: 'fail' }]
export const hang: Server = () => []

/** Accepts, and closes with 4003 when the token dies. */
export const untilExpiry: Server = ({ at, token }) => {
  const left = (token.diesAt ?? Number.POSITIVE_INFINITY) - at - LATENCY_MS
  if (left <= 0) return REJECTED
  if (left === Number.POSITIVE_INFINITY) return [OPEN]
  return [OPEN, { afterMs: LATENCY_MS + left + LATENCY_MS, do: 'close', code: 4003 }]
}

/** Another server for each dial of a link; the last one goes on. */
export const dialInTurn =
  (...servers: [Server, ...Server[]]): Server =>
  (dial) =>
    (servers[dial.n - 1] ?? servers[servers.length - 1] ?? servers[0])(dial)

/** Another server for each link; the last one for all others. */
export const perLink =
  (...servers: [Server, ...Server[]]): Server =>
  (dial) =>
    (servers[dial.link] ?? servers[servers.length - 1] ?? servers[0])(dial)

/** A JWT of the server's clock, in whole seconds, that dies when it says. */
export const jwt =
  (lifeSeconds: number) =>
  (_n: number, at: number): Partial<Token> => {
    const iat = Math.floor((START + at + LATENCY_MS) / 1_000)
    const exp = iat + lifeSeconds
    return { iat, exp, diesAt: exp * 1_000 - START }
  }

/** Its life is told beside it. */
export const opaque =
  (lifeMs: number) =>
  (_n: number, at: number): Partial<Token> => ({
    expiresInMs: lifeMs,
    diesAt: at + LATENCY_MS + lifeMs,
  })

/** Its life is known to the server only. */
export const secretive =
  (lifeMs: number) =>
  (_n: number, at: number): Partial<Token> => ({ diesAt: at + LATENCY_MS + lifeMs })

export const ids = (count: number): number[] => Array.from({ length: count }, (_, id) => id)

export const kinds = (sim: Simulator): string[] => sim.links.map(({ kind }) => kind)

/** One run for each seed: no story may hang on one draw. */
export const tell = (options: Options, play: (sim: Simulator) => void): void => {
  for (const seed of ids(8)) play(new Simulator({ ...options, seed }))
}

export const everFailed = (sim: Simulator): boolean =>
  sim.states.some(({ kind }) => kind === 'failed')

/** Token requests that had to bring another value. */
export const forced = (sim: Simulator): number => sim.requests.filter(({ fresh }) => fresh).length
