import { rmSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

/**
 * Public entry points. A new one needs a line here and one in package.json `exports`. Each is built alone, so
 * that none shares a file, or types in a file, with another.
 */
const ENTRIES = { index: 'src/index.ts', conformance: 'src/conformance/index.ts' }

const shared: Options = {
  // `ws` is looked up at run time on Node 20 only. It is never part of a bundle.
  external: ['ws'],
  splitting: false,
  sourcemap: true,
  // tsup's own tree shaking runs rollup over the output; the users' bundler does that better.
  treeshake: false,
}

const library = (entry: Record<string, string>): Options => ({
  ...shared,
  entry,
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: {
    entry,
    // `Symbol.asyncDispose` in our types must not ask users to change their own `lib`.
    banner: '/// <reference lib="esnext.disposable" />',
  },
  outExtension: ({ format }) => ({ js: format === 'cjs' ? '.cjs' : '.js' }),
})

export default defineConfig((options) => {
  // Both builds write here and run at the same time, so neither of them may clean.
  if (!options.watch) rmSync('dist', { recursive: true, force: true })
  return [
    ...Object.entries(ENTRIES).map(([name, file]) => library({ [name]: file })),
    {
      ...shared,
      // `npx authed-socket-conformance`.
      entry: { 'conformance-cli': 'src/conformance/bin.ts' },
      format: ['esm'],
      target: 'es2022',
      platform: 'neutral',
      dts: false,
      sourcemap: false,
    },
    {
      ...shared,
      entry: { 'authed-socket': 'src/index.ts' },
      format: ['iife'],
      globalName: 'authedSocket',
      target: 'es2020',
      platform: 'browser',
      // Everything but `ws`: a script tag has no package manager.
      noExternal: [/^(?!ws$)/],
      minify: true,
      dts: false,
      outExtension: () => ({ js: '.global.js' }),
    },
  ]
})
