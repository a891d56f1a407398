import { afterAll, beforeAll } from 'vitest'
import type { Cell } from '../contract/cell.ts'
import { ALL_SERVERS } from '../contract/servers.ts'
import { contract } from '../contract/suite.ts'
import { type ChromiumTheatres, openChromium } from '../contract/theatres.ts'

let chromium: ChromiumTheatres
beforeAll(async () => {
  chromium = await openChromium()
})
afterAll(() => chromium?.close())

const theatreOf = (cell: Cell) => chromium.theatreOf(cell)
for (const name of ALL_SERVERS) contract(name, ['chromium'], theatreOf)
