/** Runs 1,000 messages through a copy of the project that has one bug more. */
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { judge } from '../program.ts'
import { type Bug, edit } from './bug.ts'

export interface Trial {
  readonly bug: string
  /** How often each rule was broken; empty: the bug went by unseen. */
  readonly broken: Readonly<Record<string, number>>
  readonly seconds: number
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const COPIED = ['src', 'test/chaos', 'test/support', 'test/servers/node']
const LINKED = ['node_modules', 'scripts', 'package.json', 'tsconfig.json']
const SIZE = { messages: 1_000, reconnects: 60, faults: 200 }
/** On a machine that is busy. A run with a bug ends as soon as it is found. */
const MINUTES = 2

/**
 * @throws {Error} the bug could not be planted, or the copy does not run at all
 */
export async function tryOut({ name, edits, options }: Bug, seed = 1): Promise<Trial> {
  const startedAt = performance.now()
  const folder = join(ROOT, '.cache/planted', name.replaceAll(/[^a-z]+/gi, '-'))
  try {
    await copy(folder)
    for (const each of edits) {
      const file = join(folder, each.file)
      await writeFile(file, edit(await readFile(file, 'utf8'), each))
    }
    const size = { ...SIZE, seed, minutes: MINUTES, ends: 'when-broken', ...options }
    const { broken, shortfalls } = await judge(folder, size)
    return {
      bug: name,
      // A run that has found something ends without the rest.
      broken:
        Object.keys(broken).length === 0 && shortfalls.length > 0
          ? { shortfall: shortfalls.length }
          : broken,
      seconds: (performance.now() - startedAt) / 1_000,
    }
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
