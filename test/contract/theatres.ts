/** Where cells are played: in this process with `ws` or undici, and in a page of Chromium. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { WebSocket as UndiciWebSocket } from 'undici'
import { WebSocket as WsWebSocket } from 'ws'
import type { WebSocketConstructor } from '../../src/index.ts'
import { launchChromium } from '../support/chromium.ts'
import type { Cell, Cue, Outcome, Part } from './cell.ts'
import type { Theatre } from './director.ts'
import { play } from './player.ts'

const showAll = (value: unknown): string => inspect(value, { depth: null, showHidden: true })

/** Both constructors have what the SDK asks for; their own types say more than that. */
const CONSTRUCTORS: Readonly<Record<string, unknown>> = { ws: WsWebSocket, undici: UndiciWebSocket }

/** This very process. */
export function inNode({ runtime }: Cell): Theatre {
  const WebSocket = CONSTRUCTORS[runtime] as WebSocketConstructor
  return { play: (part, cue) => play(part, { WebSocket, inspect: showAll, cue }) }
}

export interface ChromiumTheatres {
  theatreOf(cell: Cell): Theatre
  close(): Promise<void>
}

const PLAYER = fileURLToPath(new URL('player.ts', import.meta.url))

async function bundlePlayer(): Promise<string> {
  const bundle = await build({
    entryPoints: [PLAYER],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'contract',
    target: 'es2022',
    // As users get it: no private member is turned into a WeakMap, so that it can be looked through.
    keepNames: true,
  })
  const [script] = bundle.outputFiles
  if (!script) throw new Error('esbuild gave no file')
  return script.text
}

type CueOf = (id: string, cue: Cue, asks: number) => Promise<void>
interface Scene {
  readonly context: BrowserContext
  readonly page: Page
}
/**
 * Chromium delays the dials of a process by 2^(dials under way + share of failed ones), up to seconds, so no
 * page plays many cells.
 */
const CELLS_A_PAGE = 6
const MANY_ROOMS = 4

/** Cookies belong to the host, whatever its port: a page that is signed in by one has a context of its own. */
const isAlone = ({ auth, rooms }: Cell): boolean =>
  auth.kind === 'session' || rooms.length >= MANY_ROOMS

export async function openChromium(): Promise<ChromiumTheatres> {
  const [browser, script] = await Promise.all([launchChromium(), bundlePlayer()])
  const site = await serve(`<!doctype html><title>contract</title><script>${script}</script>`)
  const cues = new Map<string, (cue: Cue, asks: number) => Promise<void>>()
  const cueOf: CueOf = async (id, cue, asks) => cues.get(id)?.(cue, asks)
  const open = (): Promise<Scene> => openScene(browser, site.url, cueOf)
  let shared: Promise<Scene> | undefined
  let used = 0
  const scene = (cell: Cell): Promise<Scene> => {
    if (isAlone(cell)) return open()
    if (shared === undefined || used >= CELLS_A_PAGE) {
      shared = open()
      used = 0
    }
    used += 1
    return shared
  }
  const theatreOf = (cell: Cell): Theatre => ({
    async play(part, cue) {
      const { context, page } = await scene(cell)
      cues.set(part.id, cue)
      try {
        return await page.evaluate(playInPage, part)
      } finally {
        cues.delete(part.id)
        if (isAlone(cell)) await context.close()
      }
    },
  })
  return {
    theatreOf,
    async close() {
      await browser.close()
      site.close()
    },
  }
}

interface PageGlobals {
  contract: { play: typeof play }
  contractCue: CueOf
}

/** Runs in the page. */
function playInPage(part: Part): Promise<Outcome> {
  const { contract, contractCue } = globalThis as unknown as PageGlobals
  return contract.play(part, { cue: (cue, asks) => contractCue(part.id, cue, asks) })
}

async function openScene(browser: Browser, url: string, cueOf: CueOf): Promise<Scene> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.exposeFunction('contractCue', cueOf)
  await page.goto(url)
  return { context, page }
}

async function serve(html: string): Promise<{ url: string; close(): void }> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
