import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createReferenceServer, type ReferenceServer } from '../../servers/node/server.ts'

const PROGRAM = fileURLToPath(new URL('forgotten-program.ts', import.meta.url))
/** How every token of the reference server begins. */
const TOKEN = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.`

let server: ReferenceServer
let folder: string
beforeAll(async () => {
  server = await createReferenceServer()
  folder = await mkdtemp(join(tmpdir(), 'authed-socket-forgotten-'))
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

/** The strings of a heap snapshot that hold a token. */
const tokensIn = async (file: string): Promise<string[]> => {
  const { strings } = JSON.parse(await readFile(file, 'utf8')) as { strings: string[] }
  return strings.filter((text) => text.includes(TOKEN)).map((text) => text.slice(0, 60))
}

/** What is in memory so long after the end. */
async function remembered(end: string, said: string, waitMs: number): Promise<string[]> {
  const file = join(folder, `${end}-${waitMs}.heapsnapshot`)
  const args = [server.url, file, end, String(waitMs)]
  const program = ['--expose-gc', '--import', 'tsx', PROGRAM]
  const { stdout } = await promisify(execFile)(process.execPath, [...program, ...args])
  expect(stdout.trim()).toBe(said)
  return tokensIn(file)
}

it.each([
  ['stay', 'true true connected'],
  ['logout', 'false false idle'],
])(
  'what is in memory after "%s"',
  async (end, said) => {
    const found = await remembered(end, said, 3_000)
    if (end === 'stay') expect(found.length).toBeGreaterThan(0)
    // What is forgotten later on a busy machine is forgotten.
    else if (found.length > 0) expect(await remembered(end, said, 20_000)).toEqual([])
  },
  120_000,
)
