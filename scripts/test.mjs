/**
 * `npm test`: every check of the project, in one command.
 *
 * Each step streams its output. A failure does not stop the steps after it. The last line is
 * `N passed, N failed`: tests of vitest count one each, any other step counts as one.
 *
 *   npm test                       everything
 *   npm test -- build package      only the steps with these names
 *
 * To add a step, add a line to STEPS. To add a vitest project, add it to scripts/projects.mjs.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projects } from './projects.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
// Some tools colour their output whenever they see CI; a log file is not a terminal.
const { FORCE_COLOR: _, ...plain } = process.env
const env = process.stdout.isTTY ? process.env : { ...plain, NO_COLOR: '1' }
const scratch = mkdtempSync(join(tmpdir(), 'authed-socket-test-'))

const node = (...args) => [process.execPath, ...args]
const bin = (name, ...args) => node(join('node_modules', ...BINS[name]), ...args)
const BINS = {
  biome: ['@biomejs', 'biome', 'bin', 'biome'],
  tsc: ['typescript', 'bin', 'tsc'],
  tsup: ['tsup', 'dist', 'cli-default.js'],
  vitest: ['vitest', 'vitest.mjs'],
}
/** Calls one exported function of one module, in a process of its own. */
const call = (module, name) =>
  node(
    '--input-type=module',
    '--eval',
    `import { ${name} } from '${module}'
     await ${name}().then(console.log, (error) => { console.error(error.message); process.exit(1) })`,
  )

// Biome sees CI and colours its output whatever NO_COLOR says.
const colors = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`

/** In this order. `timeoutMs` ends a step that hangs; the default is two minutes. */
const STEPS = [
  {
    name: 'python',
    command: call('./scripts/python-env.mjs', 'ensurePythonEnv'),
    timeoutMs: 180_000,
  },
  {
    name: 'chromium',
    command: call('./scripts/chromium.mjs', 'ensureChromium'),
    timeoutMs: 240_000,
  },
  {
    name: 'services',
    command: call('./scripts/services.mjs', 'ensureServices'),
    timeoutMs: 180_000,
  },
  {
    name: 'lint',
    command: bin('biome', 'ci', '--error-on-warnings', '--max-diagnostics=100', colors, '.'),
  },
  { name: 'typecheck', command: bin('tsc', '--project', 'tsconfig.json') },
  { name: 'build', command: bin('tsup') },
  ...projects.map(vitestStep),
  // Pages that are generated from the code, and from what the suites saw.
  {
    name: 'docs-drift',
    command: node('--import', 'tsx', 'scripts/docs/state-machine.ts', '--check'),
  },
  { name: 'servers-drift', command: node('scripts/docs-servers.mjs', '--check') },
  { name: 'size', command: node('scripts/size.mjs', '--known') },
]

function vitestStep({ name, stepTimeoutMs }) {
  const report = join(scratch, `${name}.json`)
  return {
    name,
    report,
    timeoutMs: stepTimeoutMs,
    command: bin(
      'vitest',
      'run',
      `--project=${name}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ),
  }
}

function run({ command, timeoutMs = 120_000 }) {
  return new Promise((resolve) => {
    const [file, ...args] = command
    // A group of its own, so that a step that hangs is ended with its workers and servers.
    const child = spawn(file, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    })
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal)
      } catch {
        // It ended by itself.
      }
    }
    const interrupt = () => {
      end('SIGTERM')
      process.exit(130)
    }
    const timer = setTimeout(() => {
      console.error(`ended after ${timeoutMs / 1000} s without a result`)
      end('SIGKILL')
    }, timeoutMs)
    const done = (ok) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      // Whatever the step left behind must not answer on the ports of the next one.
      end('SIGKILL')
      resolve(ok)
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    child.on('error', (error) => {
      console.error(error.message)
      done(false)
    })
    child.on('exit', (code) => done(code === 0))
  })
}

/** What a step adds to the last line. */
function count(step, ok) {
  if (!step.report) return ok ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  const { passed, failed } = readReport(step.report)
  // Nothing ran, a worker died, an error belonged to no test: a failure all the same.
  if (failed === 0 && (!ok || passed === 0)) return { passed, failed: 1 }
  return { passed, failed }
}

function readReport(file) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0 }
  }
  // A skipped test is a test that did not pass.
  const skipped = report.numPendingTests + report.numTodoTests
  if (skipped > 0) console.error(`${skipped} skipped: counted as failed`)
  const broken = report.testResults.filter(
    (result) =>
      result.status === 'failed' &&
      !result.assertionResults.some((test) => test.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + skipped + broken.length,
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(
    `No step is named ${unknown.join(', ')}. Steps: ${STEPS.map((s) => s.name).join(', ')}`,
  )
  process.exit(2)
}

const results = []
for (const step of STEPS) {
  if (wanted.length > 0 && !wanted.includes(step.name)) continue
  console.log(`\n=== ${step.name}`)
  const startedAt = performance.now()
  const ok = await run(step)
  const { passed, failed } = count(step, ok)
  const seconds = (performance.now() - startedAt) / 1000
  results.push({ name: step.name, passed, failed, seconds })
  console.log(`=== ${step.name}: ${failed === 0 ? 'ok' : 'FAILED'} in ${seconds.toFixed(1)} s`)
}
rmSync(scratch, { recursive: true, force: true })

const sum = (key) => results.reduce((total, result) => total + result[key], 0)
console.log(
  `\n${'step'.padEnd(14)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'s'.padStart(9)}`,
)
for (const { name, passed, failed, seconds } of [
  ...results,
  { name: 'total', passed: sum('passed'), failed: sum('failed'), seconds: sum('seconds') },
]) {
  console.log(
    name.padEnd(14) +
      String(passed).padStart(8) +
      String(failed).padStart(8) +
      seconds.toFixed(1).padStart(9),
  )
}
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
process.exitCode = sum('failed') > 0 ? 1 : 0
