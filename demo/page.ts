/** Serves the chat page, with the build for script tags made in memory. */
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { PageConfig } from './stage.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** As tsup.config.ts makes `dist/authed-socket.global.js`. */
export async function scriptTagBuild(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('../src/index.ts')],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    globalName: 'authedSocket',
    target: 'es2020',
    platform: 'browser',
    external: ['ws'],
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

export function pageListener(script: string, config: PageConfig): RequestListener {
  const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
    '/': ['text/html', readFileSync(here('page/index.html'), 'utf8')],
    '/page.css': ['text/css', readFileSync(here('page/page.css'), 'utf8')],
    '/page.js': ['text/javascript', readFileSync(here('page/page.js'), 'utf8')],
    '/authed-socket.global.js': ['text/javascript', script],
    '/config.js': ['text/javascript', `globalThis.demo = ${JSON.stringify(config)}`],
  }
  return (request, response) => {
    const file = files[new URL(request.url ?? '/', 'http://localhost').pathname]
    if (file === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found')
      return
    }
    const [type, body] = file
    response
      .writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' })
      .end(body)
  }
}
