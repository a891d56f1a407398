/** A server that says close, and keeps TCP: what a browser tells of it, and where a send goes meanwhile. */
import { expect, vi } from 'vitest'
import { serveRaw } from '../support/raw-server.ts'
import { type Page, servePage } from './firefox.ts'
import { bundle } from './processes.ts'

export const serveClosingPage = async (): Promise<string> =>
  servePage(await bundle('closing-page.mjs', { format: 'iife', platform: 'browser' }))

/**
 * The code comes, and a send goes to the next socket, or is rejected where there is none.
 *
 * @param instead a code that may come as well
 */
export const expectToldCodes = async (page: Page, instead?: number): Promise<void> => {
  for (const code of [4003, 1012, 4403]) {
    const server = await serveRaw()
    await page.evaluate(`begin(${JSON.stringify(server.url)})`)
    server.connections[0]?.sayClose(code)
    const { sent, told } = (await page.evaluate('end()')) as { sent: string; told: number }
    expect([code, instead]).toContain(told)
    const late = () => server.connections.slice(1).flatMap(({ frames }) => frames)
    // It was taken, and may be on its way.
    if (sent === 'sent') await vi.waitFor(() => expect(late()).toContain('"late"'), 10_000)
    else expect(late()).toEqual([])
    expect(server.connections[0]?.frames).not.toContain('"late"')
    if (code !== 4403) expect(sent).toBe('sent')
    await page.evaluate('socket.disconnect()')
  }
}
