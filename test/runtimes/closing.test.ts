/** A server that says close, and keeps TCP: what Firefox tells of it, and where a send goes meanwhile. */
import { expect, it } from 'vitest'
import { serveRaw } from '../support/raw-server.ts'
import { openFirefox, servePage } from './firefox.ts'
import { bundle } from './processes.ts'

it('in Firefox a send into a socket that was told 4003, 1012 or 4403 goes to the next one, and the code comes', async () => {
  const page = await openFirefox(
    await servePage(await bundle('closing-page.mjs', { format: 'iife', platform: 'browser' })),
  )
  for (const code of [4003, 1012, 4403]) {
    const server = await serveRaw()
    await page.evaluate(`begin(${JSON.stringify(server.url)})`)
    server.connections[0]?.sayClose(code)
    const { sent, told } = (await page.evaluate('end()')) as { sent: string; told: number }
    expect(told).toBe(code)
    const frames = server.connections.map((connection) => connection.frames)
    expect(frames[0]).not.toContain('"late"')
    expect(frames.slice(1).flat().includes('"late"')).toBe(sent === 'sent')
    if (code !== 4403) expect(sent).toBe('sent')
    await page.evaluate('socket.disconnect()')
  }
})
