/** A page in WebKitGTK's MiniBrowser, over WebDriver. */
import { ensureWebKit } from '../../scripts/webkit.mjs'
import type { Page } from './firefox.ts'
import { freePort, listening, scratch, start } from './processes.ts'

/** In a page: the value of an expression, or of its promise, by way of JSON. */
const EVALUATE = `
  const [expression, done] = arguments
  Promise.resolve()
    .then(() => (0, eval)(expression))
    .then((value) => done(JSON.stringify({ value: value ?? null })), (error) => done(JSON.stringify({ error: String(error) })))
`

export const openWebKit = async (url: string): Promise<Page & { readonly version: string }> => {
  const { driver, browser, display } = await ensureWebKit()
  const port = await freePort()
  start(display, ['-a', driver, `--port=${port}`], {
    // As root it has no sandbox of its own.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
    XDG_RUNTIME_DIR: scratch(),
  })
  await listening(port)
  const call = async (path: string, body: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/session${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    const { value } = (await response.json()) as { value: unknown }
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(value)}`)
    return value
  }
  const options = { binary: browser, args: ['--automation'] }
  const { sessionId, capabilities } = (await call('', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
  })) as { sessionId: string; capabilities: { browserVersion: string } }
  await call(`/${sessionId}/timeouts`, { script: 60_000 })
  await call(`/${sessionId}/url`, { url })
  return {
    version: capabilities.browserVersion,
    evaluate: async (expression) => {
      const said = await call(`/${sessionId}/execute/async`, {
        script: EVALUATE,
        args: [expression],
      })
      const { value, error } = JSON.parse(String(said)) as { value: unknown; error?: string }
      if (error !== undefined) throw new Error(error)
      return value
    },
  }
}
