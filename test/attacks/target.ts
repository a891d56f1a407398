/** A server to be attacked, old or new, on uvicorn or daphne. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { boundToUs, end, endWithUs } from '../support/children.ts'
import { type Age, type Framework, moduleFolder, PYTHON, ROOT } from './modules.ts'

const START_MS = 30_000

export const SERVERS = ['fastapi-uvicorn', 'channels-uvicorn', 'channels-daphne'] as const
export type ServerName = (typeof SERVERS)[number]

export interface TargetOptions {
  readonly age?: Age
  /** Of `authed_rooms.Settings`; those that the old one lacks are left out there. */
  readonly settings?: object
  readonly redis?: string | undefined
  /** As the recipes start uvicorn. Default: as it starts by itself. */
  readonly recipe?: boolean
}

export interface Target {
  readonly port: number
  /** Of its memory, in MB. */
  rss(): Promise<number>
  stop(): Promise<void>
}

const RECIPE = ['--ws-per-message-deflate', 'false', '--ws-max-size', '65536']

const commandOf = (name: ServerName, recipe: boolean): string[] => {
  const app = name.startsWith('fastapi') ? 'app_fastapi:app' : 'app_channels:application'
  if (name === 'channels-daphne') return ['-m', 'daphne', '-p', '0', '-b', '127.0.0.1', app]
  const options = ['--port', '0', '--no-access-log', ...(recipe ? RECIPE : [])]
  return ['-m', 'uvicorn', '--app-dir', 'test/attacks', ...options, app]
}

export async function startTarget(
  name: ServerName,
  { age = 'new', settings = {}, redis, recipe = false }: TargetOptions = {},
): Promise<Target> {
  const framework: Framework = name.startsWith('fastapi') ? 'fastapi' : 'channels'
  const folder = await moduleFolder(framework, age)
  const child = spawn(...boundToUs(PYTHON, commandOf(name, recipe)), {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      PYTHONPATH: `${folder}:${ROOT}test/attacks`,
      PYTHONDONTWRITEBYTECODE: '1',
      ROOMS_SETTINGS: JSON.stringify(settings),
      ...(redis !== undefined && { REDIS_URL: redis }),
    },
  })
  endWithUs(child)
  const port = await new Promise<number>((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => reject(new Error(`did not listen: ${output}`)), START_MS)
    child.once('exit', () => reject(new Error(output)))
    createInterface(child.stderr).on('line', (line) => {
      output = `${output}${line}\n`.slice(-8_000)
      const found = /127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (found === undefined || found === '0') return
      clearTimeout(timer)
      resolve(Number(found))
    })
  })
  return {
    port,
    async rss() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
    },
    stop: () => end(child, 'SIGKILL'),
  }
}
