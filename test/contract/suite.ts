/** Turns the cells of one server into tests, and writes what came of them to .cache/contract/. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerName, startServer, type TestServer } from '../support/servers.ts'
import type { Cell, RuntimeName } from './cell.ts'
import { type Outcomes, playAll, type Theatre } from './director.ts'
import { differencesOf, type Recorded, recordedOf, refreshesOf } from './judge.ts'
import { SERVERS } from './servers.ts'
import { cellsOf } from './situations.ts'

/** `AUTHED_SOCKET_MATRIX=full`: every situation with every carrier. */
const isFull = process.env['AUTHED_SOCKET_MATRIX'] === 'full'
/** For work on one cell: the tests whose names hold this text; all others are not defined. */
const only = process.env['AUTHED_SOCKET_CELLS'] ?? ''

const FOLDER = fileURLToPath(new URL('../../.cache/contract/', import.meta.url))

export function contract(
  name: ServerName,
  runtimes: readonly RuntimeName[],
  theatreOf: (cell: Cell) => Theatre,
): void {
  const cells = runtimes
    .flatMap((runtime) => cellsOf(SERVERS[name], runtime, isFull))
    .filter((cell) => `${name} ${titleOf(cell)}`.includes(only))
  describe(name, () => {
    let server: TestServer
    let outcomes: Outcomes
    const recorded: Recorded[] = []
    beforeAll(async () => {
      server = await startServer(name)
      outcomes = playAll(server, cells, theatreOf)
    })
    afterAll(async () => {
      await server?.stop()
      record(name, runtimes, recorded)
    })
    // In the order in which they are played, so that each test waits for its own cell only.
    for (const cell of inOrder(cells))
      it(titleOf(cell), async () => {
        const result = await outcomes.get(cell)
        if (!result) throw new Error('not played')
        recorded.push(recordedOf(cell, result, refreshesOf(cell, result)))
        const differences = differencesOf(cell, result)
        expect(
          differences,
          differences.length > 0 ? JSON.stringify({ ...result, differences }, null, 1) : '',
        ).toEqual([])
      })
  })
}

function inOrder(cells: readonly Cell[]): Cell[] {
  const phases = [...new Set(cells.map(({ phase }) => phase))]
  return phases.flatMap((phase) => cells.filter((cell) => cell.phase === phase))
}

const titleOf = ({ endpoint, carrier, runtime, situation }: Cell): string =>
  `${situation} (${endpoint} by ${carrier}, ${runtime})`

function record(
  name: ServerName,
  runtimes: readonly string[],
  recorded: readonly Recorded[],
): void {
  if (only !== '') return
  mkdirSync(FOLDER, { recursive: true })
  const file = `${isFull ? 'full-' : ''}${name}-${runtimes.join('-')}.json`
  writeFileSync(join(FOLDER, file), `${JSON.stringify(recorded, null, 1)}\n`)
}
