import { afterAll, beforeAll } from 'vitest'
import { ALL_SERVERS } from '../contract/servers.ts'
import { contract } from '../contract/suite.ts'
import { type ChromiumTheatres, openChromium } from '../contract/theatres.ts'

let chromium: ChromiumTheatres
beforeAll(async () => {
  chromium = await openChromium()
})
afterAll(() => chromium?.close())

contract(ALL_SERVERS, ['chromium'], (cell) => chromium.theatreOf(cell), 3)
