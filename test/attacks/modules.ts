/** The server modules under attack: as they are, and as they were when they could be hurt. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const PYTHON = join(ROOT, '.venv/bin/python')

/** The last commit whose modules had no bounds. */
const UNBOUNDED = '9353197'
const MAX_BYTES = 1_048_576

export const FRAMEWORKS = ['fastapi', 'channels'] as const
export type Framework = (typeof FRAMEWORKS)[number]
export type Age = 'old' | 'new'

const run = promisify(execFile)
const old = new Map<Framework, Promise<string>>()

/** The folder that holds that `authed_rooms.py`. */
export function moduleFolder(framework: Framework, age: Age): Promise<string> {
  if (age === 'new') return Promise.resolve(join(ROOT, 'test/servers', framework))
  const folder = old.get(framework) ?? extract(framework)
  old.set(framework, folder)
  return folder
}

async function extract(framework: Framework): Promise<string> {
  const file = `test/servers/${framework}/authed_rooms.py`
  const options = { cwd: ROOT, maxBuffer: MAX_BYTES }
  const shown = await run('git', ['show', `${UNBOUNDED}:${file}`], options).catch(() => {
    throw new Error(
      `the attacks are tried on ${file} of commit ${UNBOUNDED} as well, which this clone lacks: git fetch --unshallow`,
    )
  })
  const folder = join(ROOT, '.cache/attacks', framework)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'authed_rooms.py'), shown.stdout)
  return folder
}
