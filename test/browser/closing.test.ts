/** A server that says close, and keeps TCP: what Chromium tells of it, and where a send goes meanwhile. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'
import { serveRaw } from '../support/raw-server.ts'

const ENTRY = `
  import { AuthedSocket, plain, viaQuery } from '../../src/index.ts'
  window.begin = async (url) => {
    const codes = []
    let made
    class Spy extends WebSocket {
      constructor(...given) { super(...given); made ??= this }
    }
    const socket = new AuthedSocket({
      url,
      auth: () => 'token',
      transmission: viaQuery({ acceptLogging: true }),
      protocol: plain(),
      WebSocket: Spy,
      probe: async () => 'unreachable',
      retry: { scale: 0.02 },
      settleMs: 20,
    })
    socket.on('disconnected', ({ code }) => codes.push(code))
    await socket.connect()
    Object.assign(window, { socket, codes, first: () => made.readyState })
  }
`

let browser: Browser
let script: string

beforeAll(async () => {
  const bundled = pageScript({ code: ENTRY, folder: import.meta.dirname })
  ;[script, browser] = await Promise.all([bundled, launchChromium()])
})
afterAll(() => browser?.close())

it.each([4003, 1012, 4403])(
  'a send into a socket that was told %i goes to the next connection, and the code comes',
  async (code) => {
    const server = await serveRaw()
    const page = await browser.newPage()
    await page.addScriptTag({ content: script })
    await page.evaluate(`begin(${JSON.stringify(server.url)})`)
    server.connections[0]?.sayClose(code)
    // Closing, or closed: open no more.
    await page.waitForFunction('first() >= 2')
    const sent = await page.evaluate(`socket.send('late').then(() => 'sent', ({ name }) => name)`)
    await page.waitForFunction('codes.length > 0')
    expect(await page.evaluate('codes[0]')).toBe(code)
    const late = () => server.connections.slice(1).flatMap(({ frames }) => frames)
    // It was taken, and may be on its way.
    if (sent === 'sent') await vi.waitFor(() => expect(late()).toContain('"late"'))
    else expect(late()).toEqual([])
    expect(server.connections[0]?.frames).not.toContain('"late"')
    if (code !== 4403) expect(sent).toBe('sent')
    await page.close()
  },
  30_000,
)
