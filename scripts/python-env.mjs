#!/usr/bin/env node
/**
 * Makes `.venv` with what the Python test servers need (test/servers/requirements.txt).
 *
 * Does nothing, in a few milliseconds, when it is up to date: tests call it before every run.
 *
 *     node scripts/python-env.mjs
 */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const root = fileURLToPath(new URL('..', import.meta.url))
const requirements = join(root, 'test', 'servers', 'requirements.txt')
const venv = join(root, '.venv')
const stamp = join(venv, 'requirements.sha256')
const python =
  process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python')
const systemPython = process.platform === 'win32' ? 'python' : 'python3'

/** @type {Promise<string> | undefined} */
let pending

/**
 * The path of a Python that can run the test servers. Calls that overlap share one installation.
 *
 * @returns {Promise<string>}
 * @throws {Error} with one line that names what is missing and how to get it
 */
export function ensurePythonEnv() {
  pending ??= build().finally(() => {
    pending = undefined
  })
  return pending
}

/** @returns {Promise<string>} */
async function build() {
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted && (await exists(python)))
    return python

  await checkSystemPython()
  // From nothing: what an earlier list installed, or half installed, must not decide what is tested.
  await rm(venv, { recursive: true, force: true })
  await run(systemPython, ['-m', 'venv', venv]).catch((cause) => {
    throw new Error(
      'python3-venv is missing: `apt install python3-venv` (Debian), or a Python from python.org',
      { cause },
    )
  })
  await run(
    python,
    [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--requirement',
      requirements,
    ],
    {
      maxBuffer: 2 ** 26,
    },
  ).catch((cause) => {
    throw new Error(
      `pip could not install test/servers/requirements.txt: ${lastLine(cause.stderr)}`,
      { cause },
    )
  })
  // Last, so that an interrupted installation starts again.
  await writeFile(stamp, wanted)
  return python
}

async function checkSystemPython() {
  const missing =
    'python3 3.11 or later is missing: `apt install python3 python3-venv` (Debian), or python.org'
  const { stdout } = await run(systemPython, [
    '-c',
    'import sys; print(*sys.version_info[:2])',
  ]).catch((cause) => {
    throw new Error(missing, { cause })
  })
  const [major = 0, minor = 0] = stdout.trim().split(' ').map(Number)
  if (major < 3 || (major === 3 && minor < 11))
    throw new Error(`${missing}; this one is ${major}.${minor}`)
}

/** @param {string} path */
function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** @param {string | undefined} text */
function lastLine(text) {
  return text?.trim().split('\n').at(-1) ?? 'no reason given'
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  ensurePythonEnv().then(
    (path) => console.log(path),
    (error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}
