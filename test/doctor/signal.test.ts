/** A diagnosis that is given up on, and what one leaves behind. */
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DiagnoseOptions, diagnose } from '../../src/doctor/index.ts'
import { plain, viaQuery } from '../../src/index.ts'
import { refuse, sockets, web } from './corpus/handmade.ts'
import type { Running } from './corpus/python.ts'

const options = (port: number): DiagnoseOptions => ({
  url: `ws://127.0.0.1:${port}/ws`,
  auth: () => 'a-token-of-the-test',
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
})

describe('a signal', () => {
  let server: Running
  const opened: import('ws').WebSocket[] = []
  beforeAll(async () => {
    server = await web({ upgrade: sockets((_request, socket) => opened.push(socket)) })
  })
  afterAll(() => server?.close())

  it('ends a diagnosis while it watches, and its socket', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const waiting = diagnose({ ...options(server.port), watchMs: 600_000, signal })
    const reason = new Error('enough')
    while (opened.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    const [socket] = opened
    if (socket && socket.readyState !== socket.CLOSED) await once(socket, 'close')
  })

  it('ends a diagnosis while it dials', async () => {
    const silent = await web({ upgrade: (_request, socket) => socket.resume() })
    const signal = AbortSignal.timeout(200)
    const waiting = diagnose({ ...options(silent.port), timeoutMs: 600_000, signal })
    await expect(waiting).rejects.toThrow('timeout')
    await silent.close()
  })

  it('is listened to no longer than a dial takes', async () => {
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const server = await web({ upgrade: refuse(() => ({ status: 403 })) })
    const { signal } = new AbortController()
    let made = 0
    const auth = () => `ticket-of-the-test-${made++}`
    await diagnose({ ...options(server.port), auth, signal })
    await server.close()
    // Warnings come a tick later.
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('warning', listen)
    expect(made).toBeGreaterThan(10)
    expect(warnings).toEqual([])
  })
})
