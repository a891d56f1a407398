import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** The Chromium of this machine, or undefined. CHROMIUM_PATH wins over the usual places. */
export function findChromium() {
  const wanted = process.env.CHROMIUM_PATH
  if (wanted) {
    if (!isExecutable(wanted)) throw new Error(`CHROMIUM_PATH is not an executable file: ${wanted}`)
    return wanted
  }
  for (const name of CANDIDATES) {
    const found = isAbsolute(name) ? isExecutable(name) && name : onPath(name)
    if (found) return found
  }
  return undefined
}

/**
 * The Chromium of this machine. Where this process is root on Debian, a missing one is installed.
 *
 * @returns {Promise<string>} path of the executable
 */
export async function ensureChromium() {
  const present = findChromium()
  if (present) return present
  if (!isDebian() || process.getuid?.() !== 0) {
    throw new Error(
      'Chromium is missing: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH to a Chromium or Chrome executable.',
    )
  }
  // Test files that start at once wait for each other here instead of failing on apt's lock.
  const lock = 'DPkg::Lock::Timeout=120'
  apt(['-o', lock, 'update'])
  apt(['-o', lock, 'install', '-y', '--no-install-recommends', 'chromium'])
  const installed = findChromium()
  if (!installed) throw new Error('Chromium is missing even after apt-get install chromium.')
  return installed
}

function apt(args) {
  const { status } = spawnSync('apt-get', args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (status !== 0) {
    throw new Error(`Chromium is missing and apt-get failed (apt-get ${args.join(' ')}).`)
  }
}

/** Ubuntu is left out on purpose: its package is a stub that asks for snap. */
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

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  ensureChromium().then(
    (path) => console.log(path),
    (error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}
