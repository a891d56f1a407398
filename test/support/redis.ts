import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ensureServices } from '../../scripts/services.mjs'
import { boundToUs, end, endWithUs, freePort, HOST, signal } from './children.ts'

export interface TestRedis {
  readonly port: number
  /** `redis://127.0.0.1:PORT` */
  readonly url: string
  /** Sends the signal; except for SIGSTOP and SIGCONT it resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Loses all data, and tells nobody. */
  flush(): Promise<void>
  /** Any command, as one line; words with spaces stand in double quotes. */
  command(line: string): Promise<void>
  /** Cuts the connections of all subscribers, so that they miss what is published until they are back. */
  cutSubscribers(): Promise<void>
  /** On the same port, without any data unless it keeps them; ends the process first where it still runs. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const ATTEMPTS = 5

export interface RedisOptions {
  /** Each command is on the disk before it is answered, and there again after a restart. */
  keepsData?: boolean
}

/** A Redis of its own; by default it writes nothing to a disk. */
export async function startRedis({ keepsData = false }: RedisOptions = {}): Promise<TestRedis> {
  const { redis: program } = await ensureServices()
  const folder = await mkdtemp(join(tmpdir(), 'authed-socket-redis-'))
  const appends = keepsData ? 'yes' : 'no'
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      const start = () => launch(program, port, ['--dir', folder, '--appendonly', appends])
      return new RunningRedis(folder, port, start, await start())
    } catch (error) {
      // Somebody else may have taken the port in between.
      if (attempt < ATTEMPTS) continue
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }
}

async function launch(
  program: string,
  port: number,
  more: readonly string[],
): Promise<ChildProcess> {
  const settings = [
    ...['--port', String(port), '--bind', HOST, '--daemonize', 'no'],
    ...['--save', '', '--appendfsync', 'always', ...more],
  ]
  const child = spawn(...boundToUs(program, settings), { stdio: ['ignore', 'pipe', 'inherit'] })
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
  readonly #folder: string
  readonly #start: () => Promise<ChildProcess>
  #child: ChildProcess

  constructor(
    folder: string,
    port: number,
    start: () => Promise<ChildProcess>,
    child: ChildProcess,
  ) {
    this.#folder = folder
    this.port = port
    this.#start = start
    this.#child = child
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`
  }

  kill(name: NodeJS.Signals): Promise<void> {
    return signal(this.#child, name)
  }

  cutSubscribers(): Promise<void> {
    return this.command('CLIENT KILL TYPE pubsub')
  }

  flush(): Promise<void> {
    return this.command('FLUSHALL')
  }

  async restart(): Promise<void> {
    await end(this.#child, 'SIGKILL')
    this.#child = await this.#start()
  }

  async stop(): Promise<void> {
    await end(this.#child, 'SIGKILL')
    await rm(this.#folder, { recursive: true, force: true })
  }

  async command(line: string): Promise<void> {
    const socket = connect(this.port, HOST)
    socket.write(`${line}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    if (answer.toString().startsWith('-')) throw new Error(`redis-server: ${answer}`)
  }
}
