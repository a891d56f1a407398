import { pathToFileURL } from 'node:url'
import { canInstall, findProgram, installPackages, isExecutable } from './programs.mjs'

const CANDIDATES = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  'firefox-esr',
  'firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
]

/** The Firefox of this machine, or undefined. FIREFOX_PATH wins over the usual places. */
export function findFirefox() {
  const wanted = process.env.FIREFOX_PATH
  if (wanted) {
    if (!isExecutable(wanted)) throw new Error(`FIREFOX_PATH is not an executable file: ${wanted}`)
    return wanted
  }
  return findProgram(CANDIDATES)
}

/**
 * The Firefox of this machine. Where this process is root on Debian, a missing one is installed.
 *
 * @returns {Promise<string>} path of the executable
 */
export async function ensureFirefox() {
  const present = findFirefox()
  if (present) return present
  if (!canInstall())
    throw new Error(
      'Firefox is missing: install it (Debian: apt-get install firefox-esr) or set FIREFOX_PATH to a Firefox executable.',
    )
  installPackages(['firefox-esr'], 'Firefox')
  const installed = findFirefox()
  if (!installed) throw new Error('Firefox is missing even after apt-get install firefox-esr.')
  return installed
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  ensureFirefox().then(
    (path) => console.log(path),
    (error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}
