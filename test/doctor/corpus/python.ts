/** Starts Python servers that `test/support/servers.ts` does not know. */
import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PYTHON = `${ROOT}.venv/bin/python`
const START_MS = 30_000

export interface Closable {
  close(): Promise<void>
}

export interface Running extends Closable {
  readonly port: number
}

/** @param args the script, from the root of the repository, and its arguments */
export function startPython(...args: string[]): Promise<Running> {
  // When this process dies its pipe ends, and the server with it.
  const child = spawn(PYTHON, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${args.join(' ')} did not listen\n${errors}`))
    }, START_MS)
    child.once('exit', () => reject(new Error(`${args.join(' ')} ended\n${errors}`)))
    createInterface(child.stdout).once('line', (line) => {
      clearTimeout(timer)
      const { listening } = JSON.parse(line) as { listening: number }
      resolve({
        port: listening,
        close: async () => {
          child.kill('SIGKILL')
          await ended
        },
      })
    })
  })
}

export interface Certificate {
  readonly cert: string
  readonly key: string
}

export async function makeCertificate(name: string, days: number): Promise<Certificate> {
  const { stdout } = await promisify(execFile)(PYTHON, [
    `${ROOT}test/doctor/servers/certificate.py`,
    `--name=${name}`,
    `--days=${days}`,
  ])
  return JSON.parse(stdout)
}
