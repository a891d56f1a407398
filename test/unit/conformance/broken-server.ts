/** Loads `tiny-server.ts` with changes in its text. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { transformSync } from 'esbuild'
import type { Mutation } from './mutations.ts'
import type { TinyServer } from './tiny-server.ts'

const source = readFileSync(new URL('tiny-server.ts', import.meta.url), 'utf8')

/** @throws {Error} for a change that does not fit exactly once: it would break nothing, or too much */
export function brokenServer(edits: Mutation['edits']): Promise<TinyServer> {
  const broken = edits.reduce((text, [find, put]) => {
    const places = text.split(find).length - 1
    if (places !== 1) throw new Error(`${places} places in tiny-server.ts hold: ${find}`)
    return text.replace(find, () => put)
  }, source)
  const { code } = transformSync(broken, { loader: 'ts', format: 'cjs', target: 'node20' })
  const module = { exports: {} as { startTinyServer: () => Promise<TinyServer> } }
  new Function('require', 'module', 'exports', code)(
    createRequire(import.meta.url),
    module,
    module.exports,
  )
  return module.exports.startTinyServer()
}
