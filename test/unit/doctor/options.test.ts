/** Wrong options are named, and nothing is dialed. */
import { describe, expect, it } from 'vitest'
import { type DiagnoseOptions, diagnose } from '../../../src/doctor/index.ts'
import { plain, roomPerSocket, viaQuery } from '../../../src/index.ts'

const right: DiagnoseOptions = {
  url: 'ws://127.0.0.1:9/ws',
  auth: () => 'tok',
  transmission: viaQuery({ acceptLogging: true }),
  protocol: plain(),
}

describe('diagnose', () => {
  it.each([
    ['ways', { ways: ['pigeon'] }],
    ['watchMs', { watchMs: '5' }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['room', { room: '' }],
    ['page', { page: 'not a page' }],
    ['crowd', { crowd: () => {} }],
    ['message', { crowd: {} }],
    ['sockets', { crowd: { message: String, sockets: 1 } }],
    ['signal', { signal: {} }],
    ['protocol', { protocol: undefined }],
    ['transmission', { transmission: undefined }],
    ['colour', { colour: 'red' }],
    ['#fragment', { url: 'ws://127.0.0.1:9/ws#here' }],
  ])('names %s', async (name, wrong) => {
    // Wrong on purpose.
    const options = { ...right, ...wrong } as DiagnoseOptions
    await expect(diagnose(options)).rejects.toThrow(name)
    await expect(diagnose(options)).rejects.toSatisfy(
      (error) => error instanceof TypeError || error instanceof RangeError,
    )
  })

  it('wants a room where each room has a socket', async () => {
    const options = { ...right, url: 'ws://127.0.0.1:9/{room}', protocol: roomPerSocket() }
    await expect(diagnose(options)).rejects.toThrow('room is missing')
  })

  it('rejects with the reason of its signal', async () => {
    const reason = new Error('enough')
    await expect(diagnose({ ...right, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('rejects while it waits for a token', async () => {
    const controller = new AbortController()
    const auth = () => new Promise<string>(() => {})
    const waiting = diagnose({ ...right, auth, signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toThrow('aborted')
  })
})
