import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { build as vite } from 'vite'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  DEPENDENCIES,
  installConsumer,
  pack,
  root,
  runNode,
  temporaryFolder,
  writeFiles,
} from './consumer.ts'

describe('the packed package', () => {
  let tarball: string
  let consumer: string
  let installed: string
  const folder = temporaryFolder()

  beforeAll(() => {
    tarball = pack(folder)
    // Without `ws`, as in every browser project.
    consumer = installConsumer(tarball)
    installed = join(consumer, 'node_modules/authed-socket')
    writeFiles(consumer, {
      'main.js': `import * as all from 'authed-socket'
        import { AuthedSocket, plain, viaQuery } from 'authed-socket'
        globalThis.all = { ...all }
        globalThis.make = () => new AuthedSocket({ url: '/', auth: () => 't', transmission: viaQuery(), protocol: plain() })`,
      'bare.js': `import './node_modules/authed-socket/dist/index.js'`,
    })
  })

  it('holds the build, the contract and the licence, and no source or test', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
    for (const file of [
      'LICENSE',
      'CHANGELOG.md',
      'package.json',
      'dist/index.js',
      'dist/index.cjs',
      'dist/index.browser.js',
      'dist/index.browser.cjs',
      'dist/index.native.js',
      'dist/index.native.cjs',
      'dist/index.d.ts',
      'dist/index.d.cts',
      'dist/authed-socket.global.js',
      'dist/authed-socket.bin.js',
      'dist/doctor.js',
      'dist/doctor.cjs',
      'dist/doctor.d.ts',
      'dist/doctor.d.cts',
      'dist/authed-socket-conformance.bin.js',
      'dist/conformance.js',
      'dist/conformance.cjs',
      'dist/conformance.d.ts',
      'dist/conformance.d.cts',
    ]) {
      expect(files).toContain(file)
    }
    const allowed = /^(dist\/|docs\/|LICENSE$|README\.md$|CHANGELOG\.md$|package\.json$)/
    expect(files.filter((file) => !allowed.test(file))).toEqual([])
  })

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  it('passes "are the types wrong" in every resolution mode', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const { code, output } = await runNode(
      root,
      [attw, tarball, '--no-definitely-typed', '--no-color', '--no-emoji'],
      60_000,
    )
    expect(output).toContain('No problems found')
    expect(code).toBe(0)
  })

  it.each([
    ...['dist/index.d.ts', 'dist/index.d.cts'],
    ...['dist/doctor.d.ts', 'dist/doctor.d.cts'],
    ...['dist/conformance.d.ts', 'dist/conformance.d.cts'],
  ])('leaks no types of others (%s)', (file) => {
    const text = readFileSync(join(installed, file), 'utf8')
    expect(text.match(/(?:from|import\(|require\()\s*['"][^'"]+['"]/g) ?? []).toEqual([])
    expect(text).toMatch(/^\/\/\/ <reference lib="esnext\.disposable" \/>/)
  })

  it.each([
    ['dist/index.browser.js', false],
    ['dist/index.browser.cjs', false],
    ['dist/authed-socket.global.js', false],
    ['dist/index.js', true],
    ['dist/index.cjs', true],
  ])('keeps the cookies of Node out of what browsers load (%s)', (file, holds) => {
    const text = readFileSync(join(installed, file), 'utf8')
    expect(NODE_ONLY.filter((word) => text.includes(word))).toEqual(holds ? NODE_ONLY : [])
  })

  it.each<[string, readonly string[], boolean]>([
    ['a browser', ['browser'], false],
    ['Node', ['node'], true],
    ['Workers', ['workerd', 'worker', 'browser'], true],
    ['the edge runtime of Next', ['edge-light', 'browser'], true],
    ['React Native', ['react-native', 'browser'], true],
    ['a bundler that says nothing', [], true],
  ])('is bundled for %s with what is needed there', async (_, conditions, holds) => {
    for (const format of ['esm', 'cjs'] as const) {
      const { outputFiles } = await esbuild({
        absWorkingDir: consumer,
        stdin: {
          contents:
            format === 'esm'
              ? `export * from 'authed-socket'`
              : `module.exports = require('authed-socket')`,
          resolveDir: consumer,
        },
        bundle: true,
        write: false,
        format,
        platform: 'neutral',
        mainFields: ['module', 'main'],
        conditions: [...conditions],
        external: ['ws'],
        logLevel: 'silent',
      })
      const text = outputFiles.map((file) => file.text).join('\n')
      expect(NODE_ONLY.filter((word) => text.includes(word))).toEqual(holds ? NODE_ONLY : [])
    }
  })

  it('keeps its dependencies outside of ESM and CommonJS but for the dialer, and inside of the script-tag build', () => {
    // It is built from its source, which is smaller, and a class to every bundler.
    const outside = DEPENDENCIES.filter((name) => name !== 'reconnecting-websocket')
    const imported = (file: string, pattern: RegExp) =>
      [...readFileSync(join(installed, file), 'utf8').matchAll(pattern)].map(([, name]) => name)
    const esm = imported('dist/index.js', /^import .*from ['"]([^'"]+)['"]/gm)
    expect([...new Set(esm)].sort()).toEqual(outside)
    const cjs = imported('dist/index.cjs', /require\(['"]([^'"]+)['"]\)/g)
    expect([...new Set(cjs)].filter((name) => name !== 'ws').sort()).toEqual(outside)
    const iife = readFileSync(join(installed, 'dist/authed-socket.global.js'), 'utf8')
    expect(iife.match(/\brequire\(|\bfrom ?['"]/g) ?? []).toEqual([])
  })

  it('is bundled for a browser by esbuild without ws', async () => {
    const { outputFiles, warnings } = await esbuild({
      absWorkingDir: consumer,
      entryPoints: ['main.js'],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
    })
    expect(warnings).toEqual([])
    const all = outputFiles.map(({ text }) => text).join('\n')
    expect(importsOfWs(all)).toEqual([])
    expect(NODE_ONLY.filter((word) => all.includes(word))).toEqual([])
  })

  it('keeps the sessions and errors of the doctor those of the main entry', () => {
    const text = readFileSync(join(installed, 'dist/doctor.js'), 'utf8')
    const imported = [...text.matchAll(/^import .*from ['"]([^'"]+)['"]/gm)].map(([, name]) => name)
    expect([...new Set(imported)].sort()).toEqual(['authed-socket', 'jwt-decode'])
    expect(text).not.toContain('class AuthedSocketError')
  })

  it('is bundled for a browser with the doctor, and without modules of Node', async () => {
    const { outputFiles, warnings } = await esbuild({
      absWorkingDir: consumer,
      stdin: { contents: `export * from 'authed-socket/doctor'`, resolveDir: consumer },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
    })
    expect(warnings).toEqual([])
    const text = outputFiles.map((file) => file.text).join('\n')
    expect(text.match(/(?:from|import\(|require\()\s*['"]node:/g) ?? []).toEqual([])
    expect(importsOfWs(text)).toEqual([])
  })

  it('is bundled for a browser by Vite without ws', async () => {
    const outDir = join(consumer, 'out')
    await vite({
      root: consumer,
      configFile: false,
      logLevel: 'error',
      build: { outDir, minify: false, rollupOptions: { input: join(consumer, 'main.js') } },
    })
    const chunks = readdirSync(outDir, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .map((file) => readFileSync(join(outDir, file), 'utf8'))
    expect(chunks.join('\n')).toContain('make')
    expect(importsOfWs(chunks.join('\n'))).toEqual([])
    expect(NODE_ONLY.filter((word) => chunks.join('\n').includes(word))).toEqual([])
  })

  it('is shaken away where nothing of it is used', async () => {
    const { outputFiles } = await esbuild({
      absWorkingDir: consumer,
      entryPoints: ['bare.js'],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      external: [...DEPENDENCIES],
      // Our own word that we have no side effects is not believed: only statements count.
      plugins: [
        {
          name: 'with-side-effects',
          setup(context) {
            context.onResolve({ filter: /authed-socket/ }, () => ({
              path: join(installed, 'dist/index.js'),
              sideEffects: true,
            }))
          },
        },
      ],
      // The licence of what is part of the build is a comment.
      legalComments: 'none',
      logLevel: 'silent',
    })
    const rest = (outputFiles[0]?.text ?? '')
      .split('\n')
      .filter((line) => line.trim() && !/^(\/\/|import ["'{*\w])/.test(line))
    expect(rest).toEqual([])
  })
})

/** Words of what reads Set-Cookie, which has no use where the browser does it. */
const NODE_ONLY = ['max-age', '__host-', 'getSetCookie']

function importsOfWs(text: string): string[] {
  return (
    text.match(/import\(\s*['"]ws['"]\s*\)|from ?['"]ws['"]|ws does not work in the browser/g) ?? []
  )
}
