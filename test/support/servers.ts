import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { HOST, signal } from './children.ts'

export const SERVER_NAMES = [
  'node',
  'fastapi-websockets',
  'fastapi-wsproto',
  'channels-daphne',
  'channels-uvicorn-websockets',
  'channels-uvicorn-wsproto',
] as const

export type ServerName = (typeof SERVER_NAMES)[number]

/** Those, and what the contract suite does not play: uvicorn's default. */
export type StartableName =
  | ServerName
  | 'fastapi-websockets-sansio'
  | 'channels-uvicorn-websockets-sansio'

export interface TestServer {
  readonly name: StartableName
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `ws://127.0.0.1:PORT` */
  readonly wsUrl: string
  /** `POST /_control/PATH`. The answer's shape is what CONTRACT.md says; the caller names it. */
  control<Answer>(path: string, body?: object): Promise<Answer>
  /** Sends the signal; except for SIGSTOP and SIGCONT it resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** The same port and data folder; ends the process first where it still runs. */
  restart(): Promise<void>
  /** Ends the process and removes its data folder, unless that was given. */
  stop(): Promise<void>
  /** What it has written to stderr, the newest 64 KiB over all restarts. */
  output(): string
}

export interface ServerOptions {
  /** `redis://…`: where it keeps its rooms, shared by all servers that name the same one. */
  redis?: string
  /** Where it keeps users and tokens: servers with the same one accept the same tokens. Absent: its own. */
  dataDir?: string
  /** The Python servers: makes them log as their servers do, tokens included. Absent: they hold their tongue. */
  logLevel?: 'info' | 'debug'
  /** Hears all that is written to stderr. */
  heard?: (text: string) => void
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PYTHON = join(ROOT, '.venv/bin/python')
const START_TIMEOUT_MS = 30_000
const MAX_OUTPUT = 65_536

function commandOf(name: StartableName): [string, ...string[]] {
  // Not `npx tsx`: its wrapper processes would get the signals that the server must get.
  if (name === 'node') return [process.execPath, '--import', 'tsx', 'test/servers/node/main.ts']
  const [family, implementation] = [
    name.slice(0, name.indexOf('-')),
    name.slice(name.indexOf('-') + 1),
  ]
  const option = family === 'fastapi' ? '--ws' : '--server'
  return [PYTHON, `test/servers/${family}/run.py`, option, implementation]
}

function launch(
  name: StartableName,
  port: number,
  { dataDir, redis, logLevel }: StartOptions,
): Child {
  const [program, ...args] = commandOf(name)
  if (port !== 0) args.push('--port', String(port))
  if (redis !== undefined) args.push('--redis', redis)
  if (logLevel !== undefined) args.push('--log-level', logLevel)
  return spawn(program, [...args, '--data', dataDir], {
    cwd: ROOT,
    // stdin is a pipe: when this process dies, even by SIGKILL, it ends, and the server with it.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

type StartOptions = ServerOptions & { dataDir: string }

function portIn(line: string): number | undefined {
  try {
    const { listening } = JSON.parse(line) as { listening?: unknown }
    return typeof listening === 'number' ? listening : undefined
  } catch {
    return undefined
  }
}

function listening(child: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`did not listen within ${START_TIMEOUT_MS} ms`)),
      START_TIMEOUT_MS,
    )
    // Read on to the end: a full pipe would block the server.
    createInterface(child.stdout).on('line', (line) => {
      const port = portIn(line)
      if (port === undefined) return
      clearTimeout(timer)
      resolve(port)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`ended before it listened (${signal ?? code})`))
    })
  })
}

class SpawnedServer implements TestServer {
  readonly name: StartableName
  readonly #options: StartOptions
  readonly #remove: () => Promise<void>
  #child: Child | undefined
  #port = 0
  #output = ''

  constructor(name: StartableName, options: StartOptions, remove: () => Promise<void>) {
    this.name = name
    this.#options = options
    this.#remove = remove
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://${HOST}:${this.#port}`
  }

  get wsUrl(): string {
    return `ws://${HOST}:${this.#port}`
  }

  async start(): Promise<void> {
    const child = launch(this.name, this.#port, this.#options)
    this.#child = child
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-MAX_OUTPUT)
      this.#options.heard?.(text)
    })
    try {
      this.#port = await listening(child)
    } catch (error) {
      child.kill('SIGKILL')
      throw new Error(
        `${this.name}: ${error instanceof Error ? error.message : 'failed'}\n${this.#output.slice(-4000)}`,
      )
    }
  }

  async control<Answer>(path: string, body: object = {}): Promise<Answer> {
    const response = await fetch(`${this.url}/_control/${path}`, {
      method: 'POST',
      // A kept connection is closed by uvicorn after 5 s, at times just as it is used.
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(body),
    })
    if (!response.ok)
      throw new Error(`${this.name}: ${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Answer
  }

  kill(name: NodeJS.Signals): Promise<void> {
    return signal(this.#child, name)
  }

  async restart(): Promise<void> {
    await this.kill('SIGTERM')
    await this.start()
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM')
    await this.#remove()
  }

  output(): string {
    return this.#output
  }
}

/** Starts one of the servers of CONTRACT.md on a free port and waits until it listens. */
export async function startServer(
  name: StartableName,
  options: ServerOptions = {},
): Promise<TestServer> {
  const own = options.dataDir ?? (await mkdtemp(join(tmpdir(), `authed-socket-${name}-`)))
  const server = new SpawnedServer(name, { ...options, dataDir: own }, async () => {
    if (options.dataDir === undefined) await rm(own, { recursive: true, force: true })
  })
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}
