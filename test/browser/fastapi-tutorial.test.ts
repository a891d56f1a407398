/** The end of a token of FastAPI's tutorial, on uvicorn: in Chromium, and on both kinds of sockets in Node. */
import { WebSocket as UndiciWebSocket } from 'undici'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ensurePythonEnv } from '../../scripts/python-env.mjs'
import {
  AuthedSocket,
  passwordGrant,
  roomPerSocket,
  viaQuery,
  type WebSocketConstructor,
} from '../../src/index.ts'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'
import { PythonApp } from '../support/python-app.ts'

const START_MS = 60_000
/** Of a token of the fixture. */
const LIFE_MS = 4_000

/** A page that signed in and joined; `said` holds what it was asked, and in which state it ended. */
const ENTRY = `
  import { AuthedSocket, passwordGrant, roomPerSocket, viaQuery } from '../../src/index.ts'
  window.begin = async (username) => {
    const auth = passwordGrant({ url: '/token' })
    await auth.login({ username, password: 'any' })
    const socket = new AuthedSocket({
      url: '/ws/{room}',
      auth,
      transmission: viaQuery({ acceptLogging: true }),
      protocol: roomPerSocket(),
      retry: { scale: 0.01 },
      settleMs: 20,
    })
    window.said = []
    socket.on('signinrequired', () => said.push(socket.status.action))
    await socket.join('lobby')
  }
`

let app: PythonApp
const origin = (): string => app.wsUrl.replace('ws', 'http')

interface Client {
  /** With what it asked for a person, once it has. */
  asked(): Promise<unknown>
}

const inChromium = async (username: string): Promise<Client> => {
  const script = await pageScript({ code: ENTRY, folder: import.meta.dirname })
  const browser = await launchChromium()
  stops.push(() => browser.close())
  const page = await browser.newPage()
  await page.goto(`${origin()}/page`)
  await page.addScriptTag({ content: script })
  await page.evaluate(`begin('${username}')`)
  return {
    asked: async () => {
      await page.waitForFunction('said.length > 0')
      return page.evaluate('said')
    },
  }
}

const inNode =
  (Constructor: unknown) =>
  async (username: string): Promise<Client> => {
    const auth = passwordGrant({ url: `${origin()}/token` })
    await auth.login({ username, password: 'any' })
    const socket = new AuthedSocket({
      url: `${app.wsUrl}/ws/{room}`,
      auth,
      transmission: viaQuery({ acceptLogging: true }),
      protocol: roomPerSocket(),
      retry: { scale: 0.01 },
      settleMs: 20,
      // Both have what the SDK uses of a WebSocket; their types say it in words of their own.
      WebSocket: Constructor as WebSocketConstructor,
    })
    stops.push(() => socket.disconnect())
    const said: unknown[] = []
    socket.on('signinrequired', () => {
      const { status } = socket
      said.push(status.state === 'failed' && status.action)
    })
    await socket.join('lobby')
    return {
      asked: async () => {
        await vi.waitFor(() => expect(said).not.toEqual([]), START_MS)
        return said
      },
    }
  }

const RUNTIMES: [name: string, start: (username: string) => Promise<Client>][] = [
  ['Chromium', inChromium],
  ['ws', inNode(WebSocket)],
  ['undici', inNode(UndiciWebSocket)],
]

const clients = new Map<string, Client>()
const stops: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  await ensurePythonEnv()
  app = new PythonApp({
    folder: 'test/browser',
    app: 'fastapi_tutorial:app',
    env: { CHAT_SECRET: 'x'.repeat(40) },
  })
  await app.listening
  // One after the other: each may take its time, and a token ends by the clock.
  for (const [name, start] of RUNTIMES) clients.set(name, await start(name))
  await new Promise((resolve) => setTimeout(resolve, LIFE_MS))
  await fetch(`${origin()}/drop`, { method: 'POST' })
}, START_MS)
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()))
  await app?.stop()
})

describe('A token of sub and exp, without a refresh', () => {
  it.each(RUNTIMES)('asks to sign in within one rejected dial of its end: on %s', async (name) => {
    expect(await clients.get(name)?.asked()).toEqual(['sign-in'])
    const dials = (await (await fetch(`${origin()}/dials`)).json()) as [string, boolean][]
    const taken = dials.flatMap(([user, isTaken]) => (user === name ? [isTaken] : []))
    expect(taken.slice(0, 1)).toEqual([true])
    expect(taken.filter((isTaken) => !isTaken).length).toBeLessThanOrEqual(1)
  })
})
