/** The script of a page, bundled from the source as an app's bundler does it. */
import { build } from 'esbuild'

/** @param source a file, or code with the folder that its imports start from */
export const pageScript = async (
  source: string | { readonly code: string; readonly folder: string },
  globalName?: string,
): Promise<string> => {
  const { outputFiles } = await build({
    ...(typeof source === 'string'
      ? { entryPoints: [source] }
      : { stdin: { contents: source.code, resolveDir: source.folder, loader: 'ts' } }),
    ...(globalName !== undefined && { globalName }),
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    // As users get it: no private member is turned into a WeakMap, so that it can be looked through.
    keepNames: true,
  })
  const [script] = outputFiles
  if (!script) throw new Error('esbuild gave no file')
  return script.text
}
