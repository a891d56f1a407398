import { pathToFileURL } from 'node:url'
import { canInstall, findProgram, installPackages, isExecutable } from './programs.mjs'

/** The same engine without the windows of a desktop, which take as much work as the pages under test. */
const HEADLESS = 'chromium-headless-shell'

const CANDIDATES = [
  HEADLESS,
  'chrome-headless-shell',
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
  return findProgram(CANDIDATES)
}

/**
 * The Chromium of this machine. Where this process is root on Debian, a missing one is installed.
 *
 * @returns {Promise<string>} path of the executable
 */
export async function ensureChromium() {
  const present = findChromium()
  if (present) return present
  if (!canInstall()) {
    throw new Error(
      'Chromium is missing: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH to a Chromium or Chrome executable.',
    )
  }
  installPackages(['chromium'], 'Chromium')
  const installed = findChromium()
  if (!installed) throw new Error('Chromium is missing even after apt-get install chromium.')
  return installed
}

/**
 * As `ensureChromium`, and where it may be installed, the one that costs less.
 *
 * @returns {Promise<string>} path of the executable
 */
export async function prepareChromium() {
  const isWanted = !process.env.CHROMIUM_PATH && canInstall() && !findProgram([HEADLESS])
  try {
    if (isWanted) installPackages([HEADLESS], 'Headless Chromium')
  } catch (error) {
    console.error(error.message)
  }
  return ensureChromium()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  prepareChromium().then(
    (path) => console.log(path),
    (error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}
