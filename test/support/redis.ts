import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ensureServices } from '../../scripts/services.mjs'
import { end, endWithUs, freePort, HOST, signal } from './children.ts'

export interface TestRedis {
  readonly port: number
  /** `redis://127.0.0.1:PORT` */
  readonly url: string
  /** Sends the signal; except for SIGSTOP and SIGCONT it resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** On the same port, without any data; ends the process first where it still runs. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const ATTEMPTS = 5

/** A Redis of its own, that writes nothing to a disk. */
export async function startRedis(): Promise<TestRedis> {
  const { redis } = await ensureServices()
  const folder = await mkdtemp(join(tmpdir(), 'authed-socket-redis-'))
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      return new RunningRedis(redis, folder, port, await launch(redis, folder, port))
    } catch (error) {
      // Somebody else may have taken the port in between.
      if (attempt < ATTEMPTS) continue
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }
}

async function launch(program: string, folder: string, port: number): Promise<ChildProcess> {
  const settings = [
    ...['--port', String(port), '--bind', HOST, '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
  ]
  const child = spawn(program, settings, { stdio: ['ignore', 'pipe', 'inherit'] })
  endWithUs(child)
  let said = ''
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      said += `${line}\n`
      if (line.includes('Ready to accept connections')) resolve(child)
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server ended before it listened\n${said}`)))
  })
}

class RunningRedis implements TestRedis {
  readonly port: number
  readonly #program: string
  readonly #folder: string
  #child: ChildProcess

  constructor(program: string, folder: string, port: number, child: ChildProcess) {
    this.#program = program
    this.#folder = folder
    this.port = port
    this.#child = child
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`
  }

  kill(name: NodeJS.Signals): Promise<void> {
    return signal(this.#child, name)
  }

  async restart(): Promise<void> {
    await end(this.#child, 'SIGKILL')
    this.#child = await launch(this.#program, this.#folder, this.port)
  }

  async stop(): Promise<void> {
    await end(this.#child, 'SIGKILL')
    await rm(this.#folder, { recursive: true, force: true })
  }
}
