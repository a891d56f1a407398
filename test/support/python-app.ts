/** An ASGI application of one file on uvicorn. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { boundToUs, end, endWithUs, hasEnded } from './children.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface AppOptions {
  /** The folder that holds it. */
  folder: string
  /** `file:name` */
  app: string
  /** Whose `authed_rooms.py` it imports, if any. */
  module?: string
  env?: Record<string, string>
}

export class PythonApp {
  wsUrl = ''
  #output = ''
  readonly #child: ChildProcess
  readonly #listening: Promise<void>

  constructor({ folder, app, module, env = {} }: AppOptions) {
    const args = ['-m', 'uvicorn', '--app-dir', folder, '--port', '0', '--no-access-log', app]
    const child = spawn(...boundToUs(`${root}.venv/bin/python`, args), {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        ...(module !== undefined && { PYTHONPATH: `test/servers/${module}` }),
        PYTHONDONTWRITEBYTECODE: '1',
        ...env,
      },
    })
    endWithUs(child)
    this.#child = child
    this.#listening = new Promise((resolve, reject) => {
      child.once('exit', () => reject(new Error(this.#output)))
      createInterface(child.stderr).on('line', (line) => {
        this.#output += `${line}\n`
        const [, port] = /running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? []
        if (port === undefined) return
        this.wsUrl = `ws://127.0.0.1:${port}`
        resolve()
      })
    })
  }

  get listening(): Promise<void> {
    return this.#listening
  }

  control(): Promise<never> {
    return Promise.reject(new Error('it has no door: give a token'))
  }

  /** What it has logged. */
  get output(): string {
    return this.#output
  }

  get ended(): Promise<unknown> {
    return hasEnded(this.#child) ? Promise.resolve() : once(this.#child, 'exit')
  }

  end(): void {
    this.#child.kill('SIGTERM')
  }

  stop(): Promise<void> {
    return end(this.#child, 'SIGKILL')
  }
}
