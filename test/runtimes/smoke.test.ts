/** One story in each runtime that is not the one of the other tests. */
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ensureRuntimes } from '../../scripts/runtimes.mjs'
import { createReferenceServer } from '../servers/node/server.ts'
import { openFirefox, servePage } from './firefox.ts'
import { bundle, run, startWorker } from './processes.ts'

const serverOf = async () => {
  const server = await createReferenceServer()
  onTestFinished(() => server.close())
  return server.url
}

const TOLD = {
  seq: 1,
  texts: ['hi', 'again'],
  codes: [4003, 1000],
  dials: 2,
  refreshRequests: 1,
  state: 'idle',
  whoami: 200,
}

let programs: Awaited<ReturnType<typeof ensureRuntimes>>
beforeAll(async () => {
  programs = await ensureRuntimes()
}, 300_000)

describe.each([
  ['node20', []],
  ['node26', []],
  ['bun', []],
  ['deno', ['run', '-A', '--node-modules-dir=manual']],
] as const)('%s', (name, args) => {
  it.each(name === 'node20' ? ['found'] : ['own', 'found'])(
    'joins, is refused by 4003, comes back and ends by itself, with the socket that is %s',
    async (socket) => {
      const main = join(import.meta.dirname, 'main.mjs')
      const ended = await run(programs[name], [...args, main, await serverOf(), socket])
      expect(ended).toMatchObject({ code: 0, err: '' })
      expect(JSON.parse(ended.out)).toEqual(TOLD)
    },
  )
})

it.each(['2026-11-01', '2024-09-01'])('Workers with the compatibility date %s', async (date) => {
  const worker = await startWorker(programs.workerd, 'worker.mjs', date)
  const answer = await fetch(`${worker}?server=${encodeURIComponent(await serverOf())}`)
  const text = await answer.text()
  expect(answer.status, text).toBe(200)
  expect(JSON.parse(text)).toEqual(TOLD)
})

it('Firefox', async () => {
  const url = await servePage(await bundle('page.mjs', { format: 'iife', platform: 'browser' }))
  const page = await openFirefox(url)
  expect(await page.evaluate(`run(${JSON.stringify(await serverOf())})`)).toEqual(TOLD)
})
