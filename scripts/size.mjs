/**
 * `npm run size`: what a user pays, minified and brotli-compressed, dependencies included.
 * Everything is bundled from `dist`, as a user's bundler does, so tree shaking is measured too.
 * The budget is enforced by size-limit; the other rows only inform. Fails beyond the budget.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** `npm test` lets a known miss pass, as long as it does not grow; `npm run size` never does. */
const acceptsKnown = process.argv.includes('--known')

const root = fileURLToPath(new URL('..', import.meta.url))
// What a bundler for browsers resolves.
const index = join(root, 'dist/index.browser.js')
const global = join(root, 'dist/authed-socket.global.js')
const out = join(root, '.cache/size')

const only = (...names) => `export { ${names.join(', ')} } from './src/index.ts'`

/**
 * `limit` in bytes; a row without one only informs. `ceiling`: the budget is missed, `why` says what was
 * tried, and it must not grow beyond this meanwhile.
 */
const ROWS = [
  {
    name: 'core with defaults',
    file: 'scripts/size/core.ts',
    limit: 24_400,
    ceiling: 29_400,
    why: 'docs/decisions/005-size-budget.md',
  },
  { name: 'core, plain()', code: only('AuthedSocket', 'viaSubprotocol', 'plain') },
  { name: 'core, multiplexed()', code: only('AuthedSocket', 'viaSubprotocol', 'multiplexed') },
  { name: 'core, roomPerSocket()', code: only('AuthedSocket', 'viaSubprotocol', 'roomPerSocket') },
  {
    name: 'article: roomPerSocket, simpleJwt',
    code: only('AuthedSocket', 'simpleJwt', 'viaQuery', 'roomPerSocket'),
  },
  {
    name: 'the same, shared among tabs',
    code: only('AuthedSocket', 'simpleJwt', 'shareTabs', 'viaQuery', 'roomPerSocket'),
  },
  { name: 'everything', code: `export * from './src/index.ts'` },
  {
    name: 'dependencies alone',
    code: `export { default as a } from 'reconnecting-websocket'
           export { EventEmitter as b } from 'eventemitter3'
           export { jwtDecode as c } from 'jwt-decode'`,
  },
  {
    name: 'script tag (IIFE)',
    built: global,
    limit: 52_790,
    ceiling: 55_700,
    why: 'docs/decisions/005-size-budget.md',
  },
]

/** Entries are written, and type-checked, against the source, and bundled from the build. */
const fromDist = {
  name: 'from-dist',
  setup(context) {
    context.onResolve({ filter: /src\/index\.ts$/ }, () => ({ path: index, sideEffects: false }))
  },
}

async function bundle(row, number) {
  if (row.built) return row.built
  const outfile = join(out, `${number}.js`)
  await build({
    absWorkingDir: root,
    ...(row.file
      ? { entryPoints: [row.file] }
      : { stdin: { contents: row.code, resolveDir: root, loader: 'js' } }),
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external: ['ws'],
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [fromDist],
  })
  return outfile
}

if (!existsSync(index) || !existsSync(global)) {
  console.error('Nothing to measure: run `npm run build` first.')
  process.exit(1)
}
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

let failed = false
const checks = []
for (const [number, row] of ROWS.entries()) {
  try {
    const path = await bundle(row, number)
    checks.push({
      name: row.name,
      path: [path],
      brotli: true,
      ...(row.limit ? { limit: `${row.limit} B` } : {}),
    })
  } catch (error) {
    failed = true
    console.error(`${row.name}: ${error.message}`)
  }
}

const config = join(out, 'size-limit.json')
writeFileSync(config, JSON.stringify(checks))
const { stdout, stderr, status } = spawnSync(
  process.execPath,
  ['node_modules/size-limit/bin.js', '--json', '--config', config],
  { cwd: root, encoding: 'utf8' },
)
if (stderr) console.error(stderr.trim())

const line = (...cells) =>
  console.log(cells.map((cell, i) => (i ? cell.padStart(9) : cell.padEnd(36))).join(''))
line('min + brotli', 'bytes', 'budget', 'left')
let measured = []
try {
  measured = JSON.parse(stdout)
} catch {
  failed = true
  console.error(stdout)
}
for (const { name, size, sizeLimit } of measured) {
  line(name, `${size}`, sizeLimit ? `${sizeLimit}` : '', sizeLimit ? `${sizeLimit - size}` : '')
}
if (status !== 0) {
  const over = measured.filter(({ passed }) => passed === false)
  for (const { name, size, sizeLimit } of over) {
    const { ceiling = sizeLimit, why } = ROWS.find((row) => row.name === name)
    console.error(`${name}: ${size - sizeLimit} bytes beyond its budget of ${sizeLimit}`)
    if (why) console.error(`  known and not mended: ${why}; it may not pass ${ceiling}`)
    if (!acceptsKnown || size > ceiling) failed = true
  }
}
process.exitCode = failed ? 1 : 0
