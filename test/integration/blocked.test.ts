/** A thread that is busy with something else hears nothing. That is no silence of the server. */
import type { AddressInfo } from 'node:net'
import { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { type AuthedSocketOptions, multiplexed, plain } from '../../src/index.ts'
import { block } from '../support/block.ts'
import { watched } from './bad-input-support.ts'

const WELCOME = {
  type: 'welcome',
  version: 1,
  user: 'alice',
  limits: { frameBytes: 65_536, roomsPerJoin: 100 },
  heartbeatMs: 25_000,
}

const serverApart = async (welcome?: object): Promise<string> => {
  const worker = new Worker(new URL('./blocked-server.mjs', import.meta.url), {
    workerData: { welcome },
  })
  onTestFinished(async () => {
    await worker.terminate()
  })
  const { port } = await new Promise<AddressInfo>((resolve) => worker.once('message', resolve))
  return `127.0.0.1:${port}`
}

const countsOf = async (host: string): Promise<{ dials: number; tokens: number }> => {
  const response = await fetch(`http://${host}/counts`)
  return response.json()
}

const TIMEOUT_MS = 300
const BLOCKED_MS = 1_500

it('a join is not refused for it', async () => {
  const host = await serverApart(WELCOME)
  const { socket } = watched({
    url: `ws://${host}/`,
    protocol: multiplexed(),
    requestTimeoutMs: TIMEOUT_MS,
  })
  await socket.connect()
  const rooms = Promise.all(Array.from({ length: 500 }, (_, n) => socket.join(`room ${n}`)))
  // The joins leave in a microtask.
  await Promise.resolve()
  block(BLOCKED_MS)
  await rooms
  expect((await countsOf(host)).dials).toBe(1)
})

it('a request is not given up for it', async () => {
  const host = await serverApart(WELCOME)
  const { socket } = watched({
    url: `ws://${host}/`,
    protocol: multiplexed(),
    requestTimeoutMs: TIMEOUT_MS,
  })
  await socket.connect()
  const answer = socket.request('echo', 'hi')
  block(BLOCKED_MS)
  expect(await answer).toBe('hi')
})

const DIALS: readonly (readonly [string, object | undefined, Partial<AuthedSocketOptions>])[] = [
  ['that opens', undefined, { protocol: plain() }],
  ['that is welcomed', WELCOME, { protocol: multiplexed() }],
]
it.each(DIALS)('a dial %s is not given up for it', async (_, welcome, options) => {
  const host = await serverApart(welcome)
  const { socket, errors } = watched({
    url: `ws://${host}/`,
    connectTimeoutMs: TIMEOUT_MS,
    ...options,
  })
  const connected = socket.connect()
  // Until the handshake is on its way.
  await new Promise((resolve) => setTimeout(resolve, 20))
  block(BLOCKED_MS)
  await connected
  expect(errors).toEqual([])
  expect((await countsOf(host)).dials).toBe(1)
})

it('a token is not asked for twice for it', async () => {
  const host = await serverApart()
  const { socket, states } = watched({
    url: `ws://${host}/`,
    tokenTimeoutMs: TIMEOUT_MS,
    auth: async ({ signal }) => {
      const response = await fetch(`http://${host}/token`, { method: 'POST', signal })
      return response.json()
    },
  })
  const connected = socket.connect()
  await new Promise((resolve) => setTimeout(resolve, 20))
  block(BLOCKED_MS)
  await connected
  expect(states).not.toContain('waiting')
  expect((await countsOf(host)).tokens).toBe(1)
})
