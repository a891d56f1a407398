import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { edit } from './planted/bug.ts'
import { BUGS } from './planted/bugs.ts'
import { tryOut } from './planted/trial.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Some seconds where nobody else works. */
const LIMIT_MS = 300_000
const TINY = { messages: 200, reconnects: 20, faults: 60 }

describe('A planted bug', () => {
  test.each(BUGS)('fits the program: $name', async ({ edits }) => {
    for (const each of edits) edit(await readFile(`${ROOT}${each.file}`, 'utf8'), each)
  })

  // Those of `npm run test:planted` that show in a few messages.
  const quick = [
    'no send is repeated',
    'missed messages are thrown away',
    'a gap is invented at each return',
    'the server stores a repetition again',
  ]
  test.concurrent.each(quick)(
    'is found: %s',
    async (name) => {
      const bug = BUGS.find((each) => each.name === name)
      if (bug === undefined) throw new Error('there is no such bug')
      const { broken } = await tryOut({ ...bug, options: TINY })
      // A run that is cut off for its time has found nothing.
      const { 'never-quiet': _, shortfall: __, ...found } = broken
      expect(found).not.toEqual({})
    },
    LIMIT_MS,
  )

  test.concurrent(
    'is not found where there is none',
    async () => {
      const { broken } = await tryOut({ name: 'nothing', edits: [], options: TINY })
      expect(broken).toEqual({})
    },
    LIMIT_MS,
  )
})
