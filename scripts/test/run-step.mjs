/** Runs one step in a process group of its own, and counts what it says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const CLOSE_MS = 2_000
/** A step takes three minutes at most; on a busy machine a multiple of that. */
const LIMIT_MS = 1_800_000

const root = fileURLToPath(new URL('../..', import.meta.url))
// Some tools colour their output whenever they see CI; a log file is not a terminal.
const { FORCE_COLOR: _, ...plain } = process.env
const env = process.stdout.isTTY ? process.env : { ...plain, NO_COLOR: '1' }

/** @returns `{ name, passed, failed, seconds, output }` */
export async function runStep(step) {
  const startedAt = performance.now()
  const { ok, output } = await run(step)
  const seconds = (performance.now() - startedAt) / 1000
  return { name: step.name, ...count(step, ok), seconds, output }
}

function run({ command }) {
  return new Promise((resolve) => {
    const [file, ...args] = command
    // A group of its own, so that a step that hangs is ended with its workers and servers.
    const child = spawn(file, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    // Kept until the end: lines of two steps at once could not be told apart.
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
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
      chunks.push(Buffer.from(`ended after ${LIMIT_MS / 1000} s without a result\n`))
      end('SIGKILL')
    }, LIMIT_MS)
    const done = (ok) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      resolve({ ok, output: Buffer.concat(chunks).toString() })
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
    child.on('error', (error) => {
      chunks.push(Buffer.from(`${error.message}\n`))
      done(false)
    })
    child.on('exit', async (code) => {
      // Whatever the step left behind must not answer on the ports of the next one.
      end('SIGKILL')
      // What left the group may hold the output open for ever.
      await Promise.race([once(child, 'close'), sleep(CLOSE_MS, undefined, { ref: false })])
      done(code === 0)
    })
  })
}

/** Tests of vitest count one each, any other step counts as one. */
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
