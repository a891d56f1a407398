/** The line of the guide, in Vite's own server and a page: one socket, however often its module is edited. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'vite'
import { expect, it, onTestFinished } from 'vitest'
import { startBareServer } from '../shell/dialing.ts'
import { launchChromium } from '../support/chromium.ts'

const root = join(import.meta.dirname, '../..')

it.each([
  ['with the line', 1],
  ['without it, to show that it is needed', 3],
])('%s', async (_, open) => {
  const folder = mkdtempSync(join(tmpdir(), 'authed-socket-hot-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const sockets = await startBareServer()
  onTestFinished(() => sockets.close())
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/authed-socket'))
  const text = readFileSync(join(root, 'examples/hot-reload.ts'), 'utf8')
    .replace('../src/index.ts', 'authed-socket')
    .replace("'/ws/plain'", JSON.stringify(sockets.url))
  const written = open === 1 ? text : text.replace(/^import\.meta\.hot.*$/m, '')
  // It accepts itself, as the modules of frameworks do.
  const accepts = 'import.meta.hot?.accept()\nwindow.made = (window.made ?? 0) + 1\n'
  const save = () => writeFileSync(join(folder, 'socket.ts'), `${written}${accepts}`)
  save()
  writeFileSync(join(folder, 'index.html'), '<script type="module" src="/socket.ts"></script>')
  const vite = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, fs: { strict: false } },
    cacheDir: join(folder, 'cache'),
    optimizeDeps: { include: ['authed-socket'] },
  })
  onTestFinished(() => vite.close())
  await vite.listen()
  await using browser = await launchChromium()
  const page = await browser.newPage()
  await page.goto(vite.resolvedUrls?.local[0] ?? '')
  const isOpen = () => sockets.sockets.filter(({ readyState }) => readyState === 1).length
  await expect.poll(isOpen).toBe(1)
  for (const made of [2, 3]) {
    save()
    await page.waitForFunction(`window.made === ${made}`)
    await expect.poll(() => sockets.sockets.length).toBe(made)
  }
  await expect.poll(isOpen).toBe(open)
})
