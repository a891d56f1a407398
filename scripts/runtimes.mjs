#!/usr/bin/env node
/**
 * Installs the runtimes of `test/runtimes` into `.cache/runtimes`, by a lockfile of their own.
 *
 * Does nothing, in a few milliseconds, when they are up to date.
 *
 *     node scripts/runtimes.mjs
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const lists = join(root, 'test', 'runtimes', 'tools')
const folder = join(root, '.cache', 'runtimes')
/** Has what was installed, and by which lockfile. */
const stamp = join(folder, 'installed')
const program = (...path) => join(folder, 'node_modules', ...path)

/** What is installed, by its name in `test/runtimes`. */
const programs = {
  node20: program('node20', 'bin', 'node'),
  node22: program('node22', 'bin', 'node'),
  node24: program('node24', 'bin', 'node'),
  node26: program('node26', 'bin', 'node'),
  bun: program('.bin', 'bun'),
  deno: program('.bin', 'deno'),
  workerd: program('.bin', 'workerd'),
}

/** @type {Promise<typeof programs> | undefined} */
let pending

/**
 * The paths of the programs. Calls that overlap share one installation.
 *
 * @param {'few' | 'all'} [extent] `few`: those of `npm test`, without the `devDependencies` of the list
 * @returns {Promise<typeof programs>}
 * @throws {Error} with one line that names what is missing
 */
export function ensureRuntimes(extent = 'few') {
  pending ??= install(extent).finally(() => {
    pending = undefined
  })
  return pending
}

/** @param {'few' | 'all'} extent */
async function install(extent) {
  const lock = await readFile(join(lists, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex')
  const present = await readFile(stamp, 'utf8').catch(() => '')
  if (present === `${hash} all` || present === `${hash} ${extent}`) return programs
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('test/runtimes/tools holds the runtimes for Linux on x64 only')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    await cp(join(lists, name), join(folder, name))
  await run('npm', ['ci', '--no-audit', '--no-fund', ...(extent === 'few' ? ['--omit=dev'] : [])], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  }).catch((cause) => {
    throw new Error(`npm could not install test/runtimes/tools: ${lastLine(cause.stderr)}`, {
      cause,
    })
  })
  // Last, so that an interrupted installation starts again.
  await writeFile(stamp, `${hash} ${extent}`)
  return programs
}

/** @param {string | undefined} text */
function lastLine(text) {
  return text?.trim().split('\n').at(-1) ?? 'no reason given'
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensureRuntimes().then(
    (paths) => console.log(paths),
    (error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}
