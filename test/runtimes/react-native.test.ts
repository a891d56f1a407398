/** The build for React Native, on its globals as far as Node can have them. */
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createReferenceServer } from '../servers/node/server.ts'
import { run } from './processes.ts'

const inReactNative = async (polyfills: string): Promise<unknown> => {
  const server = await createReferenceServer()
  onTestFinished(() => server.close())
  const main = join(import.meta.dirname, 'react-native.mjs')
  const { code, out, err } = await run(process.execPath, [main, server.url, polyfills])
  // The program listens for no `error`, so the package warns of each.
  const unwarned = err.replaceAll(/^authed-socket: .*\n/gm, '')
  expect({ code, err: unwarned }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}

it('with the polyfills of the guide everything works, headers too', async () => {
  expect(await inReactNative('url,crypto')).toEqual({
    seq: 1,
    texts: ['hi', 'again'],
    codes: [4003, 1000],
    dials: 2,
    refreshRequests: 1,
    state: 'idle',
    whoami: 200,
    headers: { Origin: 'https://app.example', Authorization: 'Bearer token' },
    aborted: 'AbortError',
    refused: 'TOKEN_REFUSED',
  })
})

it.each([
  ['url', /crypto.*react-native-get-random-values/],
  ['crypto', /react-native-url-polyfill/],
])('with %s alone the error names the other one', async (polyfills, text) => {
  expect(await inReactNative(polyfills)).toMatchObject({ error: expect.stringMatching(text) })
})
