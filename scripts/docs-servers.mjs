/**
 * The table of docs/servers.md: what the client did on each server, as the contract suite has seen it.
 *
 *   node scripts/docs-servers.mjs            writes the table from test/contract/outcomes.json
 *   node scripts/docs-servers.mjs --record   first takes the outcomes of the last run of the suite
 *   node scripts/docs-servers.mjs --check    fails where page, outcomes and last run differ
 *
 * Only what does not vary is kept: no timings, and bounds where a number depends on the machine's speed.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const PAGE = at('docs/servers.md')
const OUTCOMES = at('test/contract/outcomes.json')
/** Written by test/contract/suite.ts, a file for each test file. */
const RUN = at('.cache/contract')
const BEGIN = '<!-- outcomes: written by scripts/docs-servers.mjs -->'
const END = '<!-- /outcomes -->'

const RUNTIMES = ['ws', 'undici', 'chromium']
const ENDPOINTS = {
  article: 'The article’s endpoint: refuses before it accepts',
  v2: 'The endpoint that accepts first',
  first: 'The endpoint that takes the token in the first frame',
  session: 'Django’s session cookie, refused before accept',
  'v2-session': 'Django’s session cookie, accepted first',
  rooms: 'The rooms protocol v1',
  plain: 'One socket without rooms',
}

/** `connected · 2 · 1`: state, dials, refreshes. */
function textOf({ state, error, shows, dials, refreshes }) {
  const why = error ? ` (${error}${shows === undefined ? '' : ` ${shows}`})` : ''
  return `${state}${why} · ${dials} · ${refreshes}`
}

/** The last run, as `{ endpoint: { situation: { runtime: { outcome: 'server by carrier carrier, …' } } } }`. */
function readRun() {
  const files = existsSync(RUN) ? readdirSync(RUN).filter((name) => !name.startsWith('full-')) : []
  const parts = files.sort().map((name) => JSON.parse(readFileSync(join(RUN, name), 'utf8')))
  const missing = parts.filter(({ cells, outcomes }) => outcomes.length < cells)
  if (missing.length > 0) throw new Error('The last run had failures: nothing was taken from it.')
  const servers = new Set(parts.flatMap(({ outcomes }) => outcomes.map(({ server }) => server)))
  if (servers.size === 0) return undefined
  const tree = {}
  for (const outcome of parts.flatMap(({ outcomes }) => outcomes)) {
    const { endpoint, situation, runtime, server, carrier } = outcome
    const found = branch(tree, endpoint, situation, runtime)
    const text = textOf(outcome)
    found[text] ??= {}
    found[text][server] = [...(found[text][server] ?? []), carrier]
  }
  for (const outcomes of Object.values(tree).flatMap(Object.values).flatMap(Object.values))
    for (const [text, servers] of Object.entries(outcomes)) outcomes[text] = written(servers)
  return tree
}

const written = (servers) =>
  Object.entries(servers)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([server, carriers]) => `${server} by ${carriers.join(' ')}`)
    .join(', ')

const read = (text) => Object.fromEntries(text.split(', ').map((part) => part.split(' by ')))

function branch(tree, ...path) {
  let node = tree
  for (const name of path) {
    node[name] ??= {}
    node = node[name]
  }
  return node
}

/** In one order, whichever file was read first. */
function sorted(tree, order) {
  const byOrder = (list) => (one, other) => list.indexOf(one) - list.indexOf(other)
  const entries = Object.entries(tree)
  if (order.length > 0) entries.sort(([one], [other]) => byOrder(order[0])(one, other))
  else entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(
    entries.map(([name, below]) => [
      name,
      typeof below === 'string' ? below : sorted(below, order.slice(1)),
    ]),
  )
}

function normalised(tree) {
  const situations = Object.values(tree).flatMap((endpoint) => Object.keys(endpoint))
  const order = [Object.keys(ENDPOINTS), [...new Set(situations)].sort(), RUNTIMES]
  return `${JSON.stringify(sorted(tree, order), null, 2)}\n`
}

/** Servers with the same three outcomes share a row. */
function rowsOf(situation, byRuntime) {
  const perServer = {}
  for (const runtime of RUNTIMES)
    for (const [outcome, servers] of Object.entries(byRuntime[runtime] ?? {}))
      for (const [server, carriers] of Object.entries(read(servers)))
        branch(perServer, server, runtime)[outcome] = carriers
  const groups = {}
  for (const [server, outcomes] of Object.entries(perServer)) {
    const cells = RUNTIMES.map((runtime) => cellOf(outcomes[runtime] ?? {}))
    groups[cells.join(' | ')] ??= []
    groups[cells.join(' | ')].push(server)
  }
  const isShared = Object.keys(groups).length === 1
  return Object.entries(groups).map(
    ([cells, servers]) => `| ${situation}${isShared ? '' : `: ${servers.join(', ')}`} | ${cells} |`,
  )
}

function cellOf(outcomes) {
  const texts = Object.keys(outcomes)
  if (texts.length < 2) return texts[0] ?? '–'
  return texts.map((text) => `by ${outcomes[text].replaceAll(' ', ', ')}: ${text}`).join('; ')
}

function render(tree) {
  const sections = Object.entries(tree).map(([endpoint, situations]) => {
    const servers = new Set(
      Object.values(situations).flatMap((runtimes) =>
        Object.values(runtimes).flatMap((outcomes) =>
          Object.values(outcomes).flatMap((found) => Object.keys(read(found))),
        ),
      ),
    )
    const rows = Object.entries(situations).flatMap(([name, runtimes]) => rowsOf(name, runtimes))
    return [
      `### ${ENDPOINTS[endpoint]}`,
      '',
      `${[...servers].sort().join(', ')}.`,
      '',
      '| situation | `ws` | undici | Chromium |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `${BEGIN}\n\n${sections.join('\n\n')}\n\n${END}`
}

function pageWith(table) {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`docs/servers.md lacks ${BEGIN} … ${END}`)
  return { page, wanted: before + table + after }
}

const [flag] = process.argv.slice(2)
const problems = []
if (flag === '--record') {
  const run = readRun()
  if (run === undefined) throw new Error('There is no run: npm run test:contract test:browser')
  writeFileSync(OUTCOMES, normalised(run))
}
const recorded = readFileSync(OUTCOMES, 'utf8')
const { page, wanted } = pageWith(render(JSON.parse(recorded)))
if (flag === '--check') {
  if (page !== wanted) problems.push('docs/servers.md differs from test/contract/outcomes.json')
  const run = readRun()
  if (run !== undefined && normalised(run) !== recorded)
    problems.push('test/contract/outcomes.json differs from the last run of the suite')
} else writeFileSync(PAGE, wanted)
for (const problem of problems) console.error(`${problem}: node scripts/docs-servers.mjs --record`)
process.exitCode = problems.length > 0 ? 1 : 0
