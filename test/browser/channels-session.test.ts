/** The recipe of the session cookie in Chromium, against a consumer that refuses before it accepts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'
import { PythonApp } from '../support/python-app.ts'

const PASSWORD = 'correct-horse'
const START_MS = 60_000

/** The socket of the recipe, with short waits; and what a test asks of it. */
const ENTRY = `
  import { AuthedSocket, cookieSession, roomPerSocket } from '../../src/index.ts'
  const warnings = []
  window.say = (text) => warnings.push(text)
  window.begin = async (probe) => {
    const session = cookieSession({ login: '/login/', logout: '/logout/', csrf: { url: '/csrf/' } })
    const socket = new AuthedSocket({
      url: '/ws/session/{room}/',
      auth: session,
      protocol: roomPerSocket(),
      retry: { scale: 0.01 },
      settleMs: 20,
      logger: { debug() {}, warn: (text) => warnings.push(text) },
      ...(probe && { probe }),
    })
    // What nobody listens for is a warning, too.
    socket.on('error', () => {})
    let wanted = 0
    socket.on('signinrequired', () => wanted++)
    await session.login({ username: 'alice', password: '${PASSWORD}' })
    const lobby = await socket.join('lobby')
    Object.assign(window, { session, socket, lobby })
    window.state = () => [socket.status.state, socket.status.action, wanted, warnings]
  }
  // The session ends on the server, and nobody tells the socket.
  window.endSession = async () => {
    const [, csrf] = document.cookie.match(/csrftoken=([^;]+)/)
    await fetch('/logout/', { method: 'POST', headers: { 'X-CSRFToken': csrf } })
    socket.reconnect().catch(() => {})
  }
`

let app: PythonApp
let browser: Browser
let script: string
const folder = mkdtempSync(join(tmpdir(), 'authed-socket-session-'))

beforeAll(async () => {
  await ensurePythonEnv()
  app = new PythonApp({
    folder: 'examples/server',
    app: 'channels_session:application',
    env: { CHAT_SECRET: 'x'.repeat(40), CHAT_DB: join(folder, 'db'), CHAT_PASSWORD: PASSWORD },
  })
  const bundled = pageScript({ code: ENTRY, folder: import.meta.dirname })
  ;[script, browser] = await Promise.all([bundled, launchChromium(), app.listening])
}, START_MS)
afterAll(async () => {
  await browser?.close()
  await app?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A page of the server's own origin, signed in and joined. */
const begun = async (probe?: string): Promise<Page> => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${app.wsUrl.replace('ws', 'http')}/csrf/`)
  await page.addScriptTag({ content: script })
  await page.evaluate(`begin(${JSON.stringify(probe ?? null)})`)
  return page
}

describe('a session cookie that the server takes no more, at a consumer that closes before it accepts', () => {
  it('ends in failed with sign-in where the recipe’s probe tells it', async () => {
    const page = await begun('/signed-in/')
    expect(await page.evaluate('state()')).toEqual(['connected', undefined, 0, []])
    await page.evaluate('endSession()')
    await page.waitForFunction('state()[0] === "failed"')
    expect(await page.evaluate('state()')).toEqual(['failed', 'sign-in', 1, []])
    // Somebody signs in again: the room can be joined.
    await page.evaluate(`session.login({ username: 'alice', password: '${PASSWORD}' })`)
    await page.evaluate('lobby.join()')
    expect(await page.evaluate('[socket.state, lobby.state]')).toEqual(['connected', 'joined'])
    await page.context().close()
  })

  it.each(['/login/', '/no-such-page/'])(
    'is asked for and said once at the probe %s',
    async (probe) => {
      const page = await begun(probe)
      await page.evaluate('endSession()')
      await page.waitForFunction('socket.status.attempt > 5')
      const [state, , wanted, warnings] = (await page.evaluate('state()')) as [
        string,
        0,
        number,
        [],
      ]
      // It is looked at in the middle of its attempts.
      expect(['waiting', 'authenticating', 'connecting']).toContain(state)
      expect([wanted, warnings.length]).toEqual([0, 1])
      await page.context().close()
    },
  )
})
