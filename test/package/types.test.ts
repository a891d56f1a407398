import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { installConsumer, pack, root, runNode, temporaryFolder, writeFiles } from './consumer.ts'

const USE = `
export const socket = new AuthedSocket({
  url: 'wss://example.test/ws/',
  auth: () => 'tok',
  transmission: viaQuery(),
  protocol: plain(),
})
const off: () => void = socket.on('message', ({ data }) => void data)
export const state: string = socket.state
export async function main(): Promise<void> {
  await socket.connect()
  await socket.send({ hello: 'world' })
  off()
  await socket.disconnect()
}
export async function scoped(): Promise<void> {
  await using scopedSocket = socket
  await scopedSocket.connect()
}
// @ts-expect-error: a required option is missing, so the types are not \`any\`
export const wrong = new AuthedSocket({ url: 'wss://example.test/ws/' })
`
/** A session, a transmission and a protocol of the main entry fit the doctor. */
const DOCTOR = `
export async function cause(): Promise<string> {
  const session = fixedToken('tok')
  const found = await diagnose({
    url: 'wss://example.test/ws/',
    auth: session,
    transmission: viaQuery(),
    protocol: plain(),
    ways: ['query'],
  })
  return found.cause === 'wrong-slash' ? found.path : found.fix
}
`
const ESM = `import { AuthedSocket, fixedToken, plain, viaQuery } from 'authed-socket'
import { diagnose } from 'authed-socket/doctor'\n${USE}${DOCTOR}`
const CJS = `import authedSocket = require('authed-socket')
import doctor = require('authed-socket/doctor')
const { AuthedSocket, fixedToken, plain, viaQuery } = authedSocket
const { diagnose } = doctor\n${USE}${DOCTOR}`

/** As strict as it gets, declarations emitted: an exported socket must have a type that can be named. */
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  target: 'ES2022',
  declaration: true,
  emitDeclarationOnly: true,
  outDir: 'out',
  types: [] as string[],
}
const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' }
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' }
const BROWSER_LIB = { lib: ['ES2022', 'DOM'] }

const CONSUMERS = [
  ['nodenext, ESM', { ...NODENEXT, ...BROWSER_LIB }, { 'main.mts': ESM }],
  ['nodenext, CommonJS', { ...NODENEXT, ...BROWSER_LIB }, { 'main.cts': CJS }],
  ['bundler', { ...BUNDLER, ...BROWSER_LIB }, { 'main.ts': ESM }],
  [
    'nodenext with @types/node',
    { ...NODENEXT, ...BROWSER_LIB, types: ['node'] },
    { 'main.mts': ESM },
  ],
  [
    'nodenext, Node without DOM',
    { ...NODENEXT, lib: ['ES2022'], types: ['node'] },
    { 'main.mts': ESM },
  ],
] as const

describe('the packed types', () => {
  let tarball: string
  const folder = temporaryFolder()

  beforeAll(() => {
    tarball = pack(folder)
  })

  it.each(CONSUMERS)('check under %s', async (_name, options, files) => {
    const consumer = installConsumer(tarball)
    const types = join(consumer, 'node_modules/@types')
    mkdirSync(types)
    symlinkSync(join(root, 'node_modules/@types/node'), join(types, 'node'), 'junction')
    writeFiles(consumer, {
      ...files,
      'tsconfig.json': JSON.stringify({
        compilerOptions: { ...STRICT, ...options },
        files: Object.keys(files),
      }),
    })
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { code, output } = await runNode(consumer, [tsc, '--project', '.'], 60_000)
    expect(output).toBe('')
    expect(code).toBe(0)
  })
})
