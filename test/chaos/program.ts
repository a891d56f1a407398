/** Runs conservation.ts in a process of its own. */
import { spawn } from 'node:child_process'

export interface Verdict {
  /** How often each rule was broken. */
  readonly broken: Readonly<Record<string, number>>
  /** What was asked for and did not happen. */
  readonly shortfalls: readonly string[]
  /** Where the history stands, when something is wrong. */
  readonly history?: string
}

/** Those of the program. After `minutes` it comes to its end, whatever has happened by then. */
export interface Options extends Readonly<Record<string, number | string>> {
  readonly minutes: number
}

/** What a run may take beside its minutes, before it is killed: it starts, comes to rest and judges. */
const MORE_MS = 150_000

/**
 * @param folder the root of the repository, or of a copy
 * @throws {Error} it does not run at all
 */
export async function judge(folder: string, options: Options): Promise<Verdict> {
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, String(value)])
  const program = ['--import', 'tsx', 'test/chaos/conservation.ts', '--json', ...args]
  const { output, errors } = await outputOf(folder, program, options.minutes * 60_000 + MORE_MS)
  try {
    return JSON.parse(output) as Verdict
  } catch {
    throw new Error(`it does not run:\n${output}${errors}`.slice(0, 4_000))
  }
}

function outputOf(
  folder: string,
  args: readonly string[],
  limitMs: number,
): Promise<{ output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    let output = ''
    let errors = ''
    child.stdout.on('data', (text: Buffer) => {
      output += String(text)
    })
    child.stderr.on('data', (text: Buffer) => {
      errors += String(text)
    })
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      resolve({ output, errors })
    })
  })
}
