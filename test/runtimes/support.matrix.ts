/**
 * `npm run test:matrix`: the story of `story.mjs` in everything that the registries bring, and `docs/support.md`, which says
 * what was run.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build as viteBuild } from 'vite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ensureFirefox } from '../../scripts/firefox.mjs'
import { ensureRuntimes } from '../../scripts/runtimes.mjs'
import { createReferenceServer } from '../servers/node/server.ts'
import { launchChromium } from '../support/chromium.ts'
import { expectToldCodes, serveClosingPage } from './closing.ts'
import { openFirefox, servePage } from './firefox.ts'
import { bundle, run, scratch, startWorker } from './processes.ts'
import { openWebKit } from './webkit.ts'

const root = join(import.meta.dirname, '../..')
const rows: string[] = []
const ran = (what: string, version: string, how: string) =>
  rows.push(`| ${what} | ${version.trim()} | ${how} |`)
const versionOf = (program: string): string =>
  /\d[\w.-]*/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? ''

const serverOf = async () => {
  const server = await createReferenceServer()
  onTestFinished(() => server.close())
  return server.url
}

const TOLD = { texts: ['hi', 'again'], dials: 2, refreshRequests: 1, state: 'idle', whoami: 200 }

let programs: Awaited<ReturnType<typeof ensureRuntimes>>
beforeAll(async () => {
  programs = await ensureRuntimes('all')
}, 300_000)

describe.each([
  ['Node 20', 'node20', []],
  ['Node 22', 'node22', []],
  ['Node 24', 'node24', []],
  ['Node 26', 'node26', []],
  ['Bun', 'bun', []],
  ['Deno', 'deno', ['run', '-A', '--node-modules-dir=manual']],
] as const)('%s', (title, name, args) => {
  it.each(name === 'node20' ? ['found'] : ['own', 'found'])(
    'with the socket %s',
    async (socket) => {
      const main = join(import.meta.dirname, 'main.mjs')
      const ended = await run(programs[name], [...args, main, await serverOf(), socket])
      expect(ended).toMatchObject({ code: 0, err: '' })
      expect(JSON.parse(ended.out)).toMatchObject(TOLD)
      const whose = socket === 'own' ? 'its own WebSocket' : 'the WebSocket that the package finds'
      ran(title, versionOf(programs[name]), whose)
    },
  )
})

it.each(['2026-11-01', '2024-09-01'])('Workers of %s', async (date) => {
  const worker = await startWorker(programs.workerd, 'worker.mjs', date)
  const answer = await fetch(`${worker}?server=${encodeURIComponent(await serverOf())}`)
  expect(await answer.json()).toMatchObject(TOLD)
  ran('Cloudflare Workers (workerd)', versionOf(programs.workerd), `compatibility date ${date}`)
})

const inChromium = async (script: string) => {
  await using browser = await launchChromium()
  const page = await browser.newPage()
  await page.goto(await servePage(script))
  expect(await page.evaluate(`run(${JSON.stringify(await serverOf())})`)).toMatchObject(TOLD)
  return browser.version()
}

it('Chromium, bundled by esbuild', async () => {
  const script = await bundle('page.mjs', { format: 'iife', platform: 'browser' })
  ran('Chromium', await inChromium(script), 'a page, bundled by esbuild')
})

it('Chromium, bundled by Vite', async () => {
  const outDir = scratch()
  await viteBuild({
    root: outDir,
    configFile: false,
    logLevel: 'silent',
    build: {
      outDir,
      lib: {
        entry: join(import.meta.dirname, 'page.mjs'),
        formats: ['iife'],
        name: 'page',
        fileName: () => 'page.js',
      },
    },
  })
  ran(
    'Chromium',
    await inChromium(readFileSync(join(outDir, 'page.js'), 'utf8')),
    'a page, bundled by Vite',
  )
})

it('Firefox', async () => {
  const page = await openFirefox(
    await servePage(await bundle('page.mjs', { format: 'iife', platform: 'browser' })),
  )
  expect(await page.evaluate(`run(${JSON.stringify(await serverOf())})`)).toMatchObject(TOLD)
  ran('Firefox', versionOf(await ensureFirefox()), 'a page, bundled by esbuild')
})

it('WebKit', async () => {
  const page = await openWebKit(
    await servePage(await bundle('page.mjs', { format: 'iife', platform: 'browser' })),
  )
  expect(await page.evaluate(`run(${JSON.stringify(await serverOf())})`)).toMatchObject(TOLD)
  ran('WebKitGTK', page.version, 'a page of MiniBrowser, bundled by esbuild')
})

it('in WebKit a send into a socket that was told 4003, 1012 or 4403 goes to the next one', async () => {
  // It tells the code once it has waited for two seconds itself, as long as the package does.
  await expectToldCodes(await openWebKit(await serveClosingPage()), 1006)
})

afterAll(() => {
  writeFileSync(
    join(root, 'docs/support.md'),
    `# Support

What \`npm run test:matrix\` ran, on ${new Date().toISOString().slice(0, 10)}: a login, a room, a message each way, a token refused by 4003 and
renewed, the room again, an orderly end. The other tests run on Node 20 and in Chromium.

| runtime | version | how |
|---|---|---|
${rows.join('\n')}

React Native is emulated: its globals, on Node, by \`npm test\`. Not run: Electron, Hermes,
happy-dom and jsdom.
`,
  )
})
