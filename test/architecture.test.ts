import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { projects } from '../scripts/projects.mjs'

/**
 * The layers of src, from the bottom up; the first one that names a file owns it. A file imports from
 * its own layer and from the layers in `may`, and from nothing else. `files`: one file, or a folder with a slash.
 */
const LAYERS = [
  { name: 'core', files: ['core/'], may: [] },
  { name: 'errors', files: ['errors.ts', 'error-of.ts'], may: ['core'] },
  {
    // What the folders promise to each other: types without code.
    name: 'contracts',
    files: ['sessions/source.ts', 'protocols/protocol.ts', 'transmissions/transmission.ts'],
    may: ['core', 'errors'],
  },
  { name: 'shell', files: ['shell/'], may: ['core', 'errors', 'contracts'] },
  { name: 'transmissions', files: ['transmissions/'], may: ['core', 'errors', 'contracts'] },
  { name: 'sessions', files: ['sessions/'], may: ['core', 'errors', 'contracts', 'shell'] },
  {
    // What the machines decide, in words. Only who imports `diary()` has it.
    name: 'diary',
    files: ['diary/'],
    may: ['core', 'errors'],
  },
  {
    name: 'options',
    files: ['options.ts'],
    may: ['core', 'errors', 'contracts', 'shell', 'transmissions', 'sessions'],
  },
  {
    name: 'links',
    files: ['links/', 'room.ts'],
    may: ['core', 'errors', 'contracts', 'shell', 'transmissions', 'sessions', 'options'],
  },
  {
    // A protocol brings its sockets along, so that those of others are shaken away.
    name: 'protocols',
    files: ['protocols/'],
    may: ['core', 'errors', 'contracts', 'links'],
  },
  {
    name: 'socket',
    files: ['connection.ts', 'status.ts', 'socket.ts', 'types.ts'],
    may: ['core', 'errors', 'contracts', 'shell', 'sessions', 'options', 'links'],
  },
  {
    name: 'index',
    files: ['index.ts'],
    may: [
      ...['core', 'errors', 'contracts', 'shell', 'transmissions', 'sessions'],
      ...['options', 'links', 'protocols', 'socket', 'diary'],
    ],
  },
  {
    // It knows how sockets dial, and lets an `AuthedSocket` say what it would send. Nothing imports it.
    name: 'doctor',
    files: ['doctor/'],
    may: [
      ...['core', 'errors', 'contracts', 'shell', 'transmissions', 'sessions'],
      ...['options', 'links', 'protocols', 'socket'],
    ],
  },
  {
    // An entry point of its own, for servers: it shares how tokens travel with the SDK, and no machine.
    name: 'conformance',
    files: ['conformance/'],
    may: ['core', 'errors', 'contracts', 'shell', 'transmissions', 'links'],
  },
  {
    // Further entry points: users of the SDK, as everybody else.
    name: 'entries',
    files: ['react/', 'testing/', 'inspector/'],
    may: ['core', 'errors', 'contracts', 'protocols', 'options', 'links', 'socket'],
  },
]

/** Third-party packages, each behind one file of ours. `ws` is optional: only ever imported at run time. */
const PACKAGES = ['eventemitter3', 'jwt-decode', 'reconnecting-websocket']
const OPTIONAL_PACKAGES = ['ws']

/** The judgement of the doctor is as pure as the core. */
const PURE = [
  'src/core/',
  'src/doctor/rules/',
  'src/doctor/words/',
  ...['answer', 'causes', 'evidence', 'facts', 'failure', 'frames', 'judge', 'lifetime'].map(file),
  ...['near-paths', 'plan', 'queries', 'secrets'].map(file),
]

/** What a pure function cannot touch. */
const IMPURE = new Set([
  ...['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'setImmediate'],
  ...['queueMicrotask', 'requestAnimationFrame', 'fetch', 'WebSocket', 'Worker', 'navigator'],
  ...['window', 'document', 'location', 'localStorage', 'sessionStorage', 'globalThis', 'process'],
  ...['crypto', 'performance', 'console', 'Promise'],
])
const IMPURE_MEMBERS = new Set(['Date.now', 'Math.random'])

const MAX_LINES = 250

interface Import {
  readonly from: string
  readonly specifier: string
  readonly kind: 'value' | 'type' | 'dynamic'
}
interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

const root = fileURLToPath(new URL('..', import.meta.url))
const source = read('src')
const tests = read('test')
const imports = source.flatMap(importsOf)
const local = imports.filter(({ specifier }) => specifier.startsWith('.'))
const foreign = imports.filter(({ specifier }) => !specifier.startsWith('.'))

describe('src', () => {
  it('exists', () => {
    expect(source.map(({ path }) => path)).toContain('src/index.ts')
  })

  it('has a layer for each file', () => {
    expect(source.filter(({ path }) => !layerOf(path)).map(({ path }) => path)).toEqual([])
  })

  it('imports point down only', () => {
    const wrong = local.flatMap(({ from, specifier }) => {
      const target = resolve(from, specifier)
      const layer = layerOf(from)
      const below = layerOf(target)
      if (layer && below && (layer === below || layer.may.includes(below.name))) return []
      return [`${from} (${layer?.name}) imports ${target} (${below?.name ?? 'no layer'})`]
    })
    expect(wrong).toEqual([])
  })

  it('names each imported file with its extension, and the file exists', () => {
    const paths = new Set(source.map(({ path }) => path))
    const wrong = local.filter(({ from, specifier }) => !paths.has(resolve(from, specifier)))
    expect(wrong).toEqual([])
  })

  it('has no import cycle', () => {
    expect(cycles()).toEqual([])
  })

  it('imports each third-party package in exactly one file', () => {
    const importers = Object.fromEntries(
      PACKAGES.map((name) => [name, [...new Set(importersOf(name))].length]),
    )
    expect(importers).toEqual(Object.fromEntries(PACKAGES.map((name) => [name, 1])))
    for (const name of OPTIONAL_PACKAGES) {
      expect(new Set(importersOf(name)).size, name).toBeLessThanOrEqual(1)
    }
  })

  it('imports no other package, and optional ones only at run time', () => {
    const known = [...PACKAGES, ...OPTIONAL_PACKAGES]
    // Types of Node cost nothing, and only the doctor looks with Node's own client.
    const isNodeType = ({ from, specifier, kind }: Import) =>
      specifier.startsWith('node:') && kind === 'type' && layerOf(from)?.name === 'doctor'
    const strange = foreign.filter((each) => !known.includes(each.specifier) && !isNodeType(each))
    expect(strange).toEqual([])
    const eager = foreign.filter(
      ({ specifier, kind }) => OPTIONAL_PACKAGES.includes(specifier) && kind === 'value',
    )
    expect(eager).toEqual([])
  })

  it('declares exactly these packages', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(manifest.dependencies).sort()).toEqual(PACKAGES)
    expect(Object.keys(manifest.peerDependencies).sort()).toEqual(OPTIONAL_PACKAGES)
    for (const name of OPTIONAL_PACKAGES) {
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true })
    }
  })

  it('keeps core, and the judgement of the doctor, pure', () => {
    const pure = source.filter(({ path }) => PURE.some((place) => path.startsWith(place)))
    expect(PURE.filter((place) => !pure.some(({ path }) => path.startsWith(place)))).toEqual([])
    const impure = pure.flatMap((file) => impureUses(file).map((use) => `${file.path}: ${use}`))
    expect(impure).toEqual([])
  })

  it('has an index of named re-exports only', () => {
    const index = source.find(({ path }) => path === 'src/index.ts')
    const logic = index?.tree.statements.filter(
      (statement) =>
        !ts.isExportDeclaration(statement) ||
        !statement.moduleSpecifier ||
        !statement.exportClause ||
        !ts.isNamedExports(statement.exportClause),
    )
    expect(logic?.map((statement) => statement.getText())).toEqual([])
  })

  it('has no default export', () => {
    const defaults = source.filter(({ text }) =>
      /^export default\b|\bas default\b.*\}/m.test(text.replace(/^import .*$/gm, '')),
    )
    expect(defaults.map(({ path }) => path)).toEqual([])
  })

  it(`has no file beyond ${MAX_LINES} lines`, () => {
    const long = source
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES)
    expect(long).toEqual([])
  })

  it('has no `any` and silences no compiler error', () => {
    const found = source.flatMap((file) => [
      ...nodesOf(file.tree)
        .filter((node) => node.kind === ts.SyntaxKind.AnyKeyword)
        .map((node) => at(file, node, 'any')),
      ...(/@ts-(ignore|nocheck|expect-error)/.test(file.text) ? [`${file.path}: @ts-…`] : []),
    ])
    expect(found).toEqual([])
  })
})

describe('tests', () => {
  it('skip, focus and postpone nothing', () => {
    expect(tests.flatMap(skips)).toEqual([])
  })

  it('belong to exactly one vitest project', () => {
    const files = tests
      .map(({ path }) => path)
      .filter((path) => /\.(test|spec|test-d)\./.test(path))
    const wrong = files.flatMap((file) => {
      const owners = projects.filter(({ include }) => include.some((glob) => matches(glob, file)))
      return owners.length === 1 ? [] : [`${file}: ${owners.map(({ name }) => name).join(', ')}`]
    })
    expect(wrong).toEqual([])
  })
})

function read(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|\.venv|dist)[\\/]/.test(file))
    .sort()
    .map((file) => {
      const text = readFileSync(file, 'utf8')
      const path = file.slice(root.length).replaceAll('\\', '/')
      return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true) }
    })
}

function file(name: string): string {
  return `src/doctor/${name}.ts`
}

function layerOf(path: string) {
  const inside = path.replace(/^src\//, '')
  return LAYERS.find(({ files }) =>
    files.some((file) => (file.endsWith('/') ? inside.startsWith(file) : inside === file)),
  )
}

function resolve(from: string, specifier: string): string {
  return posix.join(dirname(from), specifier)
}

function importersOf(name: string): string[] {
  return foreign
    .filter(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`))
    .map(({ from }) => from)
}

function nodesOf(tree: ts.Node): ts.Node[] {
  const nodes: ts.Node[] = []
  const visit = (node: ts.Node): void => {
    nodes.push(node)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return nodes
}

function at({ path, tree }: SourceFile, node: ts.Node, what: string): string {
  return `${path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}: ${what}`
}

function importsOf({ path, tree }: SourceFile): Import[] {
  return nodesOf(tree).flatMap((node): Import[] => {
    const [target, kind] = importTarget(node)
    if (!target) return []
    const specifier = specifierOf(target, tree)
    return [{ from: path, specifier, kind }]
  })
}

/** One that is put together at run time cannot be judged; it stays in brackets, which no rule allows. */
function specifierOf(target: ts.Node, tree: ts.SourceFile): string {
  if (ts.isStringLiteralLike(target)) return target.text
  const constant = nodesOf(tree).find(
    (node): node is ts.VariableDeclaration =>
      ts.isVariableDeclaration(node) && node.name.getText(tree) === target.getText(tree),
  )
  if (constant?.initializer && ts.isStringLiteralLike(constant.initializer)) {
    return constant.initializer.text
  }
  return `(${target.getText(tree)})`
}

function importTarget(node: ts.Node): [ts.Node | undefined, Import['kind']] {
  if (ts.isImportDeclaration(node)) {
    return [node.moduleSpecifier, node.importClause?.isTypeOnly ? 'type' : 'value']
  }
  if (ts.isExportDeclaration(node)) {
    return [node.moduleSpecifier, node.isTypeOnly ? 'type' : 'value']
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return [node.argument.literal, 'type']
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return [node.arguments[0], 'dynamic']
  }
  return [undefined, 'value']
}

function cycles(): string[] {
  const graph = new Map<string, Set<string>>()
  for (const { from, specifier } of local) {
    const targets = graph.get(from) ?? new Set()
    graph.set(from, targets.add(resolve(from, specifier)))
  }
  const found: string[] = []
  const finished = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file)
    if (start >= 0) {
      found.push([...trail.slice(start), file].join(' -> '))
      return
    }
    if (finished.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    finished.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}

function impureUses(file: SourceFile): string[] {
  return nodesOf(file.tree).flatMap((node) => {
    if (ts.isPropertyAccessExpression(node) && IMPURE_MEMBERS.has(node.getText(file.tree))) {
      return [at(file, node, node.getText(file.tree))]
    }
    if (ts.isNewExpression(node) && node.expression.getText(file.tree) === 'Date') {
      return node.arguments?.length ? [] : [at(file, node, 'new Date()')]
    }
    const called =
      ts.isCallExpression(node) || ts.isNewExpression(node) ? node.expression : undefined
    const read = ts.isPropertyAccessExpression(node) ? node.expression : undefined
    const used = called ?? read
    if (used && ts.isIdentifier(used) && IMPURE.has(used.text)) return [at(file, node, used.text)]
    return []
  })
}

function skips(file: SourceFile): string[] {
  return nodesOf(file.tree).flatMap((node) => {
    if (!ts.isPropertyAccessExpression(node)) return []
    if (!['skip', 'only', 'todo', 'skipIf', 'runIf'].includes(node.name.text)) return []
    let owner: ts.Expression = node.expression
    while (ts.isPropertyAccessExpression(owner)) owner = owner.expression
    const isTest =
      ts.isIdentifier(owner) && ['it', 'test', 'describe', 'suite', 'context'].includes(owner.text)
    return isTest ? [at(file, node, node.getText(file.tree))] : []
  })
}

/** Globs of `scripts/projects.mjs`: `**`, `*` and one level of `{a,b}`. */
function matches(glob: string, path: string): boolean {
  const pattern = glob.replace(/\*\*\/|\*|\{[^}]*\}|[.+()[\]^$|\\]/g, (part) => {
    if (part === '**/') return '(?:.*/)?'
    if (part === '*') return '[^/]*'
    if (part.startsWith('{')) return `(?:${part.slice(1, -1).split(',').join('|')})`
    return `\\${part}`
  })
  return new RegExp(`^${pattern}$`).test(path)
}
