/** The server that the demo plays on: the embedded one, or a Python server of test/servers. */
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ensurePythonEnv } from '../scripts/python-env.mjs'
import { passwordGrant, type Session, simpleJwt } from '../src/index.ts'
import { createReferenceServer } from '../test/servers/node/server.ts'
import { startServer } from '../test/support/servers.ts'

export const STAGE_NAMES = ['node', 'fastapi', 'channels'] as const
export type StageName = (typeof STAGE_NAMES)[number]

type Login = Session<{ readonly username: string; readonly password: string }>

/** What the page needs to know, as JSON. */
export interface PageConfig {
  readonly server: string
  readonly api: string
  readonly socketUrl: string
  readonly session: 'simpleJwt' | 'passwordGrant'
}

export interface Stage {
  readonly title: string
  readonly socketUrl: string
  readonly pageUrl: string
  session(fetch: typeof globalThis.fetch): Login
  settings(changes: Settings): Promise<void>
  close(): Promise<void>
}

interface Settings {
  readonly accessLifetimeMs: number
  readonly closeAtExpiry: boolean
}

/** @param page makes what serves the page, once it is known where the server is */
export async function openStage(
  name: StageName,
  page: (config: PageConfig) => RequestListener,
): Promise<Stage> {
  return name === 'node' ? openNode(page) : openPython(name, page)
}

async function openNode(page: (config: PageConfig) => RequestListener): Promise<Stage> {
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = await createReferenceServer({
    fallback: (request, response) => listener(request, response),
  })
  const config: PageConfig = {
    server: 'the reference server on Node',
    api: server.url,
    socketUrl: `${server.wsUrl}/ws/chat/{room}/`,
    session: 'simpleJwt',
  }
  listener = page(config)
  return {
    title: config.server,
    socketUrl: config.socketUrl,
    pageUrl: `${server.url}/`,
    session: (fetch) => sessionOf(config, fetch),
    settings: async (changes) => {
      server.settings(changes)
    },
    close: () => server.close(),
  }
}

async function openPython(
  name: 'fastapi' | 'channels',
  page: (config: PageConfig) => RequestListener,
): Promise<Stage> {
  await ensurePythonEnv()
  const isFastApi = name === 'fastapi'
  const server = await startServer(isFastApi ? 'fastapi-websockets' : 'channels-daphne')
  const config: PageConfig = {
    server: isFastApi ? 'FastAPI on uvicorn' : 'Django Channels on daphne',
    api: server.url,
    socketUrl: `${server.wsUrl}/ws/v2/chat/{room}${isFastApi ? '' : '/'}`,
    session: isFastApi ? 'passwordGrant' : 'simpleJwt',
  }
  const pages = createServer(page(config))
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
  const { port } = pages.address() as AddressInfo
  return {
    title: config.server,
    socketUrl: config.socketUrl,
    pageUrl: `http://127.0.0.1:${port}/`,
    session: (fetch) => sessionOf(config, fetch),
    settings: (changes) => server.control('settings', changes),
    async close() {
      pages.closeAllConnections()
      pages.close()
      await server.stop()
    },
  }
}

function sessionOf({ api, session }: PageConfig, fetch: typeof globalThis.fetch): Login {
  return session === 'passwordGrant'
    ? passwordGrant({ url: `${api}/token`, refreshUrl: `${api}/token/refresh`, fetch })
    : simpleJwt({ obtain: `${api}/api/token/`, refresh: `${api}/api/token/refresh/`, fetch })
}
