import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

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

export interface ServerOptions {
  /** The Python servers: the rooms of `/ws/rooms` are in that Redis, for as many processes as share it. */
  redis?: string
}

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
  /** Ends the process and removes its data folder. */
  stop(): Promise<void>
  /** What it has written to stderr, the newest 64 KiB over all restarts. */
  output(): string
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const HOST = '127.0.0.1'
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PYTHON = join(ROOT, '.venv/bin/python')
const START_TIMEOUT_MS = 30_000
/** uvicorn with wsproto waits for clients that vanished, for ever. */
const TERM_TIMEOUT_MS = 3_000
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
  dataDir: string,
  { redis }: ServerOptions,
): Child {
  const [program, ...args] = commandOf(name)
  const portArgs = port === 0 ? [] : ['--port', String(port)]
  const redisArgs = redis === undefined ? [] : ['--redis', redis]
  return spawn(program, [...args, ...portArgs, ...redisArgs, '--data', dataDir], {
    cwd: ROOT,
    // stdin is a pipe: when this process dies, even by SIGKILL, it ends, and the server with it.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

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

function hasEnded(child: Child): boolean {
  // Without an id it never started, and no `exit` will come.
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

async function end(child: Child, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const exited = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), TERM_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}

class SpawnedServer implements TestServer {
  readonly name: StartableName
  readonly #dataDir: string
  readonly #options: ServerOptions
  #child: Child | undefined
  #port = 0
  #output = ''

  constructor(name: StartableName, dataDir: string, options: ServerOptions) {
    this.name = name
    this.#dataDir = dataDir
    this.#options = options
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
    const child = launch(this.name, this.#port, this.#dataDir, this.#options)
    this.#child = child
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-MAX_OUTPUT)
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
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok)
      throw new Error(`${this.name}: ${path} answered ${response.status}: ${await response.text()}`)
    return (await response.json()) as Answer
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') child.kill(signal)
    else await end(child, signal)
  }

  async restart(): Promise<void> {
    await this.kill('SIGTERM')
    await this.start()
  }

  async stop(): Promise<void> {
    await this.kill('SIGTERM')
    await rm(this.#dataDir, { recursive: true, force: true })
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
  const dataDir = await mkdtemp(join(tmpdir(), `authed-socket-${name}-`))
  const server = new SpawnedServer(name, dataDir, options)
  try {
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}
