/** Reads the documents that this folder checks. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Written by hand, with every snippet in a file of its own. */
export const documents: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/README.md',
  'docs/guide.md',
  'docs/doctor.md',
  'docs/errors.md',
  'docs/conformance.md',
  'docs/security.md',
  ...['docs/recipes', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
]

export interface Snippet {
  readonly document: string
  readonly language: string
  /** `examples/guide.ts#rooms`; empty for a block without one. */
  readonly file: string
  readonly text: string
}

export const snippetsOf = (document: string): Snippet[] =>
  [...read(document).matchAll(/^```(\w+)[ ]*(\S*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', file = '', text = '']) => ({ document, language, file, text }),
  )

/** The file, or the region of it, as a reader of the documents sees it. */
export function exampleOf(file: string): string {
  const [path = '', region] = file.split('#')
  const text = read(path)
    .replaceAll("'../src/index.ts'", "'authed-socket'")
    .replaceAll("'../src/conformance/index.ts'", "'authed-socket/conformance'")
    .replaceAll("'../src/doctor/index.ts'", "'authed-socket/doctor'")
  if (region === undefined) return text
  const lines = text.split('\n')
  const start = lines.findIndex(
    (line) => /(?:\/\/ #|# )region/.test(line) && line.endsWith(` ${region}`),
  )
  const length = lines.slice(start).findIndex((line) => /(?:\/\/ #|# )endregion/.test(line))
  if (start < 0 || length < 0) throw new Error(`${path} has no region ${region}`)
  return dedent(lines.slice(start + 1, start + length))
}

function dedent(lines: readonly string[]): string {
  const filled = lines.filter((line) => line.trim() !== '')
  const indent = Math.min(...filled.map((line) => line.length - line.trimStart().length))
  return `${lines
    .map((line) => line.slice(indent))
    .join('\n')
    .trim()}\n`
}

/** Relative links, without their anchors, from the root. */
export const linksOf = (document: string): string[] =>
  [...read(document).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)/g)].map(
    ([, link = '']) => posix.join(posix.dirname(document), link),
  )

/** The anchors that a document offers, as GitHub makes them. */
export const anchorsOf = (document: string): string[] =>
  [...read(document).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

/** The rows of the first table under a heading, each with its cells. */
export function tableUnder(document: string, heading: string): string[][] {
  const [, after = ''] = read(document).split(`## ${heading}\n`)
  const [section = ''] = after.split(/^## /m)
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}
