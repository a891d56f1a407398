/** Plays the cells of one server: fills in what only a running server can give, and acts on their cues. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Front, startFront } from '../support/front.ts'
import type { TestServer } from '../support/servers.ts'
import type {
  AuthOrder,
  Cell,
  Cue,
  FrontCount,
  Outcome,
  Part,
  Result,
  TogetherAct,
  TokenOrder,
} from './cell.ts'
import { SERVERS } from './servers.ts'
import { PHASES, type PhaseName } from './situations.ts'

/** A runtime that plays parts; it calls `cue` and waits for it. */
export interface Theatre {
  play(part: Part, cue: (cue: Cue, asks: number) => Promise<void>): Promise<Outcome>
}

const PASSWORD = 'correct-horse'
/** Cells of a phase that run at the same time. More only makes timers late. */
const AT_ONCE = 10
/** How long a killed server stays away. */
const AWAY_MS = 300

export type Outcomes = ReadonlyMap<Cell, Promise<Result>>

interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(reason: unknown): void
}

/** Starts playing; each cell's result can be awaited on its own. */
export function playAll(
  server: TestServer,
  cells: readonly Cell[],
  theatreOf: (cell: Cell) => Theatre,
): Outcomes {
  const results = new Map(cells.map((cell) => [cell, deferred<Result>()]))
  const outcomes = new Map([...results].map(([cell, { promise }]) => [cell, promise]))
  for (const promise of outcomes.values()) promise.catch(() => {})
  const run = async () => {
    for (const phase of Object.keys(PHASES)) {
      const played = cells.filter((cell) => cell.phase === phase)
      if (played.length === 0) continue
      await server.control('reset')
      await server.control('settings', PHASES[phase as PhaseName])
      const gatherings = new Gatherings(server, played)
      await eachAtOnce(played, gatherings.isNeeded ? played.length : AT_ONCE, async (cell) => {
        const result = results.get(cell)
        try {
          result?.resolve(await playCell(server, cell, theatreOf(cell), gatherings))
        } catch (error) {
          result?.reject(error)
        } finally {
          gatherings.leave(cell)
        }
      })
    }
  }
  run().catch((error: unknown) => {
    for (const { reject } of results.values()) reject(error)
  })
  return outcomes
}

export async function eachAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}

let nextId = 1

async function playCell(
  server: TestServer,
  cell: Cell,
  theatre: Theatre,
  gatherings: Gatherings,
): Promise<Result> {
  const id = `c${process.pid}-${nextId++}`
  const front = await startFront({ target: server.port })
  const counts: Record<string, FrontCount & { asks: number }> = {}
  const cue = async (what: Cue, asks: number): Promise<void> => {
    switch (what.kind) {
      case 'count':
        counts[what.as] = { ...countOf(front), asks }
        return
      case 'front':
        for (const mode of what.modes) await front.setMode(mode)
        return
      case 'together':
        return gatherings.arrive(cell, what.act)
      case 'close':
        await closeSockets(server, cell, id, what.code)
    }
  }
  try {
    const part = await partOf(server, cell, front, id)
    const outcome = await theatre.play(part, cue)
    const received = await receivedBy(server, part)
    return { outcome, front: countOf(front), counts, received, timeline: timelineOf(front) }
  } finally {
    await front.close()
  }
}

/** When each dial came, from the first one on, and to which path: what an odd cell is explained by. */
const timelineOf = ({ dials }: Front): string[] =>
  dials.map(({ at, path }) => `${at - (dials[0]?.at ?? at)} ms ${path}`)

const countOf = ({ counts }: Front): FrontCount => ({
  dials: counts.dials,
  tokenRequests: counts.tokenRequests,
})

async function closeSockets(
  server: TestServer,
  cell: Cell,
  id: string,
  code: number,
): Promise<void> {
  const { protocol } = endpointOf(cell)
  // A socket without rooms cannot be named; the cells of that endpoint do not mind being closed together.
  const rooms = protocol === 'plain' ? [undefined] : cell.rooms.map((room) => roomName(id, room))
  await Promise.all(
    rooms.map((room) => server.control('close', { code, ...(room !== undefined && { room }) })),
  )
}

function endpointOf(cell: Cell) {
  const found = traitsOf(cell).endpoints.find(({ name }) => name === cell.endpoint)
  if (!found) throw new Error(`no endpoint ${cell.endpoint} on ${cell.server}`)
  return found
}

function traitsOf(cell: Cell) {
  const traits = Object.values(SERVERS).find(({ name }) => name === cell.server)
  if (!traits) throw new Error(`no server ${cell.server}`)
  return traits
}

const roomName = (id: string, alias: string): string =>
  alias === 'forbidden' ? alias : `${id}-${alias}`

async function partOf(server: TestServer, cell: Cell, front: Front, id: string): Promise<Part> {
  const endpoint = endpointOf(cell)
  return {
    id,
    url: `${front.wsUrl}${cell.path ?? endpoint.path}`,
    protocol: endpoint.protocol,
    carrier: cell.carrier,
    auth: await authOf(server, cell, cell.auth, front.url),
    options: cell.options,
    rooms: Object.fromEntries(cell.rooms.map((alias) => [alias, roomName(id, alias)])),
    script: cell.script,
  }
}

async function authOf(
  server: TestServer,
  cell: Cell,
  order: AuthOrder,
  origin: string,
): Promise<Part['auth']> {
  switch (order.kind) {
    case 'function': {
      const tokens: (string | null)[] = []
      for (const token of order.tokens) tokens.push(await tokenOf(server, token, tokens.length))
      return { kind: 'function', tokens }
    }
    case 'login':
      return {
        kind: 'login',
        dialect: traitsOf(cell).dialect,
        origin,
        username: order.user,
        password: PASSWORD,
      }
    case 'session':
      return {
        kind: 'session',
        origin,
        password: PASSWORD,
        ...(order.user !== undefined && { username: order.user }),
        ...(order.cookie && { cookie: `sessionid=${garbage()}` }),
      }
  }
}

/** Unique, in the form of a JWT, and worth nothing. */
const garbage = (): string =>
  `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.${crypto.randomUUID().replaceAll('-', '')}`

async function tokenOf(server: TestServer, order: TokenOrder, nth: number): Promise<string | null> {
  if (order.kind === 'none') return null
  if (order.kind === 'garbage') return garbage()
  const { user, kind } = order
  // Some tokens hold nothing but user and whole seconds: another life makes another token.
  const lifetimeMs = 300_000 + 1_000 * nth
  const asked = kind === 'valid' ? { user, kind, lifetimeMs } : { user, kind }
  const { access } = await server.control<{ access: string }>('mint', asked)
  return access
}

/** Frames cross the network after the client has handed them over. */
async function receivedBy(server: TestServer, part: Part): Promise<Record<string, string[]>> {
  await delay(20)
  const all = await server.control<{ room: string; data: unknown }[]>('received')
  const byRoom: Record<string, string[]> = {}
  for (const [alias, name] of Object.entries(part.rooms))
    byRoom[alias] =
      part.protocol === 'plain'
        ? all
            .filter(({ room }) => room === '')
            .map(({ data }) => textOf(data).split('|'))
            .flatMap(([writer, text]) => (writer === part.id && text !== undefined ? [text] : []))
        : all.filter(({ room }) => room === name).map(({ data }) => textOf(data))
  return byRoom
}

/** The text in `{ message }`, which in the rooms protocol is the `data` of a frame. */
function textOf(data: unknown): string {
  const frame: unknown = typeof data === 'string' ? JSON.parse(data) : data
  if (typeof frame !== 'object' || frame === null) return JSON.stringify(frame)
  if ('message' in frame && typeof frame.message === 'string') return frame.message
  return 'data' in frame ? textOf(frame.data) : JSON.stringify(frame)
}

/** What is done to the whole server is done once, when every cell that asks for it is ready. */
class Gatherings {
  readonly #server: TestServer
  readonly #waiting = new Map<TogetherAct, { missing: Set<Cell>; done: Deferred<void> }>()

  constructor(server: TestServer, cells: readonly Cell[]) {
    this.#server = server
    for (const cell of cells)
      for (const act of actsOf(cell)) {
        const gathering = this.#waiting.get(act) ?? { missing: new Set(), done: deferred<void>() }
        gathering.missing.add(cell)
        this.#waiting.set(act, gathering)
      }
  }

  get isNeeded(): boolean {
    return this.#waiting.size > 0
  }

  arrive(cell: Cell, act: TogetherAct): Promise<void> {
    this.#remove(cell, act)
    return this.#waiting.get(act)?.done.promise ?? Promise.resolve()
  }

  /** A cell that ended early must not keep the others waiting. */
  leave(cell: Cell): void {
    for (const act of actsOf(cell)) this.#remove(cell, act)
  }

  #remove(cell: Cell, act: TogetherAct): void {
    const gathering = this.#waiting.get(act)
    if (!gathering?.missing.delete(cell) || gathering.missing.size > 0) return
    this.#do(act).then(gathering.done.resolve, gathering.done.reject)
  }

  async #do(act: TogetherAct): Promise<void> {
    switch (act) {
      case 'revoke':
        await this.#server.control('revoke', { user: 'bob' })
        return
      case 'delete-user':
        await this.#server.control('delete-user', { user: 'bob' })
        return
      case 'kill-and-restart':
        await this.#server.kill('SIGKILL')
        await delay(AWAY_MS)
        await this.#server.restart()
    }
  }
}

function actsOf(cell: Cell): TogetherAct[] {
  return cell.script.flatMap((step) =>
    step.do === 'cue' && step.cue.kind === 'together' ? [step.cue.act] : [],
  )
}

export function deferred<Value>(): Deferred<Value> {
  let settle: Omit<Deferred<Value>, 'promise'> | undefined
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject }
  })
  if (!settle) throw new Error('a promise runs its executor at once')
  return { promise, ...settle }
}
