/**
 * What crowds of clients cost a server, on a virtual clock: `npm run simulate -- --clients 10000,100000 --seed 1`.
 * `--scenario kill` plays those alone whose name begins so, `--scale 4` with `retry.scale: 4`. docs/scale.md has its tables.
 */
import { parseArgs } from 'node:util'
import { Bins, type Load } from '../test/model/bins.ts'
import { type Life, liveAll } from '../test/model/crowd.ts'
import { MINUTE, SECOND } from '../test/model/scripts.ts'

const LOSS = 2 * MINUTE
/** Everybody signs in within a minute; their tokens live for so long. */
const TOKEN = 15 * MINUTE

interface Scenario {
  readonly name: string
  /** Counted from here on. */
  readonly from: number
  readonly until: number
  readonly lifeOf: (roll: number) => Life
}

const IN_BAND = { greets: true, ownsRoom: false, renewal: 'in-band' } as const

const kill = (downSeconds: number): Scenario => ({
  name: `kill: nobody listens for ${downSeconds} s`,
  from: LOSS,
  until: LOSS + 10 * MINUTE,
  lifeOf: (roll) => ({
    connectsAt: roll * MINUTE,
    endsAt: LOSS + 10 * MINUTE,
    dial: (at) => {
      if (at < LOSS) return { closesAt: LOSS }
      return at < LOSS + downSeconds * SECOND ? 'refused' : {}
    },
  }),
})

/** Ten processes are replaced one after another; each closes its clients with 1012 when the next one listens. */
const rollout = (seconds: number): Scenario => ({
  name: `rollout: ten waves of 1012 in ${seconds} s`,
  from: LOSS,
  until: LOSS + 5 * MINUTE,
  lifeOf: (roll) => {
    const wave = LOSS + (Math.floor(roll * 10) * seconds * SECOND) / 10
    return {
      // The first digit is the wave, the rest when it came.
      connectsAt: ((roll * 10) % 1) * MINUTE,
      endsAt: LOSS + 5 * MINUTE,
      dial: (at) => (at < LOSS ? { closesAt: wave, code: 1012 } : {}),
    }
  },
})

const expiries = (name: string, life: Pick<Life, 'dial' | 'link'> & Partial<Life>): Scenario => ({
  name,
  from: 2 * MINUTE,
  until: 30 * MINUTE,
  lifeOf: (roll) => ({
    connectsAt: roll * MINUTE,
    endsAt: 30 * MINUTE,
    tokenLifeMs: TOKEN,
    ...life,
  }),
})

/** The server closes with 4003 when the token dies. */
const atExpiry: Life['dial'] = (_, tokenDiesAt) => ({ closesAt: tokenDiesAt, code: 4003 })

const SCENARIOS: readonly Scenario[] = [
  kill(3),
  kill(60),
  rollout(30),
  expiries('expiries: closed with 4003', { dial: atExpiry }),
  expiries('expiries: renewed in-band', { dial: () => ({}), link: IN_BAND }),
  expiries('expiries, token endpoint down for 5 min', {
    dial: atExpiry,
    isEndpointUp: (at) => at < 14 * MINUTE || at >= 19 * MINUTE,
  }),
]

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '10000,100000,1000000' },
    seed: { type: 'string', default: '1' },
    scale: { type: 'string', default: '1' },
    scenario: { type: 'string', default: '' },
  },
})
const sizes = values.clients.split(',').map(Number)
const seed = Number(values.seed)
if (![...sizes, seed].every((n) => Number.isSafeInteger(n) && n >= 0))
  throw new TypeError('--clients takes whole numbers with commas between, --seed a whole number')
const scale = Number(values.scale)
if (!(scale >= 0.001 && scale <= 100)) throw new RangeError('--scale is from 0.001 to 100')
const scenarios = SCENARIOS.filter(({ name }) => name.startsWith(values.scenario))
if (scenarios.length === 0)
  throw new TypeError(`--scenario is one of ${SCENARIOS.map(({ name }) => name).join('; ')}`)

const cell = (bins: Bins, clients: number, load: Load): string => {
  const largest = bins.largest(load)
  const share = ((largest / clients) * 100).toFixed(1)
  return `${(bins.total(load) / clients).toFixed(2)}, ${largest.toLocaleString('en')} (${share} %)`
}

console.log(`per client, and the largest bin of 100 ms; seed ${seed}, retry.scale ${scale}`)
console.log('\n| scenario | clients | dials | probes | token requests |\n|---|---|---|---|---|')
for (const { name, from, until, lifeOf } of scenarios)
  for (const clients of sizes) {
    const bins = new Bins(from, until)
    liveAll(clients, seed, bins, (roll) => ({ ...lifeOf(roll), scale }))
    const cells = (['dials', 'probes', 'requests'] as const).map((load) =>
      cell(bins, clients, load),
    )
    console.log(`| ${name} | ${clients.toLocaleString('en')} | ${cells.join(' | ')} |`)
  }
