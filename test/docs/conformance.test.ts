/** docs/conformance.md and its example. */
import { describe, expect, it } from 'vitest'
import { expectRooms } from '../../examples/conformance.ts'
import { FLAGS } from '../../src/conformance/arguments.ts'
import { SECTIONS } from '../../src/conformance/check.ts'
import { brokenServer } from '../unit/conformance/broken-server.ts'
import { MUTATIONS } from '../unit/conformance/mutations.ts'
import { read, tableUnder } from './markdown.ts'

const page = read('docs/conformance.md')

describe('docs/conformance.md', () => {
  it('says what each section means', () => {
    const rows = tableUnder('docs/conformance.md', 'What each section means')
    const sections = rows.flatMap(([cell = '']) => cell.split(', '))
    expect(sections.sort()).toEqual(Object.values(SECTIONS).sort())
  })

  it('knows every flag', () => {
    const told = tableUnder('docs/conformance.md', 'What it is told').flat().join(' ')
    const names = Object.keys(FLAGS).filter((name) => name !== 'help' && name !== 'allow-insecure')
    expect(names.filter((name) => !told.includes(`--${name}`))).toEqual([])
  })

  it('counts the bugs that the kit is held to', () => {
    expect(page).toContain(`and ${MUTATIONS.length} bugs in it`)
  })
})

describe('examples/conformance.ts', () => {
  it('lets a right server pass, and says what a wrong one lacks', async () => {
    const tokenOf = (user: string) => Promise.resolve(`token-of.${user}`)
    const right = await brokenServer([
      ["const FORBIDDEN = 'forbidden'", "const FORBIDDEN = 'staff'"],
    ])
    await expectRooms(right.url, tokenOf)
    right.close()
    const wrong = await brokenServer([['room.ids.set(key, seq)', '']])
    await expect(expectRooms(wrong.url, tokenOf)).rejects.toThrow(/send\.repeated: A send that/)
    wrong.close()
  })
})
