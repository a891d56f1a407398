/**
 * `npm run test:renewal -- --renewals 2000 --clients 40 --lifetime 1000 --seed 1`: so many renewals by a second socket,
 * then as many on the live one. Ends with 0 when no message was lost or came twice, and every client was in its rooms
 * all the time.
 */
import { parseArgs } from 'node:util'
import { type RenewalResult, renew, type Way } from './renewal-run.ts'

const { values } = parseArgs({
  options: {
    renewals: { type: 'string', default: '2000' },
    clients: { type: 'string', default: '40' },
    /** In ms. */
    lifetime: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
  },
})

function numberOf(name: keyof typeof values): number {
  const value = Number(values[name])
  if (Number.isFinite(value) && value > 0) return value
  process.stderr.write(`--${name} takes a number above 0\n`)
  return process.exit(2)
}

const isClean = ({ renewals, lost, doubled, outOfOrder, outsideMs, gaps, errors }: RenewalResult) =>
  renewals >= numberOf('renewals') &&
  lost + doubled + outOfOrder + outsideMs + gaps + errors.length === 0

for (const way of ['swap', 'in-band'] satisfies Way[]) {
  const result = await renew({
    way,
    renewals: numberOf('renewals'),
    clients: numberOf('clients'),
    lifetimeMs: numberOf('lifetime'),
    seed: numberOf('seed'),
    limitMs: numberOf('minutes') * 60_000,
  })
  const { errors, ...numbers } = result
  console.log(JSON.stringify({ ...numbers, errors: errors.length }))
  for (const error of errors.slice(0, 5)) console.log(error)
  if (!isClean(result)) process.exitCode = 1
}
// A client with a bug may leave timers behind.
process.exit()
