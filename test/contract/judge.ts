/** Compares what came of a cell with what had to come of it. */
import type {
  Cell,
  Count,
  Expectation,
  FrontCount,
  Outcome,
  Result,
  RoomExpectation,
} from './cell.ts'

/** @returns one sentence for each difference; none: the cell is as it has to be */
export function differencesOf(cell: Cell, result: Result): string[] {
  const { expected } = cell
  const { outcome } = result
  const differences: string[] = []
  const same = (what: string, wanted: unknown, got: unknown) => {
    if (wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(got))
      differences.push(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`)
  }
  const within = (what: string, wanted: Count | undefined, got: number) => {
    if (wanted !== undefined && !isWithin(wanted, got))
      differences.push(`${what}: ${got} instead of ${countText(wanted)}`)
  }
  if (outcome.stuck !== undefined) differences.push(`did not get past: ${outcome.stuck}`)
  same('state', expected.state, outcome.state)
  same('error', expected.error, outcome.error?.name)
  if (typeof expected.shows !== 'object') same('the error shows', expected.shows, shownBy(outcome))
  else if (!expected.shows.some((code) => code === shownBy(outcome)))
    differences.push(
      `the error shows: ${shownBy(outcome)} instead of ${expected.shows.join(' or ')}`,
    )
  same('action', expected.action, outcome.action)
  for (const state of expected.never ?? [])
    if (outcome.states.includes(state)) differences.push(`was ${state} on the way`)
  for (const name of expected.shown ?? [])
    if (!outcome.problems.some((problem) => problem.startsWith(name)))
      differences.push(`never showed ${name}`)
  within('dials', expected.dials, result.front.dials)
  within('token requests', expected.tokenRequests, tokenRequestsOf(cell, result))
  within('refreshes', expected.refreshes, refreshesOf(cell, result))
  for (const [room, wanted] of Object.entries(expected.rooms ?? {}))
    compareRoom(room, wanted, result, { same, within })
  compareSince(cell, result, { same, within })
  same('places with a token', [], outcome.leaks)
  return differences
}

interface Compare {
  same(what: string, wanted: unknown, got: unknown): void
  within(what: string, wanted: Count | undefined, got: number): void
}

function compareRoom(
  room: string,
  wanted: RoomExpectation,
  { outcome, received }: Result,
  { same, within }: Compare,
): void {
  const got = outcome.rooms[room]
  same(`state of ${room}`, wanted.state, got?.state)
  same(`error of ${room}`, wanted.error, got?.error)
  same(`messages of ${room}`, wanted.messages, got?.messages)
  same(`what the server received in ${room}`, wanted.received, received[room] ?? [])
  within(`joins of ${room}`, wanted.joins, got?.joins ?? 0)
}

function compareSince(cell: Cell, result: Result, { same, within }: Compare): void {
  const { silentSince, since, until } = cell.expected
  if (until !== undefined)
    within(
      `refreshes until ${until.count}`,
      until.refreshes,
      refreshesAt(cell, result, result.counts[until.count]),
    )
  if (silentSince !== undefined) {
    const before = result.counts[silentSince]
    same('dials in the quiet', before?.dials, result.front.dials)
    same('token requests in the quiet', before?.tokenRequests, result.front.tokenRequests)
    same('calls in the quiet', before?.asks, result.outcome.asks.length)
    same('states in the quiet', 0, result.outcome.statesSince[silentSince])
  }
  if (since !== undefined) {
    const before = result.counts[since.count]
    const dials = result.front.dials - (before?.dials ?? 0)
    within(`dials since ${since.count}`, since.dials, dials)
    const refreshes = refreshesOf(cell, result) - refreshesAt(cell, result, before)
    within(`refreshes since ${since.count}`, since.refreshes, refreshes)
  }
}

export function tokenRequestsOf({ auth }: Cell, { front, outcome }: Result): number {
  return auth.kind === 'function' ? outcome.asks.length : front.tokenRequests
}

export function refreshesOf(cell: Cell, result: Result): number {
  if (cell.auth.kind === 'function') return demandsIn(result.outcome.asks)
  return refreshesAt(cell, result, { ...result.front, asks: 0 })
}

function refreshesAt(
  { auth }: Cell,
  { outcome }: Result,
  count: (FrontCount & { asks: number }) | undefined,
): number {
  if (count === undefined) return 0
  if (auth.kind === 'function') return demandsIn(outcome.asks.slice(0, count.asks))
  const logins = auth.kind === 'login' || auth.user !== undefined ? 1 : 0
  return Math.max(0, count.tokenRequests - logins)
}

const demandsIn = (asks: readonly string[]): number =>
  asks.filter((ask) => ask.endsWith('!')).length

const isWithin = (wanted: Count, got: number): boolean =>
  typeof wanted === 'number'
    ? got === wanted
    : got >= (wanted.min ?? 0) && got <= (wanted.max ?? Number.POSITIVE_INFINITY)

export function countText(count: Count): string {
  if (typeof count === 'number') return String(count)
  const { min, max } = count
  if (max === undefined) return `${min ?? 0} or more`
  return min === undefined ? `at most ${max}` : `${min} to ${max}`
}

/** The part of an outcome that does not vary from run to run, for docs/servers.md. */
export interface Recorded {
  readonly server: string
  readonly endpoint: string
  readonly situation: string
  readonly runtime: string
  readonly carrier: string
  readonly state: string
  readonly error?: string
  readonly shows?: number
  readonly dials: string
  readonly refreshes: string
}

const shownBy = ({ error }: Outcome): number | undefined => error?.shows

export function recordedOf(cell: Cell, { outcome, front }: Result, refreshes: number): Recorded {
  const { server, endpoint, situation, runtime, carrier, expected } = cell
  // Of several that may come, the first one is what mostly does.
  const shows = typeof expected.shows === 'object' ? expected.shows[0] : shownBy(outcome)
  return {
    server,
    endpoint,
    situation,
    runtime,
    carrier,
    state: outcome.state,
    ...(outcome.error && { error: outcome.error.name }),
    ...(shows !== undefined && { shows }),
    dials: steady(expected, 'dials', front.dials),
    refreshes: steady(expected, 'refreshes', refreshes),
  }
}

/** A number where it is always the same one, and the bound of it where it is not. */
function steady(expected: Expectation, name: 'dials' | 'refreshes', got: number): string {
  const wanted = expected[name]
  if (typeof wanted === 'number') return String(got)
  if (expected.state === 'waiting' && name === 'dials') return 'goes on'
  return wanted.max === undefined ? `${wanted.min ?? 0}+` : `≤ ${wanted.max}`
}
