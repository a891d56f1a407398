import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Options } from 'tsup'

/**
 * Public entry points. A new one needs a line here and one in package.json `exports`. Each is built alone, so
 * that none shares a file, or types in a file, with another.
 */
const ENTRIES = {
  index: 'src/index.ts',
  doctor: 'src/doctor/index.ts',
  conformance: 'src/conformance/index.ts',
}

const shared: Options = {
  // `ws` is looked up at run time, in Node only. It is never part of a bundle.
  external: ['ws'],
  // From its source: see `dialerSource`.
  noExternal: ['reconnecting-websocket'],
  // Only the dependencies name a property so.
  esbuildOptions(options) {
    options.mangleProps = /^_[a-z]/i
  },
  splitting: false,
  sourcemap: true,
  // tsup's own tree shaking runs rollup over the output; the users' bundler does that better.
  treeshake: false,
}

/**
 * The doctor asks an `AuthedSocket` what it would send, and that socket must know the sessions and errors of
 * its user's copy: so both come from the main entry, and are not bundled a second time.
 */
const mainEntry = {
  name: 'main-entry',
  setup(build) {
    build.onResolve({ filter: /\/(socket|errors)\.ts$/ }, () => ({
      path: 'authed-socket',
      external: true,
    }))
  },
} satisfies NonNullable<Options['esbuildPlugins']>[number]

/**
 * Its package ships ES5 with helpers, and the source beside it, which is a quarter smaller. As an external of an ESM
 * package, it would also be an object instead of a class to webpack's CommonJS users. It rolls dice when it is loaded,
 * so it is wrapped into a call that may be left out.
 */
const dialerSource = {
  name: 'dialer-source',
  setup({ esbuild, onLoad, onResolve }) {
    onResolve({ filter: /^reconnecting-websocket$/ }, ({ path }) => ({
      path,
      namespace: 'dialer-source',
    }))
    onLoad({ filter: /.*/, namespace: 'dialer-source' }, async () => {
      const { outputFiles } = await esbuild.build({
        entryPoints: [
          fileURLToPath(import.meta.resolve('reconnecting-websocket/reconnecting-websocket.ts')),
        ],
        bundle: true,
        write: false,
        format: 'esm',
        target: 'es2022',
        legalComments: 'inline',
      })
      const text = outputFiles[0]?.text ?? ''
      const body = text.replace(/export \{\s*(\w+) as default\s*\};/, 'return $1')
      return { contents: `export default /* @__PURE__ */ (() => {${body}})()` }
    })
  },
} satisfies NonNullable<Options['esbuildPlugins']>[number]

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/**
 * What only one kind of build needs has a namesake beside it: `cookie-jar.browser.ts` for browsers,
 * `native-socket.native.ts` for React Native, `ws-package.cjs.ts` for CommonJS.
 */
const namesakes = (kind: 'browser' | 'native' | 'cjs'): Plugin => ({
  name: kind,
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, resolveDir }) => {
      const namesake = join(resolveDir, path.replace(/\.ts$/, `.${kind}.ts`))
      return existsSync(namesake) ? { path: namesake } : undefined
    })
  },
})
const forBrowsers = namesakes('browser')
const forCommonJs: Plugin = {
  name: 'common-js',
  setup(build) {
    if (build.initialOptions.format === 'cjs') return namesakes('cjs').setup(build)
  },
}

const modules = (name: string, file: string): Options => ({
  ...shared,
  entry: { [name]: file },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  outExtension: ({ format }) => ({ js: format === 'cjs' ? '.cjs' : '.js' }),
})

const library = (name: string, file: string): Options => ({
  ...modules(name, file),
  dts: {
    entry: { [name]: file },
    // `Symbol.asyncDispose` in our types must not ask users to change their own `lib`.
    banner: '/// <reference lib="esnext.disposable" />',
  },
  esbuildPlugins:
    name === 'doctor' ? [mainEntry, forCommonJs, dialerSource] : [forCommonJs, dialerSource],
})

/** A command: everything in one file but the dependencies. */
const command = (name: string, file: string): Options => ({
  ...shared,
  entry: { [name]: file },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  dts: false,
  sourcemap: false,
  outExtension: () => ({ js: '.bin.js' }),
})

export default defineConfig((options) => {
  // All builds write here and run at the same time, so none of them may clean.
  if (!options.watch) rmSync('dist', { recursive: true, force: true })
  return [
    ...Object.entries(ENTRIES).map(([name, file]) => library(name, file)),
    // Its types are those of `index`.
    {
      ...modules('index.browser', ENTRIES.index),
      dts: false,
      esbuildPlugins: [forBrowsers, dialerSource],
    },
    {
      ...modules('index.native', ENTRIES.index),
      dts: false,
      esbuildPlugins: [namesakes('native'), dialerSource],
    },
    command('authed-socket', 'src/doctor/bin.ts'),
    command('authed-socket-conformance', 'src/conformance/bin.ts'),
    {
      ...shared,
      entry: { 'authed-socket': 'src/index.ts' },
      format: ['iife'],
      globalName: 'authedSocket',
      // Whoever lacks private methods lacks `Object.hasOwn` as well, which every constructor calls.
      target: 'es2022',
      platform: 'browser',
      // Everything but `ws`: a script tag has no package manager.
      noExternal: [/^(?!ws$)/],
      // A few per cent smaller than esbuild does it. Modules are left to the users' bundler.
      minify: 'terser',
      terserOptions: { compress: { passes: 2 }, format: { comments: /^!/ } },
      dts: false,
      esbuildPlugins: [forBrowsers, dialerSource],
      outExtension: () => ({ js: '.global.js' }),
    },
  ]
})
