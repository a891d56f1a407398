import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { judge } from './program.ts'
import { SITE_NAMES } from './site.ts'

/** The slice of `npm run test:conservation`; the plan of a seed is always the same. */
const SLICE = { messages: 5_000, reconnects: 250, faults: 1_000, seed: 1, minutes: 3 }
/** A minute where nobody else works. */
const LIMIT_MS = 360_000
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

// Beside each other: each waits for its own faults more than it works.
test.concurrent.each(SITE_NAMES)(
  'On %s nothing is lost, doubled, out of order or unexplained',
  async (server) => {
    expect(await judge(ROOT, { server, ...SLICE })).toEqual({ broken: {}, shortfalls: [] })
  },
  LIMIT_MS,
)
