import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { judge } from './program.ts'
import { SITE_NAMES } from './site.ts'

/** The slice of `npm run test:conservation`; the plan of a seed is always the same. */
const SLICE = { messages: 2_500, reconnects: 125, faults: 500, seed: 1, minutes: 3 }
/** The same with tokens that end all the time, each renewed by a second socket. */
const SWAPS = { messages: 1_500, reconnects: 90, faults: 300, seed: 1, minutes: 3, lifetime: 1_000 }
/** A minute where nobody else works. */
const LIMIT_MS = 360_000
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

// Beside each other: each waits for its own faults more than it works.
test.concurrent.each([
  ...SITE_NAMES.map((server) => ({ server, on: server as string, size: SLICE })),
  { server: 'node' as const, on: 'node, with two sockets now and then,', size: SWAPS },
])(
  'On $on nothing is lost, doubled, out of order or unexplained',
  async ({ server, size }) => {
    expect(await judge(ROOT, { server, ...size })).toEqual({ broken: {}, shortfalls: [] })
  },
  LIMIT_MS,
)
