import type { RequestListener } from 'node:http'
import { expect, it } from 'vitest'
import { scriptTagBuild } from '../../demo/page.ts'
import { createReferenceServer } from '../servers/node/server.ts'
import { launchChromium } from '../support/chromium.ts'
import { read } from './markdown.ts'

it('examples/script-tag.html receives a message in Chromium', async () => {
  let token = ''
  const page: RequestListener = (request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end(request.url === '/my-token' ? token : read('examples/script-tag.html'))
  }
  const server = await createReferenceServer({ fallback: page })
  token = (await server.mint({ user: 'alice' })).access
  await using browser = await launchChromium()
  const tab = await browser.newPage()
  // In place of the CDN: what it will serve.
  const script = await scriptTagBuild()
  await tab.route('https://unpkg.com/authed-socket', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: script }),
  )
  const logged = tab.waitForEvent('console')
  await tab.goto(server.url)
  expect(await (await logged).args()[0]?.jsonValue()).toEqual({ message: 'Welcome, alice!' })
  await server.close()
})
