import { expect, it } from 'vitest'
import { startServer } from '../../support/servers.ts'
import { post, RawClient } from './raw-client.ts'

it('starts, keeps tokens over a kill and a restart, prints none, and stops', async () => {
  const server = await startServer('node')
  const { port } = server
  const pair = await server.control<{ access: string; refresh: string }>('mint', { user: 'alice' })
  const dial = (): RawClient => new RawClient(`${server.wsUrl}/ws/plain?token=${pair.access}`)
  const client = await dial().open()
  expect(await server.control('sockets')).toEqual({ open: 1 })
  await server.kill('SIGKILL')
  expect((await client.ended).code).toBe(1006)
  await server.restart()
  expect(server.port).toBe(port)
  const next = await dial().open()
  const refreshed = await post(`${server.url}/api/token/refresh/`, { refresh: pair.refresh })
  expect(refreshed.status).toBe(200)
  await expect(server.control('nonsense')).rejects.toThrow(/404/)
  await server.stop()
  expect((await next.ended).code).toBe(1012)
  expect(server.output()).not.toContain(pair.access)
  await expect(fetch(server.url)).rejects.toThrow()
})
