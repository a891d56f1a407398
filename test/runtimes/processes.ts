/** Programs under test, each in a process of its own that ends with the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'

export const scratch = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'authed-socket-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

export const start = (file: string, args: readonly string[], env: object = {}): ChildProcess => {
  const child = spawn(file, args, {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      // With what it started itself.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await ended
    }
  })
  return child
}

/** Runs until it ends by itself. */
export const run = async (file: string, args: readonly string[]) => {
  const child = start(file, args)
  const said = { out: '', err: '' }
  child.stdout?.on('data', (text) => {
    said.out += text
  })
  child.stderr?.on('data', (text) => {
    said.err += text
  })
  const [code] = await once(child, 'close')
  return { code: code as number | null, ...said }
}

/** The first match in what a program says. */
export const heard = (child: ChildProcess, pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ''
    const look = (text: unknown) => {
      said += text
      const found = pattern.exec(said)?.[1]
      if (found !== undefined) resolve(found)
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('exit', () => reject(new Error(`it ended: ${said}`)))
  })

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

export const listening = async (port: number): Promise<void> => {
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 20))
}

export const bundle = async (
  entry: string,
  options: Parameters<typeof build>[0] = {},
): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['ws'],
    logLevel: 'silent',
    ...options,
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

/** A Worker in workerd itself. @returns where it answers */
export const startWorker = async (
  workerd: string,
  entry: string,
  compatibilityDate: string,
): Promise<string> => {
  const folder = scratch()
  const port = await freePort()
  writeFileSync(join(folder, 'worker.js'), await bundle(entry, { conditions: ['workerd'] }))
  writeFileSync(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "main", esModule = embed "worker.js")],
  compatibilityDate = "${compatibilityDate}"
);
`,
  )
  const child = start(workerd, ['serve', join(folder, 'config.capnp')])
  const ended = new Promise<never>((_, reject) => {
    let said = ''
    child.stderr?.on('data', (text) => {
      said += text
    })
    child.once('exit', () => reject(new Error(`workerd ended: ${said}`)))
  })
  ended.catch(() => {})
  await Promise.race([listening(port), ended])
  return `http://127.0.0.1:${port}/`
}
