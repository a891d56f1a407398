/**
 * `npm run test:planted` plants every bug, two at a time, and says which rules found it. With words it plants
 * the bugs whose names hold one of them. `--list` names them.
 */
import { RULES } from '../checker/rules.ts'
import { BUGS } from './bugs.ts'
import { tryOut, type Verdict } from './trial.ts'

const AT_A_TIME = 2

const args = process.argv.slice(2)
const words = args.filter((word) => !word.startsWith('--'))
const chosen = BUGS.filter(({ name }) => words.every((word) => name.includes(word)))

if (args.includes('--list')) {
  for (const { name } of chosen) console.log(name)
  process.exit()
}

const show = ({ bug, broken, seconds }: Verdict) => {
  const found = Object.entries(broken).map(([rule, times]) => `${rule} ${times}`)
  console.log(`${bug}: ${found.join(', ') || 'nothing'} (${Math.round(seconds)} s)`)
}
const isFound = ({ broken }: Verdict) => Object.keys(broken).some((rule) => rule in RULES)

// Without a bug nothing may be found, or what is found with one says nothing.
const clean = await tryOut(undefined)
show(clean)

const waiting = [...chosen]
const verdicts: Verdict[] = []
const work = async () => {
  for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
    const verdict = await tryOut(bug)
    show(verdict)
    verdicts.push(verdict)
  }
}
await Promise.all(Array.from({ length: AT_A_TIME }, work))

const missed = verdicts.filter((verdict) => !isFound(verdict))
console.log(`\n${verdicts.length - missed.length} of ${verdicts.length} bugs found`)
for (const { bug } of missed) console.log(`not found: ${bug}`)
if (missed.length > 0 || Object.keys(clean.broken).length > 0) process.exitCode = 1
