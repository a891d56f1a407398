/**
 * `npm test`: every check of the project, in one command.
 *
 * A step prints what it said when it ends. A failure does not stop the steps after it. The last line is
 * `N passed, N failed`.
 *
 *   npm test                       everything
 *   npm test -- build package      only the steps with these names
 *
 * To add a step, add it to scripts/test/steps.mjs; to add a vitest project, to scripts/projects.mjs as well.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runStep } from './test/run-step.mjs'
import { PHASES, stepsIn } from './test/steps.mjs'

const startedAt = performance.now()
const scratch = mkdtempSync(join(tmpdir(), 'authed-socket-test-'))
const steps = new Map(stepsIn(scratch).map((step) => [step.name, step]))

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !steps.has(name))
if (unknown.length > 0) {
  console.error(`No step is named ${unknown.join(', ')}. Steps: ${[...steps.keys()].join(', ')}`)
  process.exit(2)
}

const results = []
async function runLane(names) {
  for (const name of names) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    console.log(`=== ${name}: started`)
    const { output, ...result } = await runStep(steps.get(name))
    results.push(result)
    const verdict = result.failed === 0 ? 'ok' : 'FAILED'
    console.log(`\n${output}=== ${name}: ${verdict} in ${result.seconds.toFixed(1)} s\n`)
  }
}
for (const lanes of PHASES) await Promise.all(lanes.map(runLane))
rmSync(scratch, { recursive: true, force: true })

const line = ({ name, passed, failed, seconds }) =>
  name.padEnd(14) +
  String(passed).padStart(8) +
  String(failed).padStart(8) +
  seconds.toFixed(1).padStart(9)
const sum = (key) => results.reduce((total, result) => total + result[key], 0)
const total = { name: 'total', passed: sum('passed'), failed: sum('failed') }

console.log(`${'step'.padEnd(14)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'s'.padStart(9)}`)
for (const result of results) console.log(line(result))
console.log(line({ ...total, seconds: (performance.now() - startedAt) / 1000 }))
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0
