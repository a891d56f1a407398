/** Turns the cells of one server into tests, and writes what came of them to .cache/contract/. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerName, startServer, type TestServer } from '../support/servers.ts'
import type { Cell, RuntimeName } from './cell.ts'
import { deferred, eachAtOnce, type Outcomes, playAll, type Theatre } from './director.ts'
import { differencesOf, type Recorded, recordedOf, refreshesOf } from './judge.ts'
import { SERVERS } from './servers.ts'
import { cellsOf } from './situations.ts'

/** `AUTHED_SOCKET_MATRIX=full`: every situation with every carrier. */
const isFull = process.env['AUTHED_SOCKET_MATRIX'] === 'full'
/** For work on one cell: the tests whose names hold this text; all others are not defined. */
const only = process.env['AUTHED_SOCKET_CELLS'] ?? ''

const FOLDER = fileURLToPath(new URL('../../.cache/contract/', import.meta.url))

/** Defines the tests of some servers; so many servers are played at the same time. */
export function contract(
  names: readonly ServerName[],
  runtimes: readonly RuntimeName[],
  theatreOf: (cell: Cell) => Theatre,
  serversAtOnce = 1,
): void {
  const playings = names.map((name) => new Playing(name, runtimes))
  beforeAll(() => {
    // Not awaited: each test waits for its own cell.
    eachAtOnce(playings, serversAtOnce, (playing) => playing.run(theatreOf))
  })
  afterAll(() => Promise.all(playings.map((playing) => playing.stop())))
  for (const playing of playings)
    if (playing.hasCells) describe(playing.name, () => playing.define())
}

/** One server, from its start to its end. */
class Playing {
  readonly name: ServerName
  readonly #runtimes: readonly RuntimeName[]
  readonly #cells: readonly Cell[]
  readonly #recorded: Recorded[] = []
  readonly #started = deferred<Outcomes>()
  #server: TestServer | undefined

  constructor(name: ServerName, runtimes: readonly RuntimeName[]) {
    this.name = name
    this.#runtimes = runtimes
    const cells = runtimes.flatMap((runtime) => cellsOf(SERVERS[name], runtime, isFull))
    const wanted = cells.filter((cell) => `${name} ${titleOf(cell)}`.includes(only))
    // In the order in which they are played, so that no test waits for the cells of another.
    const phases = [...new Set(wanted.map(({ phase }) => phase))]
    this.#cells = phases.flatMap((phase) => wanted.filter((cell) => cell.phase === phase))
  }

  get hasCells(): boolean {
    return this.#cells.length > 0
  }

  define(): void {
    for (const cell of this.#cells)
      it(titleOf(cell), async () => {
        const result = await (await this.#started.promise).get(cell)
        if (!result) throw new Error('not played')
        const differences = differencesOf(cell, result)
        if (differences.length === 0)
          this.#recorded.push(recordedOf(cell, result, refreshesOf(cell, result)))
        const details =
          differences.length > 0 && JSON.stringify({ ...result, differences }, null, 1)
        expect(differences, details || '').toEqual([])
      })
  }

  /** Never rejects: what goes wrong belongs to the tests that wait for it. */
  async run(theatreOf: (cell: Cell) => Theatre): Promise<void> {
    if (!this.hasCells) return
    try {
      this.#server = await startServer(this.name)
      const outcomes = playAll(this.#server, this.#cells, theatreOf)
      this.#started.resolve(outcomes)
      await Promise.allSettled(outcomes.values())
    } catch (error) {
      this.#started.promise.catch(() => {})
      this.#started.reject(error)
    }
    await this.#server?.stop()
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    if (only === '') record(this.name, this.#runtimes, this.#cells.length, this.#recorded)
  }
}

const titleOf = ({ endpoint, carrier, runtime, situation }: Cell): string =>
  `${situation} (${endpoint} by ${carrier}, ${runtime})`

/** For scripts/docs-servers.mjs, which takes nothing from a run with failures. */
function record(
  name: ServerName,
  runtimes: readonly string[],
  cells: number,
  outcomes: readonly Recorded[],
): void {
  mkdirSync(FOLDER, { recursive: true })
  const file = `${isFull ? 'full-' : ''}${name}-${runtimes.join('-')}.json`
  writeFileSync(join(FOLDER, file), `${JSON.stringify({ cells, outcomes }, null, 1)}\n`)
}
