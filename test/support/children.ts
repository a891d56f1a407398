import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

export const HOST = '127.0.0.1'

/** After so long SIGKILL follows: uvicorn with wsproto waits for clients that vanished, for ever. */
const TERM_TIMEOUT_MS = 3_000

export function hasEnded(child: ChildProcess): boolean {
  // Without an id it never started, and no `exit` will come.
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Resolves when the process has ended. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const exited = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), TERM_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}

/** SIGSTOP and SIGCONT end nothing, so there is nothing to wait for. */
export async function signal(child: ChildProcess | undefined, name: NodeJS.Signals): Promise<void> {
  if (child === undefined) return
  if (name === 'SIGSTOP' || name === 'SIGCONT') child.kill(name)
  else await end(child, name)
}

/** One that nobody listens on now. Whoever takes it has to be prepared that somebody was faster. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const orphans = new Set<ChildProcess>()
process.once('exit', () => {
  for (const orphan of orphans) orphan.kill('SIGKILL')
})

/** For programs that do not notice that the test which started them is gone. */
export function endWithUs(child: ChildProcess): void {
  orphans.add(child)
  child.once('exit', () => orphans.delete(child))
}

/** Of util-linux. It becomes the program, and the kernel ends that with the process which started it. */
const SETPRIV = '/usr/bin/setpriv'

/** What to spawn, so that it ends with this process also when that is killed; where there is no `setpriv` it stays. */
export const boundToUs = (program: string, args: readonly string[]): [string, string[]] =>
  existsSync(SETPRIV) ? [SETPRIV, ['--pdeathsig', 'KILL', program, ...args]] : [program, [...args]]
