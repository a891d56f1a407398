/** What can be reached from sockets, sessions, snapshots and diaries after `logout()`. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createReferenceServer, type ReferenceServer } from '../servers/node/server.ts'
import { CANARIES } from './size.ts'

const PROGRAM = fileURLToPath(new URL('memory-program.ts', import.meta.url))
/** How every token of the reference server begins. */
const TOKEN = `${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.`
/** Each has an access and a refresh token, and both again after a renewal. */
const SESSIONS = Math.max(6, Math.ceil(CANARIES / 40))

let server: ReferenceServer
let folder: string
beforeAll(async () => {
  server = await createReferenceServer()
  folder = await mkdtemp(join(tmpdir(), 'authed-socket-secrecy-'))
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

const tokensIn = async (file: string): Promise<string[]> => {
  const { strings } = JSON.parse(await readFile(file, 'utf8')) as { strings: string[] }
  return strings.filter((each) => each.includes(TOKEN)).map((each) => each.slice(0, 60))
}

/** What is in memory so long after the end. */
async function remembered(end: string, count: number, waitMs: number): Promise<string[]> {
  const file = join(folder, `${end}-${waitMs}.heapsnapshot`)
  const args = [server.url, file, end, String(count), String(waitMs)]
  const program = ['--expose-gc', '--import', 'tsx', PROGRAM]
  const { stdout } = await promisify(execFile)(process.execPath, [...program, ...args])
  expect(stdout.trim()).toBe(`${end === 'stay' ? count : 0} of ${count}`)
  return tokensIn(file)
}

it.concurrent.each([
  ['stay', 6],
  ['logout', SESSIONS],
])('what is in memory after "%s" of %i sessions', async (end, count) => {
  const found = await remembered(end, count, 3_000)
  if (end === 'stay') expect(found.length).toBeGreaterThanOrEqual(2 * count)
  // What is forgotten later on a busy machine is forgotten.
  else if (found.length > 0) expect(await remembered(end, count, 20_000)).toEqual([])
})
