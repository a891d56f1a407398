/**
 * `npm run test:planted` plants every bug, two at a time, and says which rules found it. With words it plants
 * the bugs whose names hold one of them. `--list` names them.
 */
import { RULES } from '../checker/rules.ts'
import type { Bug } from './bug.ts'
import { BUGS, NO_BUGS } from './bugs.ts'
import { type Trial, tryOut } from './trial.ts'

const AT_A_TIME = 2

const args = process.argv.slice(2)
const words = args.filter((word) => !word.startsWith('--'))
const chosen = BUGS.filter(({ name }) => words.every((word) => name.includes(word)))

if (args.includes('--list')) {
  for (const { name } of chosen) console.log(name)
  process.exit()
}

const show = ({ bug, broken, seconds }: Trial) => {
  const found = Object.entries(broken).map(([rule, times]) => `${rule} ${times}`)
  console.log(`${bug}: ${found.join(', ') || 'nothing'} (${Math.round(seconds)} s)`)
}
const isFound = ({ broken }: Trial) => Object.keys(broken).some((rule) => rule in RULES)

async function tryAll(bugs: readonly Bug[]): Promise<Trial[]> {
  const waiting = [...bugs]
  const trials: Trial[] = []
  const work = async () => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const trial = await tryOut(bug)
      show(trial)
      trials.push(trial)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return trials
}

const clean = await tryAll(NO_BUGS)
const trials = await tryAll(chosen)
const missed = trials.filter((trial) => !isFound(trial))
console.log(`\n${trials.length - missed.length} of ${trials.length} bugs found`)
for (const { bug } of missed) console.log(`not found: ${bug}`)
const isClean = clean.every(({ broken }) => Object.keys(broken).length === 0)
if (missed.length > 0 || !isClean) process.exitCode = 1
