import { rmSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

/** Public entry points. A new one needs a line here and one in package.json `exports`. */
const entry = { index: 'src/index.ts' }

const shared: Options = {
  // `ws` is looked up at run time on Node 20 only. It is never part of a bundle.
  external: ['ws'],
  splitting: false,
  sourcemap: true,
  // tsup's own tree shaking runs rollup over the output; the users' bundler does that better.
  treeshake: false,
}

const library: Options = {
  ...shared,
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  outExtension: ({ format }) => ({ js: format === 'cjs' ? '.cjs' : '.js' }),
}

/** `Symbol.asyncDispose` in our types must not ask users to change their own `lib`. */
const banner = '/// <reference lib="esnext.disposable" />'

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

export default defineConfig((options) => {
  // All builds write here and run at the same time, so none of them may clean.
  if (!options.watch) rmSync('dist', { recursive: true, force: true })
  const doctor = { doctor: 'src/doctor/index.ts' }
  return [
    { ...library, entry, dts: { entry, banner } },
    { ...library, entry: doctor, dts: { entry: doctor, banner }, esbuildPlugins: [mainEntry] },
    {
      ...shared,
      // The command: everything in one file but the dependencies.
      entry: { 'authed-socket': 'src/doctor/bin.ts' },
      format: ['esm'],
      target: 'node20',
      platform: 'node',
      dts: false,
      sourcemap: false,
      outExtension: () => ({ js: '.bin.js' }),
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
