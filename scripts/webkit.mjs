import { canInstall, findProgram, installPackages } from './programs.mjs'

const DRIVERS = ['WebKitWebDriver', '/usr/bin/WebKitWebDriver']
const BROWSERS = ['x86_64', 'aarch64'].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
)

const find = () => {
  const [driver, browser, display] = [DRIVERS, BROWSERS, ['xvfb-run']].map(findProgram)
  return driver && browser && display ? { driver, browser, display } : undefined
}

/**
 * WebKitGTK of this machine: its driver, its smallest browser, and a display for them. Where this process is root on
 * Debian, what is missing is installed.
 *
 * @returns {Promise<{ driver: string, browser: string, display: string }>} paths of the executables
 */
export async function ensureWebKit() {
  const present = find()
  if (present) return present
  const packages = ['webkit2gtk-driver', 'xvfb', 'xauth']
  if (!canInstall())
    throw new Error(
      `WebKit is missing: install it (Debian: apt-get install ${packages.join(' ')}).`,
    )
  installPackages(packages, 'WebKit')
  const installed = find()
  if (!installed)
    throw new Error(`WebKit is missing even after apt-get install ${packages.join(' ')}.`)
  return installed
}
