import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { installConsumer, pack, runNode, temporaryFolder, writeFiles } from './consumer.ts'
import { type Loopback, startLoopback } from './server.ts'

/** Connects, receives the greeting, sends, receives the echo, disconnects, and leaves nothing running. */
const program = (wsUrl: string) => `
const socket = new AuthedSocket({
  url: ${JSON.stringify(wsUrl)},
  auth: () => 'tok',
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
})
const received = []
const done = new Promise((resolve) => {
  socket.on('message', ({ data }) => {
    received.push(data)
    if (received.length === 2) resolve()
  })
})
socket.connect()
  .then(() => socket.send({ echo: 1 }))
  .then(() => done)
  .then(() => socket.disconnect())
  .then(() => console.log(JSON.stringify(received)))
`

const RECEIVED = JSON.stringify([{ hello: 'world' }, { echo: 1 }])

describe('the packed package in Node', () => {
  let tarball: string
  let server: Loopback
  const folder = temporaryFolder()

  beforeAll(async () => {
    tarball = pack(folder)
    server = await startLoopback()
  })
  afterAll(() => server?.close())

  it('connects an ESM consumer, which then ends by itself', async () => {
    const consumer = installConsumer(tarball, { also: ['ws'] })
    writeFiles(consumer, {
      'main.js': `import { AuthedSocket, plain, viaQuery } from 'authed-socket'\n${program(server.wsUrl)}`,
    })
    const { code, output } = await runNode(consumer, ['main.js'])
    expect(output.trim()).toBe(RECEIVED)
    expect(code).toBe(0)
  })

  it('connects a CommonJS consumer, which then ends by itself', async () => {
    const consumer = installConsumer(tarball, { also: ['ws'], type: 'commonjs' })
    writeFiles(consumer, {
      'main.js': `const { AuthedSocket, plain, viaQuery } = require('authed-socket')\n${program(server.wsUrl)}`,
    })
    const { code, output } = await runNode(consumer, ['main.js'])
    expect(output.trim()).toBe(RECEIVED)
    expect(code).toBe(0)
  })

  it.each([
    ['module', `import * as all from 'authed-socket'`],
    ['commonjs', `const all = require('authed-socket')`],
  ] as const)('is imported without ws, a global WebSocket or I/O (%s)', async (type, load) => {
    const consumer = installConsumer(tarball, { type })
    writeFiles(consumer, { 'main.js': `${load}\nconsole.log(typeof all.AuthedSocket)` })
    const { code, output } = await runNode(consumer, ['main.js'])
    expect(output.trim()).toBe('function')
    expect(code).toBe(0)
  })

  it.each([
    [
      'module',
      `import { fixedToken, plain, viaQuery } from 'authed-socket'
       import { diagnose } from 'authed-socket/doctor'`,
    ],
    [
      'commonjs',
      `const { fixedToken, plain, viaQuery } = require('authed-socket')
       const { diagnose } = require('authed-socket/doctor')`,
    ],
  ] as const)('diagnoses with a session of the main entry, without ws (%s)', async (type, load) => {
    const consumer = installConsumer(tarball, { type })
    writeFiles(consumer, {
      'main.js': `${load}
        const look = (token) => diagnose({
          url: ${JSON.stringify(server.wsUrl)},
          auth: fixedToken(token),
          transmission: viaQuery(),
          protocol: plain(),
          watchMs: 300,
        })
        Promise.all([look('tok'), look('other')])
          .then((found) => console.log(found.map(({ cause }) => cause).join()))`,
    })
    const { code, output } = await runNode(consumer, ['main.js'])
    expect(output.trim()).toBe('healthy,handshake-refused')
    expect(code).toBe(0)
  })

  it('has a command that looks at a server, and ends by itself', async () => {
    const consumer = installConsumer(tarball)
    const { bin } = JSON.parse(
      readFileSync(join(consumer, 'node_modules/authed-socket/package.json'), 'utf8'),
    ) as { bin: Record<string, string> }
    const command = `node_modules/authed-socket/${bin['authed-socket']}`
    vi.stubEnv('AUTHED_SOCKET_TOKEN', 'tok')
    const flags = ['--transmission', 'query', '--watch', '0.3']
    const { code, output } = await runNode(consumer, [command, 'doctor', server.wsUrl, ...flags])
    expect(output).toMatch(/^healthy\n/)
    expect(code).toBe(0)
  })

  it.each([
    ['module', `import { checkConformance, formatReport } from 'authed-socket/conformance'`],
    ['commonjs', `const { checkConformance, formatReport } = require('authed-socket/conformance')`],
  ] as const)('looks at a server with the conformance kit (%s)', async (type, load) => {
    const consumer = installConsumer(tarball, { also: ['ws'], type })
    writeFiles(consumer, {
      'main.js': `${load}
        checkConformance({ url: ${JSON.stringify(server.wsUrl)}, tokens: { a: () => 'tok' }, timeoutMs: 60_000 })
          .then((report) => console.log(formatReport(report)))`,
    })
    const { code, output } = await runNode(consumer, ['main.js'])
    expect(output).toContain('does not speak authed-rooms.v1\n')
    expect(code).toBe(0)
  })

  it('has a command of the conformance kit, which ends by itself', async () => {
    const consumer = installConsumer(tarball, { also: ['ws'] })
    const { bin } = JSON.parse(
      readFileSync(join(consumer, 'node_modules/authed-socket/package.json'), 'utf8'),
    ) as { bin: Record<string, string> }
    const command = `node_modules/authed-socket/${bin['authed-socket-conformance']}`
    vi.stubEnv('AUTHED_SOCKET_TOKEN_A', 'tok')
    // Where everything takes its time, nothing answers for a while.
    const args = [command, server.wsUrl, '--token-by', 'query', '--timeout', '60000']
    const { code, output } = await runNode(consumer, args)
    expect(output).toContain('(query) is let in\n')
    expect(code).toBe(1)
  })

  it('exports the same names to ESM and CommonJS', async () => {
    const consumer = installConsumer(tarball)
    writeFiles(consumer, {
      'main.js': `
        import { createRequire } from 'node:module'
        import * as esm from 'authed-socket'
        const cjs = createRequire(import.meta.url)('authed-socket')
        console.log(JSON.stringify([Object.keys(esm).sort(), Object.keys(cjs).sort()]))`,
    })
    const { output } = await runNode(consumer, ['main.js'])
    const [esm, cjs] = JSON.parse(output) as [string[], string[]]
    expect(esm.filter((name) => name !== 'module.exports')).toEqual(cjs)
    expect(esm).toContain('AuthedSocket')
    expect(esm).not.toContain('default')
  })
})
