/**
 * `npm run test:conservation -- --server node --messages 5000 --reconnects 250 --faults 1000 --seed 1`
 *
 * Ends with 0 when nothing was lost, doubled, out of order or unexplained, and everything asked for happened;
 * with 1 otherwise. Then the whole history stands in .cache/chaos/.
 */
import { parseArgs } from 'node:util'
import type { Verdict } from './program.ts'
import { countsOf, keep, tableOf } from './report.ts'
import { Run } from './run.ts'
import { SITE_NAMES, type SiteName, startSite } from './site.ts'

const PROGRESS_MS = 10_000

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'node' },
    messages: { type: 'string', default: '5000' },
    reconnects: { type: 'string', default: '250' },
    faults: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
    /** The server's resume window in ms, and how many clients are away for longer. */
    window: { type: 'string', default: '120000' },
    absences: { type: 'string', default: '0' },
    restarts: { type: 'string' },
    /** Of a token in ms, renewed by a second socket; without it one lasts for the whole run. */
    lifetime: { type: 'string' },
    /** `when-broken`: as soon as a rule is; else when everything asked for has happened. */
    ends: { type: 'string', default: 'when-done' },
    /** One line of JSON instead of all else, for programs. */
    json: { type: 'boolean', default: false },
  },
})

function numberOf(name: Exclude<keyof typeof values, 'server' | 'json' | 'ends'>): number {
  const value = Number(values[name])
  if (Number.isFinite(value) && value >= 0) return value
  process.stderr.write(`--${name} takes a number\n`)
  return process.exit(2)
}

const isSite = (name: string): name is SiteName => SITE_NAMES.some((site) => site === name)

if (!isSite(values.server)) {
  process.stderr.write(`--server is one of ${SITE_NAMES.join(', ')}\n`)
  process.exit(2)
}

const size = {
  messages: numberOf('messages'),
  reconnects: numberOf('reconnects'),
  faults: numberOf('faults'),
  seed: numberOf('seed'),
  absences: numberOf('absences'),
  ...(values.restarts !== undefined && { restarts: numberOf('restarts') }),
  ...(values.lifetime !== undefined && { lifetimeMs: numberOf('lifetime') }),
  limitMs: numberOf('minutes') * 60_000,
  ends: values.ends === 'when-broken' ? values.ends : 'when-done',
} as const
const site = await startSite(values.server, { resumeWindowMs: numberOf('window') })
const run = new Run(site, size)
const timer = setInterval(() => {
  if (values.json) return
  const { seconds, acknowledged, reconnects, faults } = run.progress
  console.log(`${seconds} s: ${acknowledged} messages, ${reconnects} reconnects, ${faults} faults`)
}, PROGRESS_MS)
try {
  const result = await run.play()
  const { violations, shortfalls } = result
  const isWrong = violations.length > 0 || shortfalls.length > 0
  const broken = countsOf(violations)
  const history = isWrong && { history: keep(result, site.output()) }
  const verdict: Verdict = { broken, shortfalls, ...history }
  if (values.json) console.log(JSON.stringify(verdict))
  else console.log(tableOf(values.server, result))
  if (isWrong && !values.json) console.log(`the history: ${verdict.history}`)
  process.exitCode = isWrong ? 1 : 0
} catch (error) {
  console.error(error, site.output())
  process.exitCode = 2
} finally {
  clearInterval(timer)
  await site.stop()
  // A client with a bug may leave timers behind.
  process.exit()
}
