/**
 * `npm run test:workers -- --clients 300 --kills 12 --every 5000 --seed 1`
 *
 * Ends with 0 when nothing was lost, doubled, out of order or unexplained, and every client was in all of its
 * rooms again within six seconds of each kill; with 1 otherwise.
 */
import { parseArgs } from 'node:util'
import { keep, tableOfWorkers } from './report.ts'
import { runWorkers } from './workers-run.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '300' },
    kills: { type: 'string', default: '12' },
    every: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
  },
})

const LIMIT_MS = 6_000
const SHOWN = 10

const result = await runWorkers({
  clients: Number(values.clients),
  kills: Number(values.kills),
  everyMs: Number(values.every),
  seed: Number(values.seed),
})
const late = result.rejoins.filter(({ tookMs }) => tookMs > LIMIT_MS)
console.log(tableOfWorkers(result))
console.log(`late            ${late.length}`)
for (const { client, killedAt, tookMs } of late.slice(0, SHOWN))
  console.log(`client ${client} was away for ${tookMs} ms, from ${killedAt} ms on`)
const isWrong = result.violations.length > 0 || late.length > 0 || result.rejoins.length === 0
if (isWrong) console.log(`the history: ${keep(result)}`)
process.exit(isWrong ? 1 : 0)
