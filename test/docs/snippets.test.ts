import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { causeNames } from '../../src/doctor/words/index.ts'
import * as authedSocket from '../../src/index.ts'
import {
  anchorsOf,
  documents,
  exampleOf,
  linksOf,
  read,
  root,
  snippetsOf,
  tableUnder,
} from './markdown.ts'

const snippets = documents.flatMap(snippetsOf)
const code = snippets.filter(({ language }) =>
  ['ts', 'js', 'tsx', 'python', 'py', 'html'].includes(language),
)

describe('the documents', () => {
  it('take every snippet from a file that is compiled and run', () => {
    const loose = code.filter(({ file }) => file === '')
    expect(loose.map(({ document, text }) => `${document}: ${text.slice(0, 60)}`)).toEqual([])
  })

  it.each(code.map((snippet) => [snippet.file, snippet] as const))(
    'show %s as it is',
    (_, snippet) => {
      expect(snippet.text).toBe(exampleOf(snippet.file))
    },
  )

  it('show every example', () => {
    const shown = new Set(code.map(({ file }) => file.split('#')[0]))
    const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|py|html)$/.test(name))
      .map((name) => `examples/${name.replaceAll('\\', '/')}`)
    // Its cells are in a table instead.
    expect(examples.filter((file) => !shown.has(file))).toEqual(['examples/three-options.ts'])
  })

  it.each(documents)('%s has no dead link', (document) => {
    expect(linksOf(document).filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('README keeps its first screen short', () => {
    const lines = read('README.md').split('\n')
    expect(lines.indexOf('## Install')).toBeLessThanOrEqual(62)
  })
})

describe('the table of what a server does', () => {
  const rows = tableUnder('README.md', 'What your server does')
  const source = read('examples/three-options.ts').replaceAll(/\s+/g, ' ')

  it('has a row for each way', () => {
    expect(rows.length).toBe(12)
  })

  it.each(rows)(
    '%s: is written as in examples/three-options.ts',
    (_, auth, transmission, protocol) => {
      const cells = Object.entries({ auth, transmission, protocol })
      for (const [option, cell = ''] of cells)
        for (const [, text] of cell.matchAll(/`([^`]+)`/g))
          expect(source).toContain(`${option}: ${text},`)
    },
  )
})

describe('the list of what is missing', () => {
  it('names nothing that is there', () => {
    const [, after = ''] = read('README.md').split('## Not in this version\n')
    const [section = ''] = after.split(/^## /m)
    const names = [...section.matchAll(/`(\w+)(?:\(\))?`/g)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(0)
    expect(
      names.filter((name) => name in authedSocket || name in authedSocket.AuthedSocket.prototype),
    ).toEqual([])
  })
})

describe('docs/errors.md', () => {
  it('has a chapter for each error code, and for no other', () => {
    const codes = [...read('src/errors.ts').matchAll(/readonly code = '(\w+)'/g)].map(
      ([, name = '']) => name,
    )
    const chapters = [...read('docs/errors.md').matchAll(/^## ([A-Z_]+)$/gm)].map(
      ([, name]) => name,
    )
    expect(chapters.sort()).toEqual(codes.sort())
    expect(anchorsOf('docs/errors.md')).toContain('room')
  })
})

describe('docs/doctor.md', () => {
  it('has a row for each cause, and for no other', () => {
    const rows = tableUnder('docs/doctor.md', 'Causes').map(([cause = '']) => cause)
    const causes = causeNames().map((cause) => `\`${cause}\``)
    expect(rows.sort()).toEqual(causes.sort())
  })
})
