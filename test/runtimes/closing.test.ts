import { it } from 'vitest'
import { expectToldCodes, serveClosingPage } from './closing.ts'
import { openFirefox } from './firefox.ts'

it('in Firefox a send into a socket that was told 4003, 1012 or 4403 goes to the next one, and the code comes', async () => {
  await expectToldCodes(await openFirefox(await serveClosingPage()))
})
