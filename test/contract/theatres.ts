/** Where cells are played: in this process with `ws` or undici, and in a page of Chromium. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { WebSocket as UndiciWebSocket } from 'undici'
import { WebSocket as WsWebSocket } from 'ws'
import type { WebSocketConstructor } from '../../src/index.ts'
import { launchChromium } from '../support/chromium.ts'
import { pageScript } from '../support/page-script.ts'
import type { Cell, Cue, Outcome, Part } from './cell.ts'
import type { Theatre } from './director.ts'
import { play } from './player.ts'
import { type CueOf, Stages } from './stages.ts'

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

export async function openChromium(): Promise<ChromiumTheatres> {
  const [browser, script] = await Promise.all([launchChromium(), pageScript(PLAYER, 'contract')])
  const site = await serve(`<!doctype html><title>contract</title><script>${script}</script>`)
  const cues = new Map<string, (cue: Cue, asks: number) => Promise<void>>()
  const cueOf: CueOf = async (id, cue, asks) => cues.get(id)?.(cue, asks)
  const stages = new Stages(browser, site.url, cueOf)
  const theatreOf = (cell: Cell): Theatre => ({
    play: (part, cue) =>
      stages.on(cell, async (page) => {
        cues.set(part.id, cue)
        try {
          return await page.evaluate(playInPage, part)
        } finally {
          cues.delete(part.id)
        }
      }),
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
