/** Tokens by the thousand, over each transmission, in Node: who sees them besides the server that they are for? */
import { inspect } from 'node:util'
import { WebSocket as UndiciWebSocket } from 'undici'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket as WsWebSocket } from 'ws'
import type { WebSocketConstructor } from '../../src/index.ts'
import { tableUnder } from '../docs/markdown.ts'
import { startNginx, type TestNginx } from '../support/nginx.ts'
import { type ServerOptions, startServer, type TestServer } from '../support/servers.ts'
import { Canaries } from './canaries.ts'
import { type Fate, live } from './life.ts'
import { CANARIES, chance, eachOf } from './size.ts'
import { WAYS, type Way } from './ways.ts'

const AT_ONCE = 16
const FATES: readonly Fate[] = ['accepted', 'accepted', 'refused', 'refused', 'thrown', 'stuck']
/** Both constructors have what the SDK asks for; their own types say more than that. */
const RUNTIMES = [WsWebSocket, UndiciWebSocket] as unknown as readonly WebSocketConstructor[]

interface Target {
  readonly log: 'uvicorn' | 'uvicorn at debug' | 'daphne' | 'nginx'
  readonly server: TestServer
  readonly wsUrl: string
  pathOf(way: Way, room: string): string
}

const texts: Record<Target['log'], string[]> = {
  uvicorn: [],
  'uvicorn at debug': [],
  daphne: [],
  nginx: [],
}
const targets: Target[] = []
const canaries = new Canaries()
const leaks = new Set<string>()
const heard: string[] = []
let channels = 0
let nginx: TestNginx | undefined

const shown = (value: unknown): string => inspect(value, { depth: null, showHidden: true })

async function openTargets(): Promise<void> {
  const start = async (
    log: Exclude<Target['log'], 'nginx'>,
    name: 'fastapi-websockets' | 'channels-daphne',
    logLevel: NonNullable<ServerOptions['logLevel']>,
  ): Promise<Target> => {
    const server = await startServer(name, { logLevel, heard: (text) => texts[log].push(text) })
    const slash = name === 'channels-daphne' ? '/' : ''
    const pathOf = (way: Way, room: string) =>
      `/ws/v2/${way === 'first-message' ? 'first' : 'chat'}/${room}${slash}`
    return { log, server, wsUrl: server.wsUrl, pathOf }
  }
  const behindNginx = async (): Promise<Target> => {
    const server = await startServer('node')
    nginx = await startNginx({ upstreams: [server.port], logs: true })
    const pathOf = (way: Way, room: string) =>
      `/ws/${way === 'first-message' ? 'first' : 'chat'}/${room}`
    return { log: 'nginx', server, wsUrl: nginx.wsUrl, pathOf }
  }
  targets.push(
    ...(await Promise.all([
      start('uvicorn', 'fastapi-websockets', 'info'),
      start('uvicorn at debug', 'fastapi-websockets', 'debug'),
      start('daphne', 'channels-daphne', 'info'),
      behindNginx(),
    ])),
  )
}

async function liveAll(): Promise<void> {
  const { pick, garbage } = chance(1)
  const plans = Array.from({ length: CANARIES }, (_, index) => ({
    way: WAYS[index % WAYS.length] as Way,
    // Each way at each server, with each fate in turn.
    target: targets[Math.floor(index / WAYS.length) % targets.length] as Target,
    fate: FATES[Math.floor(index / WAYS.length / targets.length) % FATES.length] as Fate,
    WebSocket: pick(RUNTIMES),
    garbage: garbage(),
    key: garbage(),
  }))
  await eachOf(plans, AT_ONCE, async ({ way, fate, target, WebSocket, garbage, key }, index) => {
    const { server, wsUrl } = target
    // Some tokens hold nothing but user and whole seconds: another life makes another token.
    const lifetimeMs = 300_000 + 1_000 * index
    const token =
      fate === 'accepted'
        ? (
            await server.control<{ access: string }>('mint', {
              user: 'alice',
              kind: 'valid',
              lifetimeMs,
            })
          ).access
        : garbage
    canaries.add({ token, label: way })
    // A secret of the user's own, which servers log and we show nobody.
    canaries.add({ token: key, label: 'url' })
    const url = `${wsUrl}${target.pathOf(way, `room-${index}`)}?key=${key}`
    const sightings = await live({ url, way, fate, tokens: [token] }, { WebSocket, inspect: shown })
    for (const { where, text } of sightings)
      if (canaries.in(text).size > 0) leaks.add(`${way}, ${fate}: ${where}`)
  })
}

beforeAll(async () => {
  await openTargets()
  const { BroadcastChannel } = globalThis
  vi.stubGlobal(
    'BroadcastChannel',
    class extends BroadcastChannel {
      constructor(name: string) {
        super(name)
        channels += 1
      }
    },
  )
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir'] as const)
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      heard.push(shown(args))
    })
  await liveAll()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  // What they had to say is written by the end.
  await Promise.all(targets.map(({ server }) => server.stop()))
  texts.nginx.push((await nginx?.accessLog()) ?? '')
}, 3_600_000)
afterAll(async () => {
  await nginx?.stop()
})

describe(`${CANARIES} tokens in Node`, () => {
  it('were used', () => {
    expect(canaries.size).toBe(2 * CANARIES)
  })

  it('stand in no error, event, status, log line, diary, property or printed object', () => {
    expect([...leaks]).toEqual([])
  })

  it('stand in no line of the console, and open no BroadcastChannel', () => {
    expect([...canaries.in(heard.join('\n'))]).toEqual([])
    expect(channels).toBe(0)
  })

  it('were heard of by each log', () => {
    const silent = Object.entries(texts).filter(([, parts]) => !parts.join('').includes('room-'))
    expect(silent.map(([log]) => log)).toEqual([])
  })

  it('stand in the logs that docs/security.md lists, and in no other', () => {
    const found = Object.fromEntries(
      Object.entries(texts).map(([log, parts]) => [log, canaries.in(parts.join(''))]),
    )
    const seen = WAYS.map((way) => [
      way,
      ...Object.keys(texts).map((log) => (found[log]?.has(way) ? 'yes' : 'no')),
    ])
    const told = tableUnder('docs/security.md', 'Who logs it').map((row) => row.slice(0, 5))
    expect(seen).toEqual(told)
  })
})
