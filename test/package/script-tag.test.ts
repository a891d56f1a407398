import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { installConsumer, pack, temporaryFolder } from './consumer.ts'
import { type Loopback, startLoopback } from './server.ts'

const PAGE = `<!doctype html><title>script tag</title>
<script src="/authed-socket.global.js"></script>
<script>
  const { AuthedSocket, plain, viaQuery } = authedSocket
  const socket = new AuthedSocket({
    url: '/ws/',
    auth: () => 'tok',
    transmission: viaQuery({ acceptLogging: true }),
    protocol: plain(),
  })
  const received = []
  window.done = new Promise((resolve, reject) => {
    socket.on('message', ({ data }) => {
      received.push(data)
      if (received.length === 2) resolve(received)
    })
    socket.connect().then(() => socket.send({ echo: 1 })).catch(reject)
  })
</script>`

describe('the packed script-tag build in Chromium', () => {
  let server: Loopback
  let browser: Browser
  const folder = temporaryFolder()

  beforeAll(async () => {
    const consumer = installConsumer(pack(folder))
    const script = join(consumer, 'node_modules/authed-socket/dist/authed-socket.global.js')
    server = await startLoopback({
      '/': { type: 'text/html', body: PAGE },
      '/authed-socket.global.js': { type: 'text/javascript', body: readFileSync(script) },
    })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  it('connects, receives and sends, with one global and no error', async () => {
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(server.httpUrl)
    expect(await page.evaluate('window.done')).toEqual([{ hello: 'world' }, { echo: 1 }])
    expect(await page.evaluate('typeof authedSocket.AuthedSocket')).toBe('function')
    expect(errors).toEqual([])
  })
})
