/** Programs of the machine that tests need: where they are, and Debian's packages of them. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * The first of these that is there, or undefined. A name without a folder is looked up in PATH.
 *
 * @param {string[]} candidates
 * @returns {string | undefined}
 */
export function findProgram(candidates) {
  for (const name of candidates) {
    const found = isAbsolute(name) ? isExecutable(name) && name : onPath(name)
    if (found) return found
  }
  return undefined
}

/** Whether `installPackages` may be called: this process is root on Debian. */
export function canInstall() {
  return isDebian() && process.getuid?.() === 0
}

/**
 * @param {string[]} packages
 * @param {string} what what is missing, for the error
 */
export function installPackages(packages, what) {
  // Test files that start at once wait for each other here instead of failing on apt's lock.
  const lock = 'DPkg::Lock::Timeout=120'
  apt(['-o', lock, 'update'], what)
  apt(['-o', lock, 'install', '-y', '--no-install-recommends', ...packages], what)
}

function apt(args, what) {
  const { status } = spawnSync('apt-get', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (status !== 0) {
    throw new Error(`${what} is missing and apt-get failed (apt-get ${args.join(' ')}).`)
  }
}

/** Ubuntu is left out on purpose: its package of Chromium is a stub that asks for snap. */
function isDebian() {
  try {
    return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

function onPath(name) {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(directory, name)
    if (directory && isExecutable(file)) return file
  }
  return undefined
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
