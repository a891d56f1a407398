/** Runs 1,000 messages through a copy of the project that has one bug more. */
import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bug, edit } from './bug.ts'

export interface Verdict {
  readonly bug: string
  /** How often each rule was broken; empty: the bug went by unseen. */
  readonly broken: Readonly<Record<string, number>>
  readonly seconds: number
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const COPIED = ['src', 'test/chaos', 'test/support', 'test/servers/node']
const LINKED = ['node_modules', 'scripts', 'package.json', 'tsconfig.json']
const SIZE = { messages: 1_000, reconnects: 60, faults: 200 }
/** A bug may keep the run from ever coming to its end. */
const MINUTES = 0.5
const CLEAN_MINUTES = 2
const LIMIT_MS = 150_000

/**
 * @param bug without one the copy is as it should be
 * @throws {Error} the bug could not be planted, or the copy does not run at all
 */
export async function tryOut(bug: Bug | undefined, seed = 1): Promise<Verdict> {
  const name = bug?.name ?? 'no bug'
  const startedAt = performance.now()
  const folder = join(ROOT, '.cache/planted', name.replaceAll(/[^a-z]+/gi, '-'))
  try {
    await copy(folder)
    for (const each of bug?.edits ?? []) {
      const file = join(folder, each.file)
      await writeFile(file, edit(await readFile(file, 'utf8'), each))
    }
    const broken = await run(folder, { seed, minutes: bug ? MINUTES : CLEAN_MINUTES })
    return { bug: name, broken, seconds: (performance.now() - startedAt) / 1_000 }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function copy(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'test/servers'), { recursive: true })
  for (const path of COPIED) await cp(join(ROOT, path), join(folder, path), { recursive: true })
  for (const path of LINKED) await symlink(join(ROOT, path), join(folder, path))
}

async function run(
  folder: string,
  how: { seed: number; minutes: number },
): Promise<Record<string, number>> {
  const args = Object.entries({ ...SIZE, ...how }).flatMap(([option, value]) => [
    `--${option}`,
    String(value),
  ])
  const { output, errors } = await outputOf(folder, [
    ...['--import', 'tsx', 'test/chaos/conservation.ts', '--json'],
    ...args,
  ])
  try {
    const { broken, shortfalls } = JSON.parse(output) as {
      broken: Record<string, number>
      shortfalls: string[]
    }
    return shortfalls.length > 0 ? { ...broken, shortfall: shortfalls.length } : broken
  } catch {
    throw new Error(`the copy does not run:\n${output}${errors}`.slice(0, 4_000))
  }
}

function outputOf(
  folder: string,
  args: readonly string[],
): Promise<{ output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
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
