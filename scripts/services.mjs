/** Redis and nginx, for the tests with more than one process. Each test starts its own, on a port of its own. */
import { pathToFileURL } from 'node:url'
import { canInstall, findProgram, installPackages, isExecutable } from './programs.mjs'

const SERVICES = [
  {
    package: 'redis-server',
    variable: 'REDIS_SERVER_PATH',
    candidates: ['/usr/bin/redis-server', 'redis-server'],
  },
  {
    package: 'nginx',
    variable: 'NGINX_PATH',
    // Where only root looks by itself.
    candidates: ['/usr/sbin/nginx', 'nginx', '/usr/local/sbin/nginx'],
  },
]

/** @returns {string | undefined} the path of the executable; the variable wins over the usual places */
function find({ variable, candidates }) {
  const wanted = process.env[variable]
  if (!wanted) return findProgram(candidates)
  if (!isExecutable(wanted)) throw new Error(`${variable} is not an executable file: ${wanted}`)
  return wanted
}

/**
 * Redis and nginx of this machine. Where this process is root on Debian, missing ones are installed.
 *
 * @returns {Promise<{ redis: string, nginx: string }>} paths of the executables
 */
export async function ensureServices() {
  const missing = SERVICES.filter((service) => !find(service))
  if (missing.length > 0) {
    const packages = missing.map((service) => service.package)
    const names = packages.join(' and ')
    if (!canInstall()) {
      const variables = missing.map(({ variable }) => variable).join(' and ')
      throw new Error(
        `Missing: ${names}. Install (Debian: apt-get install ${packages.join(' ')}) or set ${variables} to the executable.`,
      )
    }
    installPackages(packages, names)
  }
  const [redis, nginx] = SERVICES.map(find)
  if (redis && nginx) return { redis, nginx }
  throw new Error('redis-server or nginx is missing even after apt-get install.')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  ensureServices().then(
    (paths) => console.log(paths),
    (error) => {
      console.error(error.message)
      process.exitCode = 1
    },
  )
}
