import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What npm installs with the package, and what a user on Node 20 adds. */
export const DEPENDENCIES = ['eventemitter3', 'jwt-decode', 'reconnecting-websocket'] as const

/** A fresh folder outside the repository, removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'authed-socket-package-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The tarball that would be published, from the build that exists. */
export function pack(folder: string): string {
  if (!existsSync(join(root, 'dist/index.js'))) {
    throw new Error('Nothing to pack: run `npm run build` first.')
  }
  const output = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
  )
  const [{ filename }] = JSON.parse(output) as [{ filename: string }]
  return join(folder, filename)
}

/**
 * A project that installed the tarball, without a network: the tarball is unpacked into
 * `node_modules`, and its dependencies are links to ours.
 */
export function installConsumer(
  tarball: string,
  { also = [], type = 'module' }: { also?: readonly string[]; type?: 'module' | 'commonjs' } = {},
): string {
  const folder = mkdtempSync(join(dirname(tarball), 'consumer-'))
  const installed = join(folder, 'node_modules/authed-socket')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  for (const name of [...DEPENDENCIES, ...also]) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link, 'junction')
  }
  writeFiles(folder, { 'package.json': JSON.stringify({ name: 'consumer', private: true, type }) })
  return folder
}

export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

export interface Finished {
  readonly code: number | null
  readonly output: string
}

/** Runs Node until it ends by itself; one that is still alive after `timeoutMs` is killed: `code` null. */
export function runNode(
  folder: string,
  args: readonly string[],
  timeoutMs = 20_000,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, output })
    })
  })
}
